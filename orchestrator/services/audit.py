"""Reading what administrators and operators did."""

from __future__ import annotations

from orchestrator.domain.identity import Identity
from orchestrator.ports.audit_log import AuditLog, AuditPage
from orchestrator.services.ownership import require_admin


class Audit:
    def __init__(self, *, log: AuditLog) -> None:
        self._log = log

    def list(self, identity: Identity, *, page: int, page_size: int) -> AuditPage:
        """Newest first. Raises Refused (ADMIN_ONLY) for everybody but administrators."""
        require_admin(identity)
        return self._log.list(page=page, page_size=page_size)
