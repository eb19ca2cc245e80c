"""The files of the web app, and the policy that they are served under."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.unit.api.installation import Install

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def client(install: Install, tmp_path: Path) -> TestClient:
    web = tmp_path / "web"
    (web / "assets").mkdir(parents=True)
    (web / "index.html").write_text("<!doctype html><title>Lorry</title>")
    (web / "assets" / "app-1a2b3c.js").write_text("export {};\n" * 200)
    return install(web_directory=web).client


@pytest.mark.parametrize("path", ["/", "/jobs", "/jobs/5f0c7a9e-3c52-4f0e-9a43-6f3f6e3c9b11", "/signin?code=once_x"])
def test_every_page_is_the_app(client: TestClient, path: str) -> None:
    answer = client.get(path, headers=BROWSER)
    assert answer.status_code == 200
    assert "<title>Lorry</title>" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_page_may_load_nothing_from_elsewhere_and_run_nothing_written_into_it(client: TestClient) -> None:
    policy = client.get("/", headers=BROWSER).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_a_page_may_ask_the_project_where_people_sign_in(install: Install, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    client = install(web_directory=tmp_path, supabase_url="https://p.supabase.co/").client
    policy = client.get("/", headers=BROWSER).headers["Content-Security-Policy"]
    assert "connect-src 'self' https://p.supabase.co;" in policy


def test_an_asset_is_kept_for_ever_and_sent_small(client: TestClient) -> None:
    answer = client.get("/assets/app-1a2b3c.js", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.text == "export {};\n" * 200


def test_an_asset_that_is_gone_is_not_the_app(client: TestClient) -> None:
    answer = client.get("/assets/app-older.js", headers={"Accept": "*/*"})
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/api/nothing", "/api/v1/nothing", "/docs/nothing"])
def test_what_is_not_there_stays_an_error_for_browsers_too(client: TestClient, path: str) -> None:
    answer = client.get(path, headers=BROWSER)
    assert (answer.status_code, answer.json()["error"]) == (404, "NOT_FOUND")


def test_the_api_and_its_pages_are_not_hidden_by_the_app(client: TestClient) -> None:
    assert client.get("/api/health", headers=BROWSER).json()["ok"] is True
    assert client.get("/api/training/submit", headers=BROWSER).status_code == 405
    assert "swagger" in client.get("/docs", headers=BROWSER).text.lower()


@pytest.mark.parametrize("path", ["/../pyproject.toml", "/%2e%2e/lorry.db", "/assets/../../lorry.db", "/assets/%00"])
def test_no_file_outside_the_app_is_served(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"Accept": "*/*"})
    assert answer.status_code == 404


def test_an_installation_without_the_app_answers_as_before(install: Install) -> None:
    assert install().client.get("/", headers=BROWSER).status_code == 404
