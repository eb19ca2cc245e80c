"""Through the real app: a limit that silently limits nothing is the failure to find."""

from __future__ import annotations

from tests.unit.api.installation import BOB, Install

SUBMIT, JOBS = "/api/training/submit", "/api/training/jobs"


def test_the_eleventh_submission_in_a_minute_is_refused(install: Install) -> None:
    lorry = install(submit_rate="10/minute")
    body = lorry.body()
    for taken in range(10):
        answer = lorry.client.post(SUBMIT, json=body, headers=lorry.as_user())
        assert answer.status_code == 200
        assert answer.headers["X-RateLimit-Limit"] == "10"
        assert answer.headers["X-RateLimit-Remaining"] == str(9 - taken)
        assert "Retry-After" not in answer.headers
    answer = lorry.client.post(SUBMIT, json=body, headers=lorry.as_user())
    assert (answer.status_code, answer.json()["error"]) == (429, "RATE_LIMITED")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert answer.headers["X-RateLimit-Reset"].isdigit()


def test_all_paths_of_submission_share_one_allowance(install: Install) -> None:
    lorry = install(submit_rate="4/minute")
    body = lorry.body()
    for path in (SUBMIT, JOBS, SUBMIT.replace("/api", "/api/v1"), JOBS.replace("/api", "/api/v1")):
        assert lorry.client.post(path, json=body, headers=lorry.as_user()).is_success
    for path in (SUBMIT, JOBS, SUBMIT.replace("/api", "/api/v1"), JOBS.replace("/api", "/api/v1")):
        assert lorry.client.post(path, json=body, headers=lorry.as_user()).status_code == 429


def test_users_do_not_share_an_allowance(install: Install) -> None:
    lorry = install(submit_rate="1/minute")
    lorry.submit()
    lorry.submit(BOB)
    assert lorry.client.post(SUBMIT, json=lorry.body(), headers=lorry.as_user()).status_code == 429


def test_a_submission_that_is_not_valid_takes_nothing_from_the_allowance(install: Install) -> None:
    lorry = install(submit_rate="1/minute")
    for _ in range(3):
        answer = lorry.client.post(SUBMIT, json={}, headers=lorry.as_user())
        assert answer.status_code == 400
    lorry.submit()


def test_the_allowance_of_requests_is_one_over_all_paths(install: Install) -> None:
    lorry = install(request_rate="4/minute")
    ids = ("5f0c7a9e-3c52-4f0e-9a43-6f3f6e3c9b11", "5f0c7a9e-3c52-4f0e-9a43-6f3f6e3c9b12")
    for path in (JOBS, "/api/v1/datasets", *(f"{JOBS}/{job_id}" for job_id in ids)):
        assert lorry.client.get(path, headers=lorry.as_user()).status_code in (200, 404)
    for path in (JOBS, "/api/v1/datasets", "/api/catalog/models"):
        assert lorry.client.get(path, headers=lorry.as_user()).status_code == 429
    assert lorry.client.get("/api/health").status_code == 200


def test_two_users_of_one_address_are_counted_apart(install: Install) -> None:
    lorry = install(request_rate="1/minute")
    assert lorry.client.get(JOBS, headers=lorry.as_user()).status_code == 200
    forged = lorry.as_user() | {"X-Forwarded-For": "10.0.0.1"}
    assert lorry.client.get(JOBS, headers=forged).status_code == 429
    assert lorry.client.get(JOBS, headers=lorry.as_user(BOB)).status_code == 200


def test_an_address_that_guesses_tokens_is_slowed_and_its_neighbours_are_not(install: Install) -> None:
    lorry = install(failed_authentication_rate="3/minute")
    guess = {"Authorization": "Bearer lorry_guess"}
    assert [lorry.client.get(JOBS, headers=guess).status_code for _ in range(5)] == [401, 401, 401, 429, 429]
    assert lorry.client.get(JOBS, headers=lorry.as_user()).status_code == 200
