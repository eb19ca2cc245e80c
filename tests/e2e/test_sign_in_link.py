"""The link that `lorry serve` prints for whoever started it on a terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.e2e.conftest import MakeInstallation
from tests.e2e.installation import DEADLINE_SECONDS, LORRY, UNHURRIED, Installation

pytestmark = pytest.mark.docker

_LINK = re.compile(r"web app: (http\S+/signin\?code=\S+)  \(works once\)")


def test_on_a_terminal_it_signs_an_administrator_in_once(install: MakeInstallation) -> None:
    installation = install()
    ours, theirs = pty.openpty()
    with subprocess.Popen([*LORRY, "serve"], env=installation.environment, stdout=theirs, stderr=theirs) as server:
        os.close(theirs)
        try:
            link = _printed_link(ours)
            url = f"{urlsplit(link).scheme}://{urlsplit(link).netloc}"
            answers = [_exchange(url, parse_qs(urlsplit(link).query)["code"][0]) for _ in range(2)]
            assert [answer.status_code for answer in answers] == [200, 401]
            token = answers[0].json()["data"]["token"]
            me = httpx2.get(f"{url}/api/auth/me", headers={"Authorization": f"Bearer {token}"}, trust_env=False)
            assert me.json()["data"]["is_admin"] is True
        finally:
            server.terminate()
            _drain(ours)
            server.wait(DEADLINE_SECONDS)


def test_where_output_is_kept_no_link_is_printed(lorry_server: Installation) -> None:
    assert "code=" not in lorry_server.processes[0].output.read_text()


def _printed_link(terminal: int) -> str:
    printed = ""
    while (match := _LINK.search(printed)) is None:
        printed += os.read(terminal, 4096).decode()  # fails when the server ends without
    return match[1]


def _drain(terminal: int) -> None:
    """A server that still writes its last lines is not kept from ending by a full terminal."""
    with open(terminal, "rb", buffering=0) as file:
        try:
            while file.read(4096):
                pass
        except OSError:  # how Linux says that nobody writes to it any more
            return


def _exchange(url: str, code: str) -> httpx2.Response:
    return httpx2.post(f"{url}/api/auth/sign-in", json={"code": code}, timeout=UNHURRIED, trust_env=False)
