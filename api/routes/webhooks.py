"""Being told of one's jobs instead of asking."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from api.dependencies import CurrentIdentity, WebhookId, WebhooksService, admit
from api.router import Router
from api.schemas.envelope import GUARDED, Listing, Single, errors
from api.schemas.webhooks import DeliveryOut, NewWebhookOut, WebhookBody, WebhookOut

router = Router(prefix="/webhooks", tags=["webhooks"], dependencies=[Depends(admit)], responses=GUARDED)


@router.post("", status_code=201, summary="Add a webhook", responses=errors(400, 403, 409))
def create_webhook(body: WebhookBody, identity: CurrentIdentity, webhooks: WebhooksService) -> Single[NewWebhookOut]:
    """Each event of the caller's jobs is sent as a POST with JSON, signed as Standard Webhooks says. This answer is the
    only one with the secret."""
    return Single(data=NewWebhookOut.from_domain(webhooks.create(identity, url=body.url, events=body.events)))


@router.get("", summary="List the caller's webhooks")
def list_webhooks(identity: CurrentIdentity, webhooks: WebhooksService) -> Listing[WebhookOut]:
    return Listing.whole([WebhookOut.from_domain(webhook) for webhook in webhooks.list(identity)])


@router.get("/{webhook_id}", summary="Look at a webhook", responses=errors(404))
def get_webhook(webhook_id: WebhookId, identity: CurrentIdentity, webhooks: WebhooksService) -> Single[WebhookOut]:
    return Single(data=WebhookOut.from_domain(webhooks.get(identity, webhook_id)))


@router.delete("/{webhook_id}", status_code=204, summary="Remove a webhook", responses=errors(404))
def remove_webhook(webhook_id: WebhookId, identity: CurrentIdentity, webhooks: WebhooksService) -> None:
    """What is still pending for it is never sent."""
    webhooks.remove(identity, webhook_id)


@router.post("/{webhook_id}/enable", summary="Enable a webhook again", responses=errors(404))
def enable_webhook(webhook_id: WebhookId, identity: CurrentIdentity, webhooks: WebhooksService) -> Single[WebhookOut]:
    """For one that was disabled after three days without success. What happened meanwhile is not made up for."""
    return Single(data=WebhookOut.from_domain(webhooks.enable(identity, webhook_id)))


@router.post("/{webhook_id}/ping", status_code=202, summary="Try a webhook", responses=errors(404, 409))
def ping_webhook(webhook_id: WebhookId, identity: CurrentIdentity, webhooks: WebhooksService) -> Single[DeliveryOut]:
    """Sends an event `ping` within seconds; its delivery tells what came of it."""
    return Single(data=DeliveryOut.from_domain(webhooks.ping(identity, webhook_id)))


@router.get("/{webhook_id}/deliveries", summary="What a webhook was told", responses=errors(400, 404))
def list_deliveries(
    webhook_id: WebhookId,
    identity: CurrentIdentity,
    webhooks: WebhooksService,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Listing[DeliveryOut]:
    """Newest first, thirty days back."""
    found = webhooks.deliveries(identity, webhook_id, page=page, page_size=page_size)
    data = [DeliveryOut.from_domain(delivery) for delivery in found.deliveries]
    return Listing(data=data, total=found.total, page=page, page_size=page_size)
