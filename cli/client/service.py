"""The server itself: whether it is well, and which base models it offers."""

from __future__ import annotations

from typing import Any, cast

from cli.answers import Identity, Model
from cli.client.transport import Transport
from cli.errors import LorryApiError


class ServiceCalls(Transport):
    def health(self) -> dict[str, Any]:
        return self._get("/health", doing="ask for the server's health")

    def failing_checks(self) -> dict[str, str]:
        """What keeps the server from starting jobs: a sentence by the name of each check; {} when it is ready."""
        try:
            self._send("GET", "/ready", doing="ask whether the server is ready")
        except LorryApiError as error:
            if error.code != "NOT_READY":
                raise
            return {str(check["field"]): str(check["message"]) for check in error.details}
        return {}

    def whoami(self) -> Identity:
        return cast("Identity", self._data("/auth/me", doing="log in"))

    def models(self) -> list[Model]:
        return cast("list[Model]", self._data("/catalog/models", doing="list base models"))

    def fetch_model(self, model_id: str) -> None:
        """Have the server fetch a model, or go on with what it began."""
        self._post("/models/download/start", doing=f"have {model_id} fetched", json={"modelId": model_id})
