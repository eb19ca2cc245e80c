"""The API in a process of its own, over an empty store: `python -m tests.integration.api.serving DATA_DIR`.

Prints a token and a dataset's id before it serves.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from api.server import Server
from orchestrator.adapters.sql import connect, migrate
from orchestrator.json_log import configure_json_log
from tests.unit.api.installation import build_installation


def main(data_dir: Path) -> None:
    configure_json_log("INFO")
    database = connect(f"sqlite:///{data_dir / 'lorry.db'}")
    migrate(database)
    lorry = build_installation(database, data_dir, submit_wait_seconds=60.0)
    lorry.engine_answers("cpu-0")  # a free slot that nobody fills: submissions wait
    print(json.dumps({"token": lorry.token(), "dataset_id": lorry.dataset()}), flush=True)  # noqa: T201 - to the test
    Server(lorry.app, host="127.0.0.1", port=0).run()
    database.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
