"""A small client of Lorry's HTTP API: `with LorryClient(url, token) as lorry: lorry.jobs()`.

Requests that are safe to repeat are repeated while the server is unreachable or says it is busy; a submission is made
safe by an idempotency key. Every failure is a CliError; the token is in no message. docs/client.md shows it in use.
"""

from __future__ import annotations

from cli.client.admin import AdminCalls
from cli.client.datasets import DatasetCalls
from cli.client.experiments import ExperimentCalls
from cli.client.files import FileCalls
from cli.client.jobs import JobCalls
from cli.client.service import ServiceCalls
from cli.client.streams import StreamCalls
from cli.client.transport import DEFAULT_URL
from cli.client.webhooks import WebhookCalls


class LorryClient(
    JobCalls, StreamCalls, ExperimentCalls, DatasetCalls, FileCalls, WebhookCalls, AdminCalls, ServiceCalls
):
    """Every call of the API that the command line makes, over one connection."""


__all__ = ["DEFAULT_URL", "LorryClient"]
