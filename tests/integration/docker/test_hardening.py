"""Every line of the container template, as the engine understood it and as the inside of a container sees it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from orchestrator.adapters.filesystem.ownership import Owner
from orchestrator.adapters.filesystem.workspace import FilesystemWorkspace
from orchestrator.domain.container import (
    CONFIG_PATH,
    DATASET_PATH,
    LABEL_ATTEMPT,
    LABEL_INSTANCE,
    LABEL_JOB,
    LABEL_SPEC,
    MODELS_PATH,
    OUTPUT_PATH,
    TRAIN_COMMAND,
    ContainerState,
    Mount,
)
from orchestrator.domain.job_config import build_job_config
from tests.factories import MIB, make_job, make_limits, make_model, picture_bytes
from tests.waiting import eventually

pytestmark = pytest.mark.docker

TMP = "/tmp"  # noqa: S108 - the container's own
USER = "10001:10001" if os.geteuid() == 0 else f"{os.geteuid()}:{os.getegid()}"


@pytest.fixture
def job_mounts(data_dir):
    """`job_mounts(*trigger_words)`: a job's four mounts and its outputs folder, as a launch makes them."""

    def make(*trigger_words):
        job = make_job(trigger_words=tuple(trigger_words))
        workspace = FilesystemWorkspace(data_dir, owner=Owner.parse(USER))
        paths = workspace.prepare(job.id, build_job_config(job, make_model(), lineage={}))
        for folder in ("dataset", "models"):
            (data_dir / folder).mkdir(mode=0o755)
        (data_dir / "dataset" / "00001.png").write_bytes(picture_bytes())
        mounts = (
            Mount(paths.config, CONFIG_PATH),
            Mount(str(data_dir / "dataset"), DATASET_PATH),
            Mount(str(data_dir / "models"), MODELS_PATH),
            Mount(paths.outputs, OUTPUT_PATH, is_read_only=False),
        )
        return mounts, Path(paths.outputs)

    return make


def test_the_engine_applies_every_line_of_the_template(engine, runtime, make_spec, job_mounts):
    mounts, _ = job_mounts()
    spec = make_spec(user=USER, mounts=mounts, limits=make_limits(open_files=1024))
    container = runtime.create(spec)
    runtime.start(container.id)

    details = engine.inspect(container.id)
    config, host = details["Config"], details["HostConfig"]

    assert (config["User"], config["WorkingDir"], config["StopSignal"]) == (USER, "/workspace", "SIGTERM")
    assert (host["CapDrop"], host["CapAdd"], host["SecurityOpt"]) == (["ALL"], None, ["no-new-privileges:true"])
    assert (host["Privileged"], host["ReadonlyRootfs"], host["Init"]) == (False, True, True)
    assert (host["NetworkMode"], host["IpcMode"], host["PidMode"]) == ("none", "private", "")
    assert (host["RestartPolicy"]["Name"], host["AutoRemove"]) == ("no", False)
    assert host["Tmpfs"] == {TMP: f"rw,noexec,nosuid,nodev,size={64 * MIB},mode=1777"}
    assert (host["Memory"], host["MemorySwap"], host["ShmSize"]) == (512 * MIB, 512 * MIB, 64 * MIB)
    assert (host["PidsLimit"], host["NanoCpus"], host["OomScoreAdj"]) == (64, 1_000_000_000, 500)
    assert {limit["Name"]: limit["Hard"] for limit in host["Ulimits"]} == {"core": 0, "nofile": 1024}
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": str(MIB), "max-file": "2"}}
    assert not any(host[key] for key in ("DeviceRequests", "Devices", "Binds", "VolumesFrom", "PortBindings"))
    assert {mount["Destination"]: mount["RW"] for mount in details["Mounts"]} == {
        CONFIG_PATH: False,
        DATASET_PATH: False,
        MODELS_PATH: False,
        OUTPUT_PATH: True,
    }
    labels = config["Labels"]
    assert (labels[LABEL_INSTANCE], labels[LABEL_SPEC]) == (engine.instance, spec.digest)
    assert (labels[LABEL_JOB], labels[LABEL_ATTEMPT]) == (container.job_id, "1")


def test_a_container_without_a_gpu_lease_is_told_that_it_has_none(engine, runtime, make_spec):
    environment = engine.inspect(runtime.create(make_spec()).id)["Config"]["Env"]

    assert {"NVIDIA_VISIBLE_DEVICES=void", "HF_HUB_OFFLINE=1", "HOME=/tmp"} <= set(environment)


@pytest.mark.parametrize(
    ("devices", "request_"),
    [
        (("GPU-aaaa", "GPU-bbbb"), {"Count": 0, "DeviceIDs": ["GPU-aaaa", "GPU-bbbb"]}),
        (("all",), {"Count": -1, "DeviceIDs": None}),
    ],
)
def test_gpus_are_requested_by_uuid_or_all_of_them(engine, runtime, make_spec, devices, request_):
    (wanted,) = engine.inspect(runtime.create(make_spec(devices=devices)).id)["HostConfig"]["DeviceRequests"]

    assert {key: wanted[key] or request_[key] for key in request_} == request_
    assert wanted["Capabilities"] == [["gpu"]]


def test_inside_there_is_no_power_no_network_and_one_writable_place(runtime, make_spec, job_mounts):
    mounts, outputs = job_mounts("fake:probe=1")
    container = runtime.create(make_spec(user=USER, mounts=mounts, command=TRAIN_COMMAND))
    runtime.start(container.id)
    eventually(lambda: runtime.inspect(container.id).state is ContainerState.EXITED, what="the trainer's exit")

    assert runtime.inspect(container.id).exit_code == 0
    seen = json.loads((outputs / "probe.json").read_text())
    uid, gid = map(int, USER.split(":"))
    assert (seen["uid"], seen["gid"], seen["groups"]) == (uid, gid, [gid])
    assert int(seen["CapEff"], 16) == int(seen["CapBnd"], 16) == 0
    assert (seen["NoNewPrivs"], seen["Seccomp"]) == ("1", "2")
    assert seen["writable"] == [TMP, "/workspace/outputs"]
    assert seen["network_interfaces"] == ["lo"]
    assert seen["working_directory"] == "/workspace"
    assert not [name for name in seen["environment"] if "TOKEN" in name or "SECRET" in name or "KEY" in name]


def test_a_mount_source_that_is_a_link_is_refused(runtime, make_spec, tmp_path):
    link = tmp_path / "link"
    link.symlink_to("/etc")

    with pytest.raises(Exception, match="not a file or folder"):
        runtime.create(make_spec(mounts=(Mount(str(link), OUTPUT_PATH),)))


def test_an_image_may_be_allowed_by_its_id(connect, engine, image, make_spec):
    image_id = connect().image_digest(image)
    pinned = connect(allowed_images=(image_id,))

    container = pinned.create(make_spec())

    assert engine.inspect(container.id)["Config"]["Image"] == image_id


def test_an_empty_list_of_images_allows_none(connect, make_spec):
    with pytest.raises(Exception, match="not on the list"):
        connect(allowed_images=()).create(make_spec())
