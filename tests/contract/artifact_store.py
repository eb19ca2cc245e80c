"""What every ArtifactStore does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.domain.artifact import DIAGNOSTIC_SUFFIXES, AdapterClaim, ModelClaim
from orchestrator.domain.errors import NotFound, Rejected
from orchestrator.ports.artifact_store import ArtifactStore
from tests.factories import adapter_bytes, adapter_tensors, safetensors_bytes, sha256_of

JOB = "7f9c1d7e-0000-4000-8000-000000000002"

Leave = Callable[[str, bytes], None]


def claim_of(path: str, data: bytes, file_format: str = "kohya") -> AdapterClaim:
    return AdapterClaim(path, file_format, sha256_of(data))


class ArtifactStoreContract:
    @pytest.fixture
    def store(self) -> ArtifactStore:
        raise NotImplementedError

    @pytest.fixture
    def leave(self) -> Leave:
        """`leave(path, data)`: the container of JOB leaves a file in its outputs."""
        raise NotImplementedError

    @pytest.fixture
    def leave_odd(self) -> Callable[[str], None]:
        """`leave_odd(path)`: the container leaves something that is no regular file."""
        raise NotImplementedError

    def test_files_are_collected_with_size_and_hash_in_order(self, store, leave):
        leave("samples/1.png", b"picture")
        leave("adapter.safetensors", b"weights")

        collected = store.collect(JOB)

        assert [(file.path, file.size_bytes, file.sha256) for file in collected] == [
            ("adapter.safetensors", 7, sha256_of(b"weights")),
            ("samples/1.png", 7, sha256_of(b"picture")),
        ]

    def test_a_job_without_outputs_leaves_nothing(self, store):
        assert list(store.collect(JOB)) == []

    def test_what_is_spared_stays_as_it_is_and_is_not_collected(self, store, leave):
        path = "checkpoints/step-000500/adapter.safetensors"
        leave(path, b"registered")
        store.collect(JOB)
        leave(path, b"of a later attempt")
        leave("b.txt", b"more")

        assert [file.path for file in store.collect(JOB, spared={path})] == ["b.txt"]
        with store.open(JOB, path) as file:
            assert file.read() == b"registered"

    def test_files_of_unknown_kinds_are_left_out(self, store, leave):
        for path in ("state.pt", "page.html", "picture.svg", "run.sh", "no-suffix"):
            leave(path, b"x")

        assert list(store.collect(JOB)) == []

    def test_what_is_no_regular_file_is_left_out(self, store, leave, leave_odd):
        leave("good.txt", b"x")
        leave_odd("odd.txt")

        assert [file.path for file in store.collect(JOB)] == ["good.txt"]

    def test_collecting_again_takes_what_is_new_and_changed(self, store, leave):
        leave("a.txt", b"old")
        store.collect(JOB)
        leave("a.txt", b"new!")
        leave("b.txt", b"more")

        assert [(file.path, file.size_bytes) for file in store.collect(JOB)] == [("a.txt", 4), ("b.txt", 4)]
        with store.open(JOB, "a.txt") as file:
            assert file.read() == b"new!"

    def test_one_file_is_taken_while_the_others_are_still_written(self, store, leave):
        leave("samples/1.png", b"picture")
        leave("adapter.safetensors", b"half")

        for _ in range(2):
            taken = store.take(JOB, "samples/1.png", limit_bytes=7)
            assert (taken.path, taken.size_bytes, taken.sha256) == ("samples/1.png", 7, sha256_of(b"picture"))
        assert store.open(JOB, "samples/1.png").read() == b"picture"
        with pytest.raises(NotFound):
            store.locate(JOB, "adapter.safetensors")

    @pytest.mark.parametrize(
        "path",
        [
            "large.png",
            "odd.png",
            "page.html",
            "missing.png",
            "no/such/folder.png",
            "a.png/b.png",
            "../a.png",
            "/a.png",
            "",
        ],
    )
    def test_nothing_else_is_taken(self, store, leave, leave_odd, path):
        leave("a.png", b"x")
        leave("large.png", b"12345678")
        leave("page.html", b"x")
        leave_odd("odd.png")

        assert store.take(JOB, path, limit_bytes=7) is None
        with pytest.raises(NotFound):
            store.locate(JOB, path)

    def test_the_files_of_one_folder_are_taken_together(self, store, leave, leave_odd):
        leave("checkpoints/step-000100/state.safetensors", b"weights")
        leave("checkpoints/step-000100/manifest.json", b"{}")
        leave("checkpoints/step-000100/below/more.json", b"{}")
        leave("checkpoints/step-000200/state.safetensors", b"half")
        leave_odd("checkpoints/step-000100/odd.json")

        taken = store.take_folder(JOB, "checkpoints/step-000100", limit_bytes=9)
        assert [(file.path, file.size_bytes) for file in taken] == [
            ("checkpoints/step-000100/manifest.json", 2),
            ("checkpoints/step-000100/state.safetensors", 7),
        ]
        assert store.open(JOB, taken[1].path).read() == b"weights"
        with pytest.raises(NotFound):
            store.locate(JOB, "checkpoints/step-000200/state.safetensors")

    @pytest.mark.parametrize(
        "path", ["checkpoints/large", "checkpoints/missing", "../checkpoints", "/checkpoints", "", "a.json"]
    )
    def test_of_a_folder_that_is_too_large_or_none_nothing_is_taken(self, store, leave, path):
        leave("checkpoints/large/1.json", b"1234")
        leave("checkpoints/large/2.json", b"5678")
        leave("a.json", b"x")

        assert list(store.take_folder(JOB, path, limit_bytes=7)) == []

    def test_nothing_is_taken_of_a_job_without_outputs(self, store):
        assert store.take(JOB, "a.png", limit_bytes=7) is None

    def test_a_collected_file_is_opened_and_located(self, store, leave):
        leave("samples/1.png", b"picture")
        store.collect(JOB)

        with store.open(JOB, "samples/1.png") as file:
            assert file.read() == b"picture"
        located = Path(store.locate(JOB, "samples/1.png"))
        assert located.is_absolute()
        assert located.read_bytes() == b"picture"

    @pytest.mark.parametrize(
        "path", ["missing.txt", "../other/a.txt", "/etc/passwd", "a.txt/../a.txt", "", ".", "a.txt\0", "//a.txt"]
    )
    def test_no_other_path_is_opened_or_located(self, store, leave, path):
        leave("a.txt", b"x")
        store.collect(JOB)

        with pytest.raises(NotFound):
            store.open(JOB, path)
        with pytest.raises(NotFound):
            store.locate(JOB, path)

    @pytest.mark.parametrize("file_format", ["kohya", "diffusers"])
    def test_a_good_adapter_is_verified(self, store, leave, file_format):
        data = adapter_bytes(file_format)
        leave("adapter.safetensors", data)
        store.collect(JOB)

        store.verify_adapter(JOB, claim_of("adapter.safetensors", data, file_format))

    @pytest.mark.parametrize(
        ("file_format", "network"), [("kohya", "te"), ("kohya", "te2"), ("diffusers", "text_encoder_2.text_model")]
    )
    def test_layers_of_text_encoders_are_found_where_they_were_asked_for(self, store, leave, file_format, network):
        tensors = adapter_tensors(file_format) | adapter_tensors(file_format, network=network)
        data = safetensors_bytes(tensors)
        leave("adapter.safetensors", data)
        store.collect(JOB)

        store.verify_adapter(JOB, claim_of("adapter.safetensors", data, file_format), adapts_text=True)
        store.verify_adapter(JOB, claim_of("adapter.safetensors", data, file_format))

    @pytest.mark.parametrize("file_format", ["kohya", "diffusers"])
    def test_an_adapter_without_the_layers_of_text_encoders_that_were_asked_for_is_rejected(
        self, store, leave, file_format
    ):
        data = adapter_bytes(file_format)
        leave("adapter.safetensors", data)
        store.collect(JOB)

        with pytest.raises(Rejected, match="asked for layers of the text encoders"):
            store.verify_adapter(JOB, claim_of("adapter.safetensors", data, file_format), adapts_text=True)

    def test_an_adapter_with_another_hash_is_rejected(self, store, leave):
        leave("adapter.safetensors", adapter_bytes())
        store.collect(JOB)

        with pytest.raises(Rejected, match="sha256 differs"):
            store.verify_adapter(JOB, claim_of("adapter.safetensors", b"something else"))

    @pytest.mark.parametrize("path", ["adapter.safetensors", "../../etc/passwd"])
    def test_an_adapter_that_was_not_collected_is_rejected(self, store, path):
        store.collect(JOB)

        with pytest.raises(Rejected, match="did not leave"):
            store.verify_adapter(JOB, claim_of(path, b""))

    def test_an_adapter_of_an_unknown_format_is_rejected(self, store, leave):
        data = adapter_bytes()
        leave("adapter.safetensors", data)
        store.collect(JOB)

        with pytest.raises(Rejected, match="format"):
            store.verify_adapter(JOB, claim_of("adapter.safetensors", data, "pickle"))

    def test_a_diagnostic_jobs_model_is_collected_where_it_is_asked_for_and_verified_by_its_hash(self, store, leave):
        leave("model.pt", b"pickled")

        assert [file.path for file in store.collect(JOB, DIAGNOSTIC_SUFFIXES)] == ["model.pt"]
        store.verify_model(JOB, ModelClaim("model.pt", sha256_of(b"pickled")))
        with pytest.raises(Rejected, match="sha256 differs"):
            store.verify_model(JOB, ModelClaim("model.pt", sha256_of(b"another")))
        with pytest.raises(Rejected, match="did not leave"):
            store.verify_model(JOB, ModelClaim("other.pt", sha256_of(b"pickled")))

    def test_removing_forgets_the_files_and_may_be_repeated(self, store, leave):
        leave("a.txt", b"x")
        store.collect(JOB)

        store.remove(JOB)
        store.remove(JOB)

        with pytest.raises(NotFound):
            store.locate(JOB, "a.txt")

    def test_one_file_is_discarded_and_the_others_stay(self, store, leave):
        leave("a.txt", b"x")
        leave("b.txt", b"y")
        store.collect(JOB)

        for path in ("a.txt", "a.txt", "../b.txt", "never.txt"):
            store.discard(JOB, path)

        with pytest.raises(NotFound):
            store.locate(JOB, "a.txt")
        assert store.open(JOB, "b.txt").read() == b"y"
