"""A hub of the tests' own on loopback: as much of the Hugging Face hub as a download meets, and its troubles."""

from __future__ import annotations

import hashlib
import json
import random
import re
import threading
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

MODEL = "org/model"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_of-the-test-account"
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
WEIGHTS_BYTES = 3 * 1024**2 + 17
WANTED = {
    "model_index.json": b'{"_class_name": "StableDiffusionPipeline"}',
    "scheduler/scheduler_config.json": b"{}",
    "tokenizer/vocab.json": '{"پ": 0}'.encode(),
    "tokenizer/merges.txt": b"#version: 0.2\n",
    "unet/config.json": b"{}",
    WEIGHTS: random.Random(7).randbytes(WEIGHTS_BYTES),  # noqa: S311 - any bytes will do
}
# What a real repository has beside them, and what a hostile one might.
UNWANTED = {
    "README.md": b"# Model",
    "handler.py": b"raise SystemExit",
    "model.ckpt": b"\x80\x04pickle",
    "unet/diffusion_pytorch_model.bin": b"\x80\x04pickle",
    "unet/diffusion_pytorch_model.fp16.safetensors": b"half",
    "unet/model.py": b"raise SystemExit",
    "safety_checker/model.safetensors": b"not a part",
    "../escaped.json": b"{}",
    "unet/../../escaped.json": b"{}",
}
PARTS = ("scheduler", "tokenizer", "unet")

_API = re.compile(r"/api/models/([^/]+/[^/]+)/revision/([^/]+)")
_RESOLVE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")


class HubServer:
    """`cut_after` and `stall_after` hold, for a path, after how many bytes each of the next answers breaks off or
    pauses; `damaged` how many of the next answers have another content."""

    def __init__(self) -> None:
        self.files = WANTED | UNWANTED
        self.branches = {"main": COMMIT}
        self.is_gated = False
        self.is_away = False
        self.knows_ranges = True
        self.cut_after: defaultdict[str, list[int]] = defaultdict(list)
        self.stall_after: defaultdict[str, list[int]] = defaultdict(list)
        self.damaged: Counter[str] = Counter()
        self.release = threading.Event()
        self.asked: Counter[str] = Counter()
        self.ranges: list[str] = []
        self.tokens: set[str | None] = set()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._http.daemon_threads = True
        self._http.hub = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.release.set()
        self._http.shutdown()
        self._http.server_close()

    def described(self, commit: str) -> dict[str, Any]:
        return {"id": MODEL, "sha": commit, "siblings": [_sibling(*file) for file in self.files.items()]}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def hub(self) -> HubServer:
        return self.server.hub  # type: ignore[attr-defined,no-any-return]

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
        self.hub.tokens.add(token)
        if self.hub.is_away:
            self._refuse(503)
        elif (found := _API.fullmatch(path)) is not None:
            self._describe(found[1], found[2], token)
        elif (found := _RESOLVE.fullmatch(path)) is not None:
            self._hand_out(found[1], found[2], found[3], token)
        else:
            self._refuse(404)

    def _describe(self, model: str, revision: str, token: str | None) -> None:
        commit = self.hub.branches.get(revision, revision)
        if model != MODEL:
            self._refuse(401 if token is None else 404, "RepoNotFound")
            return
        if commit not in self.hub.branches.values():
            self._refuse(404, "RevisionNotFound")
            return
        body = json.dumps(self.hub.described(commit)).encode()
        self._begin(200, len(body), {"Content-Type": "application/json"})
        self.wfile.write(body)

    def _hand_out(self, model: str, revision: str, path: str, token: str | None) -> None:
        self.hub.asked[path] += 1
        if self.hub.is_gated and token != TOKEN:
            self._refuse(401 if token is None else 403, "GatedRepo")
        elif model != MODEL or revision not in self.hub.branches.values() or path not in self.hub.files:
            self._refuse(404, "EntryNotFound")
        else:
            self._send(path, self.hub.files[path])

    def _send(self, path: str, content: bytes) -> None:
        if self.hub.damaged[path] > 0:
            self.hub.damaged[path] -= 1
            content = b"\0" * len(content)
        first = self._first_byte() if self.hub.knows_ranges else 0
        headers = {"Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}"} if first else {}
        self._begin(206 if first else 200, len(content) - first, headers)
        self._write(path, content[first:])

    def _first_byte(self) -> int:
        asked = self.headers.get("Range")
        if asked is None:
            return 0
        self.hub.ranges.append(asked)
        return int(asked.removeprefix("bytes=").partition("-")[0])

    def _write(self, path: str, content: bytes) -> None:
        if self.hub.cut_after[path]:
            self.wfile.write(content[: self.hub.cut_after[path].pop(0)])
            self.close_connection = True
        elif self.hub.stall_after[path]:
            self.wfile.write(content[: self.hub.stall_after[path].pop(0)])
            self.wfile.flush()
            self.hub.release.wait(60)
            self.close_connection = True
        else:
            self.wfile.write(content)

    def _begin(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _refuse(self, status: int, code: str = "") -> None:
        self._begin(status, 0, {"X-Error-Code": code} if code else {})

    def log_message(self, *_: object) -> None:
        """Tests read what the hub was asked from its counters."""


def _sibling(path: str, content: bytes) -> dict[str, Any]:
    git = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    described: dict[str, Any] = {"rfilename": path, "size": len(content), "blobId": git}
    if path.endswith((".safetensors", ".bin", ".ckpt")):
        sha256 = hashlib.sha256(content).hexdigest()
        described["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 130}
    return described
