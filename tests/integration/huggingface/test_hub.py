"""The real huggingface_hub client against a hub of our own: what comes, what goes on, and what is refused."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from orchestrator.adapters.huggingface import HuggingFaceHub
from orchestrator.adapters.huggingface.errors import translated
from orchestrator.domain.errors import HubRefused, HubUnavailable
from orchestrator.domain.model import INDEX, ModelSource
from tests.contract.model_hub import ModelHubContract
from tests.factories import make_model
from tests.integration.huggingface.hub_server import COMMIT, MODEL, PARTS, TOKEN, WANTED, WEIGHTS, WEIGHTS_BYTES

ENTRY = make_model(id=MODEL, source=ModelSource.HUGGINGFACE, revision="main", parts=PARTS)
MIB = 1024**2


class TestHuggingFaceHub(ModelHubContract):
    @pytest.fixture
    def hub(self, connect):
        return connect()

    @pytest.fixture
    def entry(self):
        return ENTRY


class _Stop(Exception):
    """As when the process is told to end."""


@pytest.fixture
def fetch(tmp_path):
    """`fetch(hub)`: every file of the model, into tmp_path; or only the one of that path."""

    def fetch_all(hub, path=None, note=lambda _: None):
        snapshot = hub.look_up(ENTRY, revision="main")
        for file in snapshot.files:
            if path in (None, file.path):
                hub.fetch(ENTRY, file, revision=snapshot.revision, folder=str(tmp_path), note=note)

    return fetch_all


def _found(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_exactly_the_safe_files_of_its_parts_arrive(hub, fetch, tmp_path):
    fetch(hub)

    assert _found(tmp_path) == WANTED
    assert not list(tmp_path.parent.glob("escaped*"))


def test_all_folders_arrive_where_the_catalogue_names_no_parts(hub):
    whole = make_model(id=MODEL, source=ModelSource.HUGGINGFACE, revision=COMMIT)

    assert "safety_checker/model.safetensors" in {file.path for file in hub.look_up(whole, revision=COMMIT).files}


def test_a_connection_that_is_cut_goes_on_where_it_ended(hub, fetch, server, tmp_path):
    server.cut_after[WEIGHTS] = [MIB + 5]
    fetch(hub, WEIGHTS)

    assert _found(tmp_path) == {WEIGHTS: WANTED[WEIGHTS]}
    assert server.ranges == [f"bytes={MIB}-"]


def test_bytes_that_stop_coming_are_asked_for_again(hub, fetch, server, tmp_path):
    server.stall_after[WEIGHTS] = [2 * MIB]
    fetch(hub, WEIGHTS)

    assert _found(tmp_path) == {WEIGHTS: WANTED[WEIGHTS]}
    assert server.ranges == [f"bytes={2 * MIB}-"]


def test_another_process_goes_on_where_one_was_ended(connect, fetch, server, tmp_path):
    def stop_at_two_mib(present):
        if present >= 2 * MIB:
            raise _Stop

    with pytest.raises(_Stop):
        fetch(connect(), WEIGHTS, stop_at_two_mib)
    assert not (tmp_path / WEIGHTS).exists()
    fetch(connect(), WEIGHTS)

    assert _found(tmp_path) == {WEIGHTS: WANTED[WEIGHTS]}
    assert server.ranges == [f"bytes={MIB}-"]


def test_a_mirror_that_knows_no_ranges_sends_the_file_anew(hub, fetch, server, tmp_path):
    server.knows_ranges = False
    server.cut_after[WEIGHTS] = [MIB + 5]
    fetch(hub, WEIGHTS)

    assert _found(tmp_path) == {WEIGHTS: WANTED[WEIGHTS]}


def test_progress_counts_bytes_of_the_file_and_never_beyond_it(hub, fetch):
    told = []
    fetch(hub, WEIGHTS, told.append)

    assert told == [MIB, 2 * MIB, 3 * MIB, WEIGHTS_BYTES, WEIGHTS_BYTES]


def test_what_is_there_is_not_asked_for_again(hub, fetch, server):
    fetch(hub)
    fetch(hub)

    assert set(server.asked) == set(WANTED)
    assert set(server.asked.values()) == {1}


@pytest.mark.parametrize("path", [WEIGHTS, INDEX])
def test_another_content_than_promised_is_refused_and_not_kept(hub, fetch, server, tmp_path, path):
    server.damaged[path] = 1
    with pytest.raises(HubRefused, match=f"{path} of {MODEL} with another content"):
        fetch(hub, path)

    assert _found(tmp_path) == {}
    fetch(hub, path)
    assert _found(tmp_path) == {path: WANTED[path]}


def test_a_beginning_that_an_earlier_try_left_damaged_is_not_held_against_the_hub(hub, fetch, tmp_path):
    partial = tmp_path / f"{WEIGHTS}.partial"
    partial.parent.mkdir()
    partial.write_bytes(b"torn by a crash")
    fetch(hub, WEIGHTS)

    assert _found(tmp_path) == {WEIGHTS: WANTED[WEIGHTS]}


def test_more_than_the_file_has_is_thrown_away(hub, fetch, tmp_path):
    (tmp_path / f"{INDEX}.partial").write_bytes(b"x" * 1000)
    fetch(hub, INDEX)

    assert _found(tmp_path) == {INDEX: WANTED[INDEX]}


def test_a_gated_model_says_which_terms_and_which_token(hub, fetch, server):
    server.is_gated = True
    with pytest.raises(HubRefused, match=rf"{MODEL} is gated: its terms .* {server.url}/{MODEL}\..*LORRY_HUB_TOKEN"):
        fetch(hub)


def test_a_token_that_may_not_see_it_is_named_not_shown(connect, fetch, server):
    server.is_gated = True
    with pytest.raises(HubRefused, match="account of LORRY_HUB_TOKEN may not") as refusal:
        fetch(connect("hf_of-somebody-else"))

    assert "hf_of-somebody-else" not in str(refusal.value)


def test_a_gated_model_comes_with_the_right_token(connect, fetch, server, tmp_path):
    server.is_gated = True
    fetch(connect(TOKEN))

    assert _found(tmp_path) == WANTED
    assert server.tokens == {TOKEN}


def test_a_token_of_this_machines_own_is_not_sent(hub, fetch, server, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_of-this-machine")
    fetch(hub)

    assert server.tokens == {None}


def test_a_revision_that_the_hub_does_not_have_is_refused(hub):
    with pytest.raises(HubRefused, match="no such revision"):
        hub.look_up(ENTRY, revision="f" * 40)


def test_a_repository_without_an_index_is_no_model(hub, server):
    del server.files[INDEX]
    with pytest.raises(HubRefused, match=f"no {INDEX}"):
        hub.look_up(ENTRY, revision="main")


def test_a_file_that_is_listed_and_not_there_is_refused(hub, server, tmp_path):
    snapshot = hub.look_up(ENTRY, revision="main")
    del server.files[WEIGHTS]
    weights = next(file for file in snapshot.files if file.path == WEIGHTS)
    with pytest.raises(HubRefused, match="lists a file"):
        hub.fetch(ENTRY, weights, revision=COMMIT, folder=str(tmp_path), note=lambda _: None)


def test_a_hub_in_trouble_may_answer_later(hub, server):
    server.is_away = True
    with pytest.raises(HubUnavailable, match="503"):
        hub.look_up(ENTRY, revision="main")


def test_a_hub_that_nobody_answers_at_may_answer_later(server, connect):
    hub = connect()
    server.stop()
    with pytest.raises(HubUnavailable, match="did not answer"):
        hub.look_up(ENTRY, revision="main")


def test_something_else_at_that_address_is_not_taken_for_a_hub(server):
    elsewhere = HuggingFaceHub(endpoint=f"{server.url}/no/hub", token=None, stall_seconds=1)
    with pytest.raises(HubRefused, match="404"):
        elsewhere.look_up(ENTRY, revision="main")


def test_a_full_disk_is_said_to_be_one():
    with pytest.raises(HubRefused, match=f"disk was full before {MODEL}"), translated(MODEL, "hub", has_token=False):
        raise OSError(errno.ENOSPC, "No space left on device")
