"""The API's reference, made from its routes: docs/openapi.json, from which clients are generated, and docs/api.md.

`make openapi` writes both; a test holds them to the routes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from api.app import routed_app
from api.reference_page import render_page


def pages() -> Iterator[tuple[str, str]]:
    """(file name, content) of everything that is made from the routes."""
    document = routed_app(version("lorry")).openapi()
    yield "openapi.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    yield "api.md", render_page(document)


def main(folder: Path) -> None:
    for name, content in pages():
        (folder / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
