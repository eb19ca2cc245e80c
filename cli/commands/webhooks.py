"""`lorry webhooks`: being told of one's jobs."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.answers import Delivery, Webhook
from cli.client import DEFAULT_URL
from cli.connection import JsonOption, UrlOption, connect
from cli.text import instant, print_json, print_table, printable

_COLUMNS = ("WEBHOOK", "URL", "EVENTS", "STATE")
_DELIVERY_COLUMNS = ("AT", "EVENT", "JOB", "STATE", "TRIES", "ANSWER", "ERROR")

webhooks = typer.Typer(help="Addresses that are told of your jobs.", no_args_is_help=True, rich_markup_mode=None)

WebhookArgument = Annotated[str, typer.Argument(metavar="WEBHOOK", help="The webhook's id.")]


def register(app: typer.Typer) -> None:
    app.add_typer(webhooks, name="webhooks")


@webhooks.command("list")
def list_webhooks(url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """List your webhooks."""
    with connect(url) as lorry:
        found = lorry.webhooks()
    if as_json:
        print_json(found)
    else:
        print_table(_COLUMNS, map(_row, found), empty="No webhooks.")


@webhooks.command()
def add(
    receiver: Annotated[str, typer.Argument(metavar="URL", help="Where events are sent to: https, port 443, public.")],
    events: Annotated[
        list[str] | None, typer.Option("--event", help="Such as job.completed; may be repeated; all otherwise.")
    ] = None,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Add a webhook and print its secret, which signs every message and is shown this once."""
    with connect(url) as lorry:
        added = lorry.add_webhook(receiver, events=events or ())
    if as_json:
        print_json(added)
    else:
        print(f"Webhook {added['id']} is told of {', '.join(added['events'])}.")
        print(f"secret: {added['secret']}")


@webhooks.command()
def remove(webhook: WebhookArgument, url: UrlOption = DEFAULT_URL) -> None:
    """Remove a webhook; what is still pending for it is never sent."""
    with connect(url) as lorry:
        lorry.remove_webhook(webhook)
    print(f"Removed webhook {printable(webhook)}.")


@webhooks.command()
def enable(webhook: WebhookArgument, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Enable a webhook again that was disabled because its receiver failed for days."""
    with connect(url) as lorry:
        after = lorry.enable_webhook(webhook)
    if as_json:
        print_json(after)
    else:
        print(f"Webhook {printable(webhook)} is {_state(after)}.")


@webhooks.command()
def ping(webhook: WebhookArgument, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Send an event `ping`; `lorry webhooks deliveries` tells what came of it."""
    with connect(url) as lorry:
        sent = lorry.ping_webhook(webhook)
    if as_json:
        print_json(sent)
    else:
        print(f"Delivery {sent['id']} is {sent['state']}. See: lorry webhooks deliveries {printable(webhook)}")


@webhooks.command()
def deliveries(webhook: WebhookArgument, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """List what a webhook was told, newest first, and what the receiver answered."""
    with connect(url) as lorry:
        found = lorry.deliveries(webhook)
    if as_json:
        print_json({"data": found.items, "total": found.total})
    else:
        print_table(_DELIVERY_COLUMNS, map(_delivery_row, found.items), empty="It was told of nothing yet.")


def _row(webhook: Webhook) -> tuple[str, ...]:
    return (webhook["id"], webhook["url"], ", ".join(webhook["events"]), _state(webhook))


def _state(webhook: Webhook) -> str:
    if webhook["disabled_at"]:
        return f"disabled: {webhook['disabled_reason'] or ''}"
    return f"failing since {instant(webhook['failing_since'])}" if webhook["failing_since"] else "enabled"


def _delivery_row(delivery: Delivery) -> tuple[str, ...]:
    return (
        instant(delivery["created_at"]),
        delivery["event"],
        delivery["job_id"] or "",
        delivery["state"],
        str(delivery["tries"]),
        str(delivery["status_code"] or ""),
        delivery["error"] or "",
    )
