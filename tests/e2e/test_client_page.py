"""The program in docs/client.md runs as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.e2e.installation import Installation, User
from tests.factories import picture_bytes
from tests.waiting import DEADLINE_SECONDS

ROOT = Path(__file__).resolve().parents[2]


def test_the_clients_program_trains_downloads_and_tells_refusals_apart(
    lorry_server: Installation, user: User, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "cats.zip", "w") as archive:
        archive.writestr("cat.png", picture_bytes(64, 64))
        archive.writestr("cat.txt", "sks cat")
    (program,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/client.md").read_text(), re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=lorry_server.environment
        | {"LORRY_URL": lorry_server.url, "LORRY_TOKEN": user.token, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    completed, violations, unknown = done.stdout.splitlines()
    assert completed.startswith("completed {")
    assert violations == "['config.steps', 'config.lora_rank']"
    assert unknown == "There is no job 5f0c7a9e-3c52-4f0e-9a43-6f3f6e3c9b11."
    assert list(tmp_path.glob("*.safetensors"))
