"""Jobs and users that mean harm (rows 32, 35, 36, 38 of the fault plan), and a disk that fills up (row 44)."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from orchestrator.adapters.docker import DockerContainerRuntime
from orchestrator.domain.container import (
    CONFIG_PATH,
    DATASET_PATH,
    MODELS_PATH,
    OUTPUT_PATH,
    ContainerState,
    Mount,
)
from tests.factories import MIB, make_limits, make_spec
from tests.waiting import eventually

IMAGE = "lorry-fake-trainer"
SMALL_DISK_MIB = 96
PROMPT_SECONDS = 5.0  # on a machine that runs other tests too; held up would be for as long as the files take

# -- what a job does inside its container --------------------------------------------------------------------------

FORK_BOMB = """
import os, time
children = 0
try:
    while children < 5000:
        if os.fork() == 0:
            time.sleep(60)
        children += 1
except BlockingIOError:
    print(children)
"""

MEMORY_BOMB = """
hoard = []
while True:
    hoard.append(b"x" * (16 * 1024 * 1024))
"""

FILL = """
import sys
written = 0
with open(sys.argv[1], "wb") as file:
    try:
        while written < 1 << 30:
            written += file.write(b"x" * (1 << 20))
            file.flush()
    except OSError:
        print(written >> 20)
"""

# Every trick prints its name when it works.
TRICKS = """
import ctypes, os, socket, subprocess, sys

libc = ctypes.CDLL(None, use_errno=True)

def connect(host, port):
    socket.create_connection((host, port), timeout=2).close()

def write(path):
    with open(path, "ab") as file:
        file.write(b"mine")

def call(name, *arguments):
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)

def see_a_process_of_others():
    pids = {int(name) for name in os.listdir("/proc") if name.isdigit()}
    if pids <= {1, os.getpid()}:  # the init of its own container, and itself
        raise OSError("nobody else is here")

def run_from_tmp():
    with open("/tmp/program", "w") as file:
        file.write("#!/bin/sh\\nexit 0\\n")
    os.chmod("/tmp/program", 0o755)
    subprocess.run(["/tmp/program"], check=True)

tricks = {
    "reach the internet": lambda: connect("1.1.1.1", 53),
    "reach the host's gateway": lambda: connect("172.17.0.1", 22),
    "reach a metadata service": lambda: connect("169.254.169.254", 80),
    "resolve a name": lambda: socket.getaddrinfo("example.com", 80),
    "open a raw socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "reach the engine": lambda: os.stat("/var/run/docker.sock"),
    "change its config": lambda: write("/workspace/config.json"),
    "change a dataset": lambda: write("/workspace/datasets/mine"),
    "change a model": lambda: write("/workspace/models/mine"),
    "change the trainer": lambda: write("/workspace/train_lora.py"),
    "change the kernel": lambda: write("/proc/sys/kernel/core_pattern"),
    "trigger the kernel": lambda: write("/proc/sysrq-trigger"),
    "read the host's memory": lambda: open("/dev/mem", "rb"),
    "make a device": lambda: os.mknod("/workspace/outputs/device", 0o60666, os.makedev(8, 0)),
    "become root": lambda: os.setuid(0),
    "change its groups": lambda: os.setgroups([0]),
    "see a process to trace": see_a_process_of_others,
    "mount": lambda: call("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "leave by a new namespace": lambda: call("unshare", 0x10000000),
    "leave by chroot": lambda: os.chroot("/workspace/outputs"),
    "rename the host": lambda: call("sethostname", b"mine", 4),
    "take priority": lambda: os.nice(-5),
    "run what it wrote to /tmp": run_from_tmp,
    "give a file to root": lambda: os.chown("/workspace/outputs/mine", 0, 0),
}

write("/workspace/outputs/mine")
for name, trick in tricks.items():
    try:
        trick()
    except (OSError, PermissionError, subprocess.SubprocessError):
        continue
    print(name)
print("tried", len(tricks))
"""


@pytest.fixture
def runtime(engine):
    return DockerContainerRuntime(base_url=engine.base_url, instance=engine.instance, allowed_images=(IMAGE,))


@pytest.fixture
def abuse(runtime, data_dir):
    """`abuse(program, *arguments)`: how a hardened container ended that ran it, and the lines it printed."""
    for folder in ("dataset", "models", "outputs"):
        (data_dir / folder).mkdir()
        (data_dir / folder).chmod(0o777)  # what protects them is not who owns them
    (data_dir / "config.json").write_text("{}")
    (data_dir / "config.json").chmod(0o666)
    mounts = (
        Mount(str(data_dir / "config.json"), CONFIG_PATH),
        Mount(str(data_dir / "dataset"), DATASET_PATH),
        Mount(str(data_dir / "models"), MODELS_PATH),
        Mount(str(data_dir / "outputs"), OUTPUT_PATH, is_read_only=False),
    )

    def run(program, *arguments, is_known=lambda _: True):
        command = ("python", "-c", program, *arguments)
        spec = make_spec(image=IMAGE, command=command, mounts=mounts, limits=make_limits(memory_bytes=256 * MIB))
        container = runtime.create(spec)
        runtime.start(container.id)
        ended = eventually(
            lambda: (seen := runtime.inspect(container.id)).state is ContainerState.EXITED and is_known(seen) and seen,
            within_seconds=60,
            what="the end of the abuse",
        )
        lines = [line.text for line in runtime.logs(container.id, since=None, limit_bytes=MIB).lines]
        return ended, lines

    return run


def test_a_fork_bomb_stops_at_the_limit_of_processes(abuse):
    _, (children,) = abuse(FORK_BOMB)

    assert 0 < int(children) <= make_limits().pids


def test_a_memory_bomb_kills_its_own_container_and_is_known_as_one(abuse):
    # The engine hears of the cause by another way than of the end, on a busy machine later.
    ended, _ = abuse(MEMORY_BOMB, is_known=lambda seen: seen.is_oom_killed)

    assert ended.exit_code == 137


@pytest.mark.parametrize("path", ["/tmp/heap", "/dev/shm/heap"])  # noqa: S108 - the container's own
def test_what_fills_the_temporary_folders_stops_at_their_size(abuse, path):
    ended, (written_mib,) = abuse(FILL, path)

    assert ended.exit_code == 0
    assert int(written_mib) <= 64


def test_nothing_a_job_tries_on_its_surroundings_works(abuse, data_dir):
    ended, lines = abuse(TRICKS)

    assert lines == ["tried 24"]
    assert ended.exit_code == 0
    assert [path.name for path in (data_dir / "outputs").iterdir()] == ["mine"]


def test_twenty_thousand_small_files_hold_up_neither_the_job_nor_the_api(install):
    installation = install()
    installation.serve()
    user = installation.user("alice")
    job_id = user.start("fake:gate=1")
    user.wait(job_id, "running")
    litter = installation.data_dir / "outputs" / job_id / "litter"
    litter.mkdir()
    for number in range(20_000):
        (litter / str(number)).touch()

    installation.open_gate(job_id)
    slowest = 0.0
    while user.job(job_id)["status"] == "running":
        began = time.monotonic()
        assert installation.probe("/health").is_success
        slowest = max(slowest, time.monotonic() - began)

    assert user.wait(job_id, "completed", "failed")["status"] == "completed"
    assert slowest < PROMPT_SECONDS


# -- what a user sends ----------------------------------------------------------------------------------------------

DEEP = "[" * 20_000 + "1" + "]" * 20_000
HARMFUL = {
    "mounts": '{"mounts": ["/:/host"]}',
    "volumes": '{"volumes": {"/": {"bind": "/host", "mode": "rw"}}}',
    "an image": '{"image": "somebody/elses"}',
    "privilege": '{"privileged": true}',
    "a command": '{"command": ["sh"]}',
    "an environment": '{"env": {"NVIDIA_VISIBLE_DEVICES": "all", "LD_PRELOAD": "/x.so"}}',
    "devices": '{"devices": "all"}',
    "an output path": '{"output_path": "/etc"}',
    "a prototype": '{"__proto__": {"steps": 1}}',
    "1e308": '{"learning_rate": 1e308}',
    "more than a float": '{"learning_rate": 1e999}',
    "NaN": '{"learning_rate": NaN}',
    "infinity": '{"learning_rate": -Infinity}',
    "a huge number": f'{{"steps": 1{"0" * 400}}}',
    "a number beyond every limit of digits": f'{{"steps": 1{"0" * 5_000}}}',
    "a number below all": '{"steps": -9223372036854775809}',
    "a fraction for a count": '{"steps": 1.5}',
    "a truth for a count": '{"steps": true}',
    "depth": f'{{"steps": {DEEP}}}',
    "a prompt of ten megabytes": f'{{"sample_prompts": ["{"x" * 10 * MIB}"]}}',
    "half a surrogate pair": '{"sample_prompts": ["\\ud800"]}',
    "a list for an object": "[]",
}


@pytest.mark.parametrize("config", HARMFUL.values(), ids=HARMFUL)
def test_a_harmful_config_is_refused_and_nothing_is_stored(alice, config):
    dataset_id = alice.upload()
    body = (
        f'{{"type": "lora", "base_model": "lorry/tiny-sd15", "dataset_id": "{dataset_id}", '
        f'"trigger_words": [], "config": {config}}}'
    )

    answer = alice.http.post("/training/submit", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in (400, 413), answer.text
    assert answer.json()["ok"] is False
    assert len(answer.content) < 20_000
    assert alice.get("/training/jobs") == []


@pytest.mark.parametrize("field", ["image", "mounts", "privileged", "env", "user_id", "container_name", "status"])
def test_an_unknown_field_beside_the_config_is_refused(alice, field):
    answer = alice.submit(**{field: "x"})

    assert answer.status_code == 400
    assert alice.get("/training/jobs") == []


@pytest.mark.parametrize(
    "artifact",
    [
        "../../../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "%252e%252e%252fetc%252fpasswd",
        "//etc/hostname",
        "/etc/hostname",
        "1%00",
        "..\\..\\etc\\passwd",
        "-1",
        "1e3",
        "9" * 400,
        "file:%2f%2f%2fetc%2fpasswd",
        "1;ls",
    ],
)
def test_a_download_by_a_path_is_not_found(alice, artifact):
    """Sent as it stands: a client library would tidy it up before."""
    url = urlsplit(str(alice.http.base_url))
    with closing(http.client.HTTPConnection(url.hostname, url.port, timeout=10)) as connection:
        connection.putrequest("GET", f"/api/artifacts/{artifact}/download", skip_host=False)
        connection.putheader("Authorization", alice.http.headers["Authorization"])
        connection.endheaders()
        answer = connection.getresponse()
        body = json.loads(answer.read())

    assert answer.status in (400, 404)
    assert body["ok"] is False


# -- a disk that fills up -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory):
    """A file system of its own; of the module, so that it outlives the check of the invariants."""
    folder = tmp_path_factory.mktemp("small-disk")
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    subprocess.run(("mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_MIB}m", "tmpfs", folder), check=True)
    yield folder
    subprocess.run(("umount", "--lazy", folder), check=True)


def fill(folder, *, leave_bytes):
    """Take what is free in `folder` but for `leave_bytes`."""
    with (folder / "ballast").open("ab") as ballast:
        taken = shutil.disk_usage(folder).free - leave_bytes
        os.posix_fallocate(ballast.fileno(), os.fstat(ballast.fileno()).st_size, max(taken, 1))


def test_a_full_disk_holds_the_queue_and_breaks_nothing(install, small_disk):
    installation = install(LORRY_DATA_DIR=str(small_disk), LORRY_MIN_FREE_BYTES=str(32 * MIB))
    installation.data_dir = small_disk
    installation.serve()
    user = installation.user("alice")
    running, dataset_id = user.start("fake:gate=1"), user.upload()
    user.wait(running, "running")

    fill(small_disk, leave_bytes=16 * MIB)
    eventually(lambda: installation.probe("/ready").status_code == 503, what="readiness that tells of the disk")
    held = user.start(dataset_id=dataset_id)
    assert "are free" in user.job(held)["queue"]["reason"]

    fill(small_disk, leave_bytes=0)
    installation.open_gate(running)
    eventually(lambda: installation.inspect(running)["State"]["Status"] == "exited", what="the trainer's end")
    assert installation.probe("/health").is_success

    (small_disk / "ballast").unlink()
    assert user.wait(held, "completed")["attempt"] == 1
    user.wait(running, "completed", "failed")
    assert installation.probe("/ready").is_success
    with closing(sqlite3.connect(small_disk / "lorry.db")) as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
