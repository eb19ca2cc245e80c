"""Receivers of webhooks that are down, slow, hostile or inside, and processes that end in between."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.memory import ManualClock
from orchestrator.adapters.sql import SqlJobStore, SqlOutbox, SqlWebhookStore, connect, migrate
from orchestrator.adapters.webhooks import GuardedSender
from orchestrator.domain.errors import Deposed
from orchestrator.domain.events import status_event
from orchestrator.domain.job import Job
from orchestrator.domain.webhook import Delivery, DeliveryState, Webhook
from orchestrator.services.deliveries import Deliveries
from tests.factories import make_job, make_webhook
from tests.receiver import Receiver, running_receiver, status
from tests.waiting import eventually

DOCS = Path(__file__).resolve().parents[2] / "docs" / "webhooks.md"
DAY = 86_400


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as found:
        yield found


@dataclass
class Mail:
    """A store with webhooks, and who delivers; time is the test's."""

    webhooks: SqlWebhookStore
    outbox: SqlOutbox
    jobs: SqlJobStore
    clock: ManualClock

    def deliverer(self, *, outbox: Any = None, **sender: Any) -> Deliveries:
        """A new process over the same store."""
        return Deliveries(outbox=outbox or self.outbox, sender=GuardedSender(**sender), clock=self.clock)

    def webhook(self, url: str, **changes: Any) -> Webhook:
        webhook = make_webhook(url=url, created_at=self.clock.now(), **changes)
        self.webhooks.add(webhook, limit=10)
        return webhook

    def submit(self, user: str = "user-1") -> Job:
        """A transition that is told."""
        now = self.clock.now()
        job = make_job(user_id=user, created_at=now, updated_at=now)
        return self.jobs.add(job, status_event(None, job, "Submitted."))

    def told(self, webhook: Webhook) -> Sequence[Delivery]:
        """Newest first."""
        return self.webhooks.deliveries(webhook.id, page=1, page_size=100).deliveries

    def settled(self, webhook: Webhook, state: DeliveryState) -> Delivery:
        """Its one delivery once that is in this state."""
        return eventually(
            lambda: next((each for each in self.told(webhook) if each.state is state), None), what=f"{state} delivery"
        )

    def tried(self, webhook: Webhook, tries: int) -> Delivery:
        return eventually(
            lambda: next((each for each in self.told(webhook) if each.tries >= tries), None), what=f"try {tries}"
        )


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[Mail]:
    database = connect(f"sqlite:///{tmp_path / 'lorry.db'}")
    migrate(database)
    yield Mail(SqlWebhookStore(database), SqlOutbox(database), SqlJobStore(database), ManualClock())
    database.close()


def test_a_receiver_that_is_down_gets_the_message_when_it_is_back_under_the_id_it_always_had(
    mail: Mail, receiver: Receiver
) -> None:
    webhook, deliverer = mail.webhook(receiver.url), mail.deliverer(allowed=[receiver.name])
    receiver.answer = status(503)
    mail.submit()
    for tries in range(1, 4):
        assert deliverer.begin_due() == 1
        failed = mail.tried(webhook, tries)
        _until_idle(deliverer, mail)
        assert (failed.state, failed.error) == (DeliveryState.PENDING, "the receiver answered 503")
        mail.clock.advance(60)
    receiver.answer = status(200)
    deliverer.begin_due()
    delivered = mail.settled(webhook, DeliveryState.DELIVERED)
    assert [each.id for each in receiver.received] == [delivered.id] * 4
    assert len({each.body for each in receiver.received}) == 1
    assert len({each.headers["webhook-timestamp"] for each in receiver.received}) == 4
    assert mail.webhooks.get(webhook.id).failing_since is None


def test_a_receiver_that_stays_down_is_given_up_and_its_webhook_disabled(mail: Mail, receiver: Receiver) -> None:
    webhook, deliverer = mail.webhook(receiver.url), mail.deliverer(allowed=[receiver.name])
    receiver.answer = status(500)
    mail.submit()
    deliverer.begin_due()
    mail.tried(webhook, 1)
    _until_idle(deliverer, mail)
    mail.clock.advance(4 * DAY)
    mail.submit()
    deliverer.begin_due()
    eventually(lambda: mail.webhooks.get(webhook.id).disabled_at)
    assert {each.state for each in mail.told(webhook)} == {DeliveryState.FAILED}
    mail.submit()
    assert len(mail.told(webhook)) == 2


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "169.254.169.254", "172.17.0.1"])
def test_a_name_that_turns_into_an_address_inside_is_given_up_without_a_connection(
    mail: Mail, receiver: Receiver, address: str
) -> None:
    webhook = mail.webhook("https://hooks.example/")
    mail.submit()
    mail.deliverer(resolve=lambda *_: [address]).begin_due()
    failed = mail.settled(webhook, DeliveryState.FAILED)
    assert (failed.tries, failed.status_code) == (1, None)
    assert "not of the internet" in (failed.error or "")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0177.1", "172.17.0.1"])
def test_an_address_inside_that_came_into_the_store_all_the_same_is_given_up(mail: Mail, host: str) -> None:
    webhook = mail.webhook(f"https://{host}/")
    mail.submit()
    mail.deliverer().begin_due()
    assert mail.settled(webhook, DeliveryState.FAILED).tries == 1


def test_a_redirect_to_an_address_inside_is_given_up_without_a_look(mail: Mail, receiver: Receiver) -> None:
    with running_receiver() as inside:
        webhook = mail.webhook(receiver.url)
        receiver.answer = status(307, Location=inside.url)
        mail.submit()
        mail.deliverer(allowed=[receiver.name, inside.name]).begin_due()
        assert "redirects are not followed" in (mail.settled(webhook, DeliveryState.FAILED).error or "")
        assert inside.received == []


def test_a_receiver_that_hangs_holds_up_nobody_else(mail: Mail, receiver: Receiver) -> None:
    let_go = threading.Event()
    with running_receiver() as slow:
        slow.answer = _hanging(let_go)
        hung = mail.webhook(slow.url, user_id="slow")
        webhook = mail.webhook(receiver.url)
        deliverer = mail.deliverer(allowed=[slow.name, receiver.name])
        for _ in range(5):
            mail.submit("slow")
        deliverer.begin_due()
        eventually(lambda: slow.received, what="the request that hangs")
        for number in range(1, 4):
            mail.submit()
            deliverer.begin_due()
            eventually(lambda number=number: len(receiver.received) == number)
            _until_idle(deliverer, mail, user="user-1")
        assert len(slow.received) == 1  # one request at a time for a user, however much is due
        assert {each.state for each in mail.told(webhook)} == {DeliveryState.DELIVERED}
        let_go.set()
        mail.settled(hung, DeliveryState.DELIVERED)


def test_what_was_delivered_by_a_process_that_could_not_record_it_is_sent_again_under_its_id(
    mail: Mail, receiver: Receiver
) -> None:
    class Deposing(SqlOutbox):
        def record(self, *_: Any) -> None:
            raise Deposed("Another process leads.")

    webhook = mail.webhook(receiver.url)
    mail.submit()
    mail.deliverer(outbox=Deposing(mail.outbox._database), allowed=[receiver.name]).begin_due()
    eventually(lambda: len(receiver.received) == 1)
    mail.deliverer(allowed=[receiver.name]).begin_due()
    delivered = mail.settled(webhook, DeliveryState.DELIVERED)
    assert [each.id for each in receiver.received] == [delivered.id] * 2


def test_the_keeper_delivers_while_its_process_leads_and_only_then(mail: Mail, receiver: Receiver) -> None:
    webhook, deliverer = mail.webhook(receiver.url), mail.deliverer(allowed=[receiver.name])
    stop, leads = threading.Event(), threading.Event()
    looked = threading.Semaphore(0)

    def is_leading() -> bool:
        looked.release()
        return leads.is_set()

    keeper = threading.Thread(target=deliverer.run_until, args=(stop, is_leading), daemon=True)
    mail.submit()
    keeper.start()
    assert looked.acquire(timeout=10)
    assert receiver.received == []
    leads.set()
    mail.settled(webhook, DeliveryState.DELIVERED)
    stop.set()
    keeper.join(10)
    assert not keeper.is_alive()


def test_the_snippet_of_the_documentation_takes_what_is_sent_and_nothing_else(mail: Mail, receiver: Receiver) -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(snippet, names)  # noqa: S102 - what readers copy is what is tested
    verified: Callable[[str, dict[str, str], bytes], str] = names["verified"]
    names["time"] = _At(mail.clock)
    webhook = mail.webhook(receiver.url)
    job = mail.submit()
    mail.deliverer(allowed=[receiver.name]).begin_due()
    delivery = mail.settled(webhook, DeliveryState.DELIVERED)
    (received,) = receiver.received

    assert verified(webhook.secret, received.headers, received.body) == delivery.id
    message = json.loads(received.body)
    assert (message["type"], message["data"]["job_id"]) == ("job.queued", job.id)
    other_id = received.headers | {"webhook-id": "another"}
    other_time = received.headers | {"webhook-timestamp": str(int(received.headers["webhook-timestamp"]) + 1)}
    for headers, body in (
        (received.headers, received.body + b" "),
        (other_id, received.body),
        (other_time, received.body),
    ):
        with pytest.raises(ValueError, match="not signed"):
            verified(webhook.secret, headers, body)
    mail.clock.advance(301)
    with pytest.raises(ValueError, match="too old"):
        verified(webhook.secret, received.headers, received.body)


class _At:
    """The module `time` as the snippet uses it, at the test's clock."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    def time(self) -> float:
        return self._clock.now().timestamp()


def _hanging(let_go: threading.Event) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        let_go.wait(30)
        status(204)(handler)

    return answer


def _until_idle(deliverer: Deliveries, mail: Mail, user: str = "user-1") -> None:
    """Until nobody is sending for this user any more."""
    eventually(lambda: user not in deliverer._busy_users, what="the end of the try")
