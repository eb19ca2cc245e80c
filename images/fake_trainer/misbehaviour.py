"""What a trigger word `fake:KEY=VALUE` makes the fake trainer do wrong. Tests read this file as their menu."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from adapter_files import describe
from events import EventFile

PREFIX = "fake:"
MIB = 1024 * 1024
MOST_MEMORY_MIB = 8 * 1024  # a container without a memory limit must not take the machine down
DEEP = 200
PROBED_PATHS = ("/", "/tmp", "/workspace/config.json", "/workspace/datasets", "/workspace/models", "/workspace/outputs")  # noqa: S108
PROBED_STATUS = ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp")


def parse_wishes(trigger_words: list[str]) -> dict[str, str]:
    pairs = (word.removeprefix(PREFIX).partition("=") for word in trigger_words if word.startswith(PREFIX))
    return {key: value for key, _, value in pairs}


def misbehave(wishes: dict[str, str], outputs: Path, events: EventFile) -> None:
    """Everything that happens between loading and training; some of it never returns."""
    for wish, fulfil in MISDEEDS.items():
        if wish in wishes:
            fulfil(wishes[wish], outputs, events)
    for accident, happens in ACCIDENTS.items():
        if accident in wishes:
            happens()


def write_odd_log(kind: str) -> None:
    """`flood` is 64 MiB of lines; `long_line` is one line of 5 MiB; `sse` would end a stream that passes it on raw."""
    out = sys.stdout.buffer
    if kind == "flood":
        for _ in range(64):
            out.write(b"all work and no play makes a dull log\n" * (MIB // 38))
    elif kind == "nul":
        out.write(b"before\0after \xff\xfe \x1b[31mred\x1b[0m\n")
    elif kind == "long_line":
        out.write(b"x" * (5 * MIB) + b"\n")
    elif kind == "sse":
        out.write(b"data: x\n\nevent: done\ndata: {}\n\n")
    elif kind == "carriage_return":
        for percent in range(101):
            out.write(f"\r{percent:3d} %".encode())
            out.flush()
            time.sleep(0.005)
        out.write(b"\n")
    out.flush()


def print_lines(count: int) -> None:
    for number in range(1, count + 1):
        print(f"line {number}")
    sys.stdout.flush()


def fill_outputs(outputs: Path, *, size_mib: int) -> None:
    with (outputs / "filling").open("wb") as file:
        for _ in range(size_mib):
            file.write(b"x" * MIB)


def make_empty_files(outputs: Path, *, count: int) -> None:
    for number in range(count):
        (outputs / f"empty-{number}").touch()


def write_samples(events: EventFile, count: int) -> None:
    events.write_raw(b'{"v": 1, "type": "sample", "at": "2026-01-01T00:00:00Z"}\n' * count)


def write_garbage_events(events: EventFile) -> None:
    good = b'{"v": 1, "type": "metrics", "at": "2026-01-01T00:00:00Z", "step": %d, "epoch": 0, "loss": 0.5}'
    events.write_raw(b"\xff\xfe not UTF-8\n\nnot JSON\n[1, 2]\nnull\n{}\n")
    events.write_raw(b'{"v": 1, "type": "metrics", "step": "three", "loss": NaN}\n')
    events.write_raw(b'{"v": 1, "type": "metrics", "step": -1, "loss": 1e999}\n')
    events.write_raw(b'{"v": 1, "type": "from_the_future", "at": "2026-01-01T00:00:00Z", "new": true}\n')
    events.write_raw(b"[" * 100_000 + b"\n")
    events.write_raw(good % 1 + b"\n")
    events.write_raw(b'{"v": 1, "type": "metrics", "pad": "' + b"x" * (5 * MIB) + b'"}\n')
    half = good % 2
    events.write_raw(half[:20])
    time.sleep(0.5)
    events.write_raw(half[20:] + b"\n")


def write_hostile_outputs(outputs: Path) -> None:
    (outputs / "link-to-file").symlink_to("/etc/passwd")
    (outputs / "link-to-root").symlink_to("/")
    (outputs / "link-to-nothing").symlink_to("nowhere")
    os.mkfifo(outputs / "pipe")
    for name in (b"new\nline", b"\x1b[31mred", b"-rf", b"not-utf8-\xff", b"n" * 255, "گربه".encode()):
        (outputs / os.fsdecode(name)).write_bytes(b"odd name\n")
    (outputs / "executable.sh").write_text("#!/bin/sh\n")
    (outputs / "executable.sh").chmod(0o4777)
    write_deep_tree(outputs)


def write_deep_tree(outputs: Path) -> None:
    folder = outputs
    for _ in range(DEEP):
        folder = folder / "deep"
        folder.mkdir()
    (folder / "file").write_text("deep\n")


def allocate_until_killed() -> None:
    taken = [b"x" * (64 * MIB) for _ in range(MOST_MEMORY_MIB // 64)]
    sys.exit(f"took {len(taken) * 64} MiB and was not killed")


def lose_a_child_to_memory() -> None:
    """As when a worker that loads data is killed: the trainer itself goes on."""
    child = os.fork()
    if child == 0:
        # The kernel takes the greediest first, and this one must be it.
        Path("/proc/self/oom_score_adj").write_text("1000")
        allocate_until_killed()
    os.waitpid(child, 0)


def be_segfaulted() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


MISDEEDS: dict[str, Callable[[str, Path, EventFile], object]] = {
    "log": lambda kind, _outputs, _events: write_odd_log(kind),
    "print_lines": lambda count, _outputs, _events: print_lines(int(count)),
    "events": lambda _value, _outputs, events: write_garbage_events(events),
    "samples": lambda count, _outputs, events: write_samples(events, int(count)),
    "fill_outputs": lambda size_mib, outputs, _events: fill_outputs(outputs, size_mib=int(size_mib)),
    "empty_files": lambda count, outputs, _events: make_empty_files(outputs, count=int(count)),
    "probe": lambda _value, outputs, _events: (outputs / "probe.json").write_text(json.dumps(probe())),
    "hostile_outputs": lambda _value, outputs, _events: write_hostile_outputs(outputs),
}
ACCIDENTS = {
    "oom": allocate_until_killed,
    "child_oom": lose_a_child_to_memory,
    "segfault": be_segfaulted,
    "abort": os.abort,
}


def probe() -> dict[str, object]:
    """What this container can see and do."""
    status = Path("/proc/self/status").read_text().splitlines()
    facts = dict(line.split(":\t", 1) for line in status if ":\t" in line)
    return {
        "uid": os.getuid(),
        "gid": os.getgid(),
        "groups": os.getgroups(),
        **{key: facts[key] for key in PROBED_STATUS},
        "writable": [path for path in PROBED_PATHS if can_write(Path(path))],
        "network_interfaces": sorted(path.name for path in Path("/sys/class/net").iterdir()),
        "environment": sorted(os.environ),
        "working_directory": str(Path.cwd()),
    }


def can_write(path: Path) -> bool:
    """Tried for real: permission bits say nothing about a read-only mount."""
    try:
        if path.is_dir():
            attempt = path / ".probe"
            attempt.touch()
            attempt.unlink()
        else:
            path.open("ab").close()
    except OSError:
        return False
    return True


def damage(fault: str, outputs: Path, entry: dict[str, object]) -> None:
    """Makes one described adapter file, or what is said about it, wrong (nan and zero are wrong when written)."""
    path = outputs / str(entry["path"])
    if fault == "missing":
        path.unlink()
    elif fault == "truncated":
        os.truncate(path, path.stat().st_size // 2)
        entry.update(describe(path, outputs, str(entry["format"])))
    elif fault == "symlink":
        path.rename(path.with_name("elsewhere"))
        path.symlink_to("elsewhere")
    elif fault == "wrong_hash":
        entry["sha256"] = "0" * 64
    elif fault == "outside":
        entry["path"] = "../../etc/passwd"
