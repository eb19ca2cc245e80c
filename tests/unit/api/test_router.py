"""Where a route's function is called: on the loop, if it can be answered at once, or in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.router import Router, reads_few
from orchestrator.at_once import NotAtOnce, must_be_at_once, needs_time
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.services.identity import LorryTokens
from tests.unit.api.installation import Installation


@pytest.fixture
def router() -> Router:
    return Router()


@pytest.fixture
def client(router: Router) -> Iterator[TestClient]:
    app = FastAPI()

    @router.get("/loop")
    async def loop() -> int:
        return threading.get_ident()

    app.include_router(router)
    with TestClient(app) as client:
        yield client


def test_a_plain_function_is_called_in_a_thread_and_may_take_its_time(router: Router, client: TestClient) -> None:
    @router.get("/plain")
    def plain() -> dict[str, int | bool]:
        return {"thread": threading.get_ident(), "at_once": must_be_at_once()}

    answer = client.get("/plain").json()
    assert answer["thread"] != client.get("/loop").json()
    assert not answer["at_once"]


def test_one_that_reads_few_rows_is_called_on_the_loop_where_it_has_no_time(router: Router, client: TestClient) -> None:
    @router.get("/few/{number}")
    @reads_few
    def few(number: int) -> dict[str, int | bool]:
        return {"thread": threading.get_ident(), "at_once": must_be_at_once(), "number": number}

    assert client.get("/few/7").json() == {"thread": client.get("/loop").json(), "at_once": True, "number": 7}
    assert client.get("/few/none").status_code == 422, "its parameters are checked as any other's"


@pytest.mark.parametrize("why", [StoreUnavailable("busy"), NotAtOnce()])
def test_what_is_not_answered_at_once_is_called_again_in_a_thread(
    router: Router, client: TestClient, why: Exception
) -> None:
    threads = []

    @router.get("/few")
    @reads_few
    def few() -> str:
        threads.append(threading.get_ident())
        if must_be_at_once():
            raise why
        return "answered"

    assert client.get("/few").json() == "answered"
    loop = client.get("/loop").json()
    assert [thread == loop for thread in threads] == [True, False]


def test_an_error_that_is_no_want_of_time_is_the_answer(router: Router, client: TestClient) -> None:
    asked = []

    @router.get("/few")
    @reads_few
    def few() -> str:
        asked.append(must_be_at_once())
        raise LookupError

    with pytest.raises(LookupError):
        client.get("/few")
    assert asked == [True]


def test_what_needs_time_has_it_outside_of_what_must_be_at_once() -> None:
    needs_time()


@pytest.mark.parametrize("path", ["jobs", "jobs/{id}", "jobs/{id}/metrics", "jobs/{id}/events", "active"])
def test_what_is_polled_is_answered_although_its_store_needs_time(
    lorry: Installation, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    job_id = lorry.submit()  # it waits, and its place is not known at once
    hurried = []
    verify = LorryTokens.verify

    def slow(tokens: LorryTokens, token: str) -> object:
        hurried.append(must_be_at_once())
        needs_time()
        return verify(tokens, token)

    monkeypatch.setattr(LorryTokens, "verify", slow)
    answer = lorry.client.get(f"/api/training/{path.format(id=job_id)}", headers=lorry.as_user())
    assert answer.status_code == 200, answer.text
    assert hurried == [True, False]
