"""A small client of Lorry's HTTP API: `with LorryClient(url, token) as lorry: lorry.jobs()`.

Requests that are safe to repeat are repeated while the server is unreachable or says it is busy; a submission is made
safe by an idempotency key. Every failure is a CliError; the token is in no message.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar, cast
from urllib.parse import urlsplit

import httpx2

from cli.answers import Artifact, Dataset, DatasetItem, Event, Job, Metric, Model, Page, Report, Submitted
from cli.errors import CheckFailed, CliError, LorryApiError, ServerUnreachable

DEFAULT_URL = "http://127.0.0.1:8000"

_LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
_REPEAT_AFTER_SECONDS = (0.2, 1.0)
_MAX_PAUSE_SECONDS = 5.0  # a server that asks for more patience is left to the caller
_TIMEOUT = httpx2.Timeout(30.0, connect=5.0)
_UPLOAD_TIMEOUT = httpx2.Timeout(600.0, connect=5.0)  # the server checks every picture before it answers
_CHUNK_BYTES = 1 << 20
_MAX_EVENTS = 10_000

Result = TypeVar("Result")


class LorryClient:
    def __init__(
        self, url: str = DEFAULT_URL, token: str | None = None, *, repeat_after: Sequence[float] = _REPEAT_AFTER_SECONDS
    ) -> None:
        self.url = url.rstrip("/")
        self._repeat_after = repeat_after
        self._http = httpx2.Client(
            base_url=f"{self.url}/api",
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=_TIMEOUT,
            trust_env=urlsplit(self.url).hostname not in _LOOPBACK_HOSTS,  # a proxy cannot reach our loopback
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def health(self) -> dict[str, Any]:
        return self._get("/health", doing="ask for the server's health")

    def failing_checks(self) -> dict[str, str]:
        """What keeps the server from starting jobs: a sentence by the name of each check; {} when it is ready."""
        try:
            self._send("GET", "/ready", doing="ask whether the server is ready")
        except LorryApiError as error:
            if error.code != "NOT_READY":
                raise
            return {str(check["field"]): str(check["message"]) for check in error.details}
        return {}

    def submit(self, request: dict[str, Any], *, idempotency_key: str | None = None) -> Submitted:
        """Submit a job; repeated requests of one call, or of one key, make one job."""
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        return cast("Submitted", self._post("/training/submit", doing="submit the job", json=request, headers=headers))

    def jobs(self, *, page: int = 1, page_size: int = 20, **filters: Any) -> Page[Job]:
        return self._page("/training/jobs", doing="list jobs", page=page, page_size=page_size, **filters)

    def job(self, job_id: str) -> Job:
        return cast("Job", self._data(f"/training/jobs/{job_id}", doing=f"look at job {job_id}"))

    def cancel(self, job_id: str, *, reason: str | None = None) -> None:
        body = {"reason": reason} if reason else {}
        self._post(f"/training/jobs/{job_id}/cancel", doing=f"cancel job {job_id}", json=body)

    def retry(self, job_id: str, *, from_checkpoint: str | bool) -> Job:
        doing = f"try job {job_id} again"
        answer = self._post(f"/training/jobs/{job_id}/retry", doing=doing, json={"from_checkpoint": from_checkpoint})
        return cast("Job", answer["data"])

    def logs(self, job_id: str, *, tail: int) -> list[str]:
        """The last `tail` lines that the job's container printed."""
        path = f"/training/jobs/{job_id}/logs"
        return cast("list[str]", self._data(path, doing=f"read the log of job {job_id}", tail=tail))

    def metrics(self, job_id: str) -> list[Metric]:
        path = f"/training/jobs/{job_id}/metrics"
        return cast("list[Metric]", self._data(path, doing=f"read the metrics of job {job_id}"))

    def events(self, job_id: str) -> list[Event]:
        path = f"/training/jobs/{job_id}/events"
        return cast("list[Event]", self._data(path, doing=f"read the history of job {job_id}", limit=_MAX_EVENTS))

    def artifacts(self, job_id: str) -> list[Artifact]:
        path = f"/training/jobs/{job_id}/artifacts"
        return cast("list[Artifact]", self._data(path, doing=f"list the files of job {job_id}"))

    def datasets(self) -> Page[Dataset]:
        return self._page("/datasets", doing="list datasets")

    def dataset_items(self, dataset_id: str, *, page: int = 1, page_size: int = 50) -> Page[DatasetItem]:
        doing = f"look at dataset {dataset_id}"
        return self._page(f"/datasets/{dataset_id}/items", doing=doing, page=page, page_size=page_size)

    def dataset_report(self, dataset_id: str, *, resolution: int) -> Report:
        doing = f"read the report on dataset {dataset_id}"
        return cast("Report", self._data(f"/datasets/{dataset_id}/report", doing=doing, resolution=resolution))

    def delete_dataset(self, dataset_id: str) -> Dataset:
        """Not repeated: the answer to a second request would be that there is no such dataset."""
        doing = f"delete dataset {dataset_id}"
        return cast("Dataset", _object(self._send("DELETE", f"/datasets/{dataset_id}", doing=doing), doing)["data"])

    def upload_dataset(self, archive: Path, *, name: str, strip_exif: bool = False) -> Dataset:
        """Upload a zip of pictures and captions as a new dataset. Not repeated: a second upload is a second dataset."""
        doing = f"upload {archive}"
        with archive.open("rb") as content:
            files = {"files": (archive.name, content, "application/zip")}
            form = {"name": name, "strip_exif": str(strip_exif).lower()}
            answer = self._send(
                "POST", "/datasets/upload", doing=doing, files=files, data=form, timeout=_UPLOAD_TIMEOUT
            )
        return cast("Dataset", _object(answer, doing)["data"])

    def models(self) -> list[Model]:
        return cast("list[Model]", self._data("/catalog/models", doing="list base models"))

    def download(self, artifact: Artifact, target: Path) -> None:
        """Write an artifact to `target`, whole and with the right sha256 or not at all."""
        part = target.with_name(f"{target.name}.part")
        try:
            digest = self._repeating(lambda: self._stream(artifact, part))
            if artifact["sha256"] and digest != artifact["sha256"]:
                raise CheckFailed(
                    f"Downloaded {artifact['path']}, but its sha256 is {digest} instead of {artifact['sha256']}: "
                    "it was damaged on the way. Nothing was kept; try again."
                )
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    def _stream(self, artifact: Artifact, part: Path) -> str:
        """Write the artifact's bytes to `part`; their sha256."""
        doing = f"download {artifact['path']}"
        digest = hashlib.sha256()
        try:
            with self._http.stream("GET", f"/artifacts/{artifact['id']}/download") as answer, part.open("wb") as file:
                if answer.is_error:
                    answer.read()
                    raise _api_error(answer, doing)
                for chunk in answer.iter_bytes(_CHUNK_BYTES):
                    digest.update(chunk)
                    file.write(chunk)
        except httpx2.HTTPError as error:
            raise self._unreachable(doing, error) from error
        return digest.hexdigest()

    def _page(self, path: str, *, doing: str, **query: Any) -> Page[Any]:
        answer = self._get(path, doing=doing, **query)
        return Page(answer["data"], answer.get("total", len(answer["data"])), answer.get("page", 1))

    def _data(self, path: str, *, doing: str, **query: Any) -> Any:
        return self._get(path, doing=doing, **query)["data"]

    def _get(self, path: str, *, doing: str, **query: Any) -> dict[str, Any]:
        params = {key: value for key, value in query.items() if value not in (None, [], ())}
        return self._repeating(lambda: _object(self._send("GET", path, doing=doing, params=params), doing))

    def _post(self, path: str, *, doing: str, **options: Any) -> dict[str, Any]:
        """Only for requests whose repetition changes nothing."""
        return self._repeating(lambda: _object(self._send("POST", path, doing=doing, **options), doing))

    def _repeating(self, request: Callable[[], Result]) -> Result:
        for seconds in self._repeat_after:
            try:
                return request()
            except CliError as error:
                asked = error.retry_after_seconds if isinstance(error, LorryApiError) else None
                pause = seconds if asked is None else asked
                if not error.is_transient or pause > _MAX_PAUSE_SECONDS:
                    raise
            time.sleep(pause)
        return request()

    def _send(self, method: str, path: str, *, doing: str, **options: Any) -> httpx2.Response:
        try:
            answer = self._http.request(method, path, **options)
        except httpx2.HTTPError as error:
            raise self._unreachable(doing, error) from error
        if answer.is_error:
            raise _api_error(answer, doing)
        return answer

    def _unreachable(self, doing: str, error: httpx2.HTTPError) -> ServerUnreachable:
        return ServerUnreachable(doing, self.url, str(error) or type(error).__name__)


def _object(answer: httpx2.Response, doing: str) -> dict[str, Any]:
    """The JSON object that every successful answer of the API is."""
    try:
        content = answer.json()
    except ValueError:
        content = None
    if not isinstance(content, dict) or content.get("ok") is not True:
        raise LorryApiError(
            doing,
            code="UNEXPECTED_ANSWER",
            message=f"{answer.url} does not answer like a Lorry server; check --url and LORRY_URL.",
            status=answer.status_code,
        )
    return content


def _api_error(answer: httpx2.Response, doing: str) -> LorryApiError:
    try:
        body = answer.json()
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    return LorryApiError(
        doing,
        code=str(body.get("error", f"HTTP_{answer.status_code}")),
        message=str(body.get("message", f"the server answered {answer.status_code} {answer.reason_phrase}.")),
        status=answer.status_code,
        details=[detail for detail in body.get("details") or () if isinstance(detail, dict)],
        request_id=answer.headers.get("X-Request-ID"),
        retry_after_seconds=_seconds(answer.headers.get("Retry-After")),
    )


def _seconds(header: str | None) -> float | None:
    return float(header) if header is not None and header.isdigit() else None
