"""Which methods a path answers to. The framework's own `Allow` names those of one route alone."""

from __future__ import annotations

from fastapi import Request


def allowed_methods(request: Request) -> str | None:
    """The value of the `Allow` header, after the request was routed; None for a path that is not documented."""
    path = getattr(request.scope.get("route"), "path", "")  # without the prefix that its router was included with
    documented = request.app.openapi()["paths"].get(f"/api{path}", {})
    methods = {method.upper() for method in documented}
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods)) or None
