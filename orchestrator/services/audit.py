"""Reading what administrators and operators did."""

from __future__ import annotations

from orchestrator.domain.errors import Refused
from orchestrator.domain.identity import Identity
from orchestrator.ports.audit_log import AuditLog, AuditPage


class Audit:
    def __init__(self, *, log: AuditLog) -> None:
        self._log = log

    def list(self, identity: Identity, *, page: int, page_size: int) -> AuditPage:
        """Newest first. Raises Refused (ADMIN_ONLY) for everybody but administrators."""
        if not identity.is_admin:
            raise Refused("Only administrators may read the audit log.", code="ADMIN_ONLY")
        return self._log.list(page=page, page_size=page_size)
