"""How the web app feels: its first page, a list of very many jobs, a grid of very many samples, and a curve of very
many points while it grows.

A real Chromium before a real `lorry serve`. The first page is timed from the navigation, with an empty cache, to the
first row of the list; frames are the pauses between two pictures that the browser draws while the page is used, and
what a person feels as smooth is fewer than 50 ms. The samples' small copies are the server's own. The curve is a fake
trainer's, told to the open page as it comes.

Run from the repository: `PYTHONPATH=. .venv/bin/python bench/web.py`, after `make web`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from statistics import median, quantiles

from playwright.sync_api import Browser, Page, Response, expect, sync_playwright
from serving import connect_engine, report_failure, serving, submission, upload_sample

from cli.client import LorryClient
from cli.demo_server import DemoServer
from orchestrator.adapters.sql import SqlJobStore, SqlRecordStore, SqlSampleStore, connect
from orchestrator.adapters.sql.rows import job_row
from orchestrator.adapters.sql.tables import training_jobs
from orchestrator.domain.artifact import ArtifactKind
from orchestrator.domain.events import JobEvent, status_event
from orchestrator.domain.job import Job
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.settings import Settings
from tests.factories import NOW, make_artifact, make_job, noise_bytes
from tests.waiting import eventually

_USER = "bench"
_CURVE_SECONDS = 30
_ENDED_WITHIN_MS = 300_000
_BATCH = 1_000
_JANK_MS = 50.0
_SIGN_IN = "token => localStorage.setItem('lorry-token', token)"
_NOTE_FIRST_ROW = """new MutationObserver((_, observer) => {
  if (document.querySelector('[data-job]')) { window.firstRow = performance.now(); observer.disconnect(); }
}).observe(document, {childList: true, subtree: true})"""
_NOTE_FRAMES = """() => {
  window.frames_ms = []; let last = performance.now();
  const note = now => { window.frames_ms.push(now - last); last = now; window.noting = requestAnimationFrame(note); };
  window.noting = requestAnimationFrame(note);
}"""
_PROMPTS = 8
_TAKE_FRAMES = "() => { cancelAnimationFrame(window.noting); return window.frames_ms; }"


@dataclass(frozen=True, slots=True)
class Frames:
    """Pauses between frames, in milliseconds; `janky_share` is of the time, in pauses of more than 50 ms."""

    count: int
    p50_ms: float
    p95_ms: float
    longest_ms: float
    janky_share: float

    @classmethod
    def of(cls, pauses: list[float]) -> Frames:
        percentiles = quantiles(pauses, n=100, method="inclusive")
        janky = sum(pause for pause in pauses if pause > _JANK_MS)
        shown = (percentiles[49], percentiles[94], max(pauses))
        return cls(len(pauses), *(round(each, 1) for each in shown), round(janky / sum(pauses), 3))


def fill(server: DemoServer, count: int) -> None:
    """Jobs of one user, one a minute, all of them over."""
    database = connect(Settings(data_dir=server.log.parent).store_url)
    try:
        for first in range(0, count, _BATCH):
            jobs = [_ended(first + number) for number in range(min(_BATCH, count - first))]
            with database.write() as connection:
                connection.execute(training_jobs.insert(), [job_row(job) for job in jobs])
    finally:
        database.close()


def draw(server: DemoServer, count: int) -> str:
    """The id of a job that drew so many samples, of each prompt one at each step, and has their small copies."""
    data_dir = server.log.parent
    database = connect(Settings(data_dir=data_dir).store_url)
    job = _ended(0)
    pictures = [noise_bytes(512, 512, seed=seed) for seed in range(_PROMPTS)]
    try:
        SqlJobStore(database).add(job, status_event(None, job, "Submitted."))
        folder = data_dir / "artifacts" / job.id / "samples"
        folder.mkdir(parents=True)
        samples, told = [], []
        for number in range(count):
            step, prompt = number // _PROMPTS, number % _PROMPTS
            (folder / f"{number:04d}.png").write_bytes(pictures[prompt])
            path = f"samples/{number:04d}.png"
            samples.append(make_artifact(job, kind=ArtifactKind.SAMPLE, path=path))
            data = {"path": path, "step": step, "prompt": f"prompt {prompt}", "seed": 7}
            told.append(JobEvent(job_id=job.id, attempt=1, type="sample", message="", at=NOW, data=data))
        SqlRecordStore(database).add_artifacts(samples)
        SqlJobStore(database).save(job, events=told)
        eventually(lambda: not SqlSampleStore(database).unseen(1), what="small copies of all")
    finally:
        database.close()
    return job.id


def look_at_samples(browser: Browser, server: DemoServer, token: str, count: int) -> dict[str, object]:
    """The grid of a job's samples: its first pictures, what it fetched for them, and scrolling through it."""
    job_id = draw(server, count)
    with visitor(browser, server.url, token) as page:
        sizes: list[int] = []
        page.on("response", lambda answer: sizes.append(_body_bytes(answer)) if "/image" in answer.url else None)
        began = time.perf_counter()
        page.goto(f"/jobs/{job_id}?tab=samples&view=all")
        expect(page.get_by_role("img", name="Sample of step 0: prompt 0")).to_be_visible(timeout=60_000)
        first_ms = (time.perf_counter() - began) * 1_000
        page.wait_for_load_state("networkidle")
        fetched = {"count": len(sizes), "kilobytes": round(sum(sizes) / 1_000)}
        scrolling = frames_while(page, lambda: scroll(page))
        return {"first_picture_ms": round(first_ms), "fetched": fetched, "scrolling": asdict(scrolling)}


def _body_bytes(answer: Response) -> int:
    return int(answer.headers.get("content-length", 0))


def _ended(number: int) -> Job:
    at = NOW + timedelta(minutes=number)
    job = make_job(user_id=_USER, name=f"job {number}", status=JobStatus.COMPLETED)
    return replace(job, created_at=at, updated_at=at, completed_at=at)


@contextmanager
def visitor(browser: Browser, url: str, token: str) -> Iterator[Page]:
    """Somebody who is signed in and has never been here: nothing is in the browser's cache."""
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 800})
    context.add_init_script(f"({_SIGN_IN})({json.dumps(token)})")
    context.add_init_script(_NOTE_FIRST_ROW)
    yield context.new_page()
    context.close()


def first_page_ms(browser: Browser, url: str, token: str) -> float:
    with visitor(browser, url, token) as page:
        page.goto("/jobs")
        expect(page.locator("[data-job]").first).to_be_visible(timeout=_ENDED_WITHIN_MS)
        return float(page.evaluate("window.firstRow"))


def page_turn_ms(page: Page, number: int) -> float:
    """From the click to the rows of that page of the list."""
    shown = page.locator("[data-job]").first.get_attribute("data-job")
    began = time.perf_counter()
    page.get_by_role("button", name=f"Page {number}", exact=True).click()
    expect(page.locator("[data-job]").first).not_to_have_attribute("data-job", shown or "")
    return (time.perf_counter() - began) * 1_000


def frames_while(page: Page, use: Callable[[], None]) -> Frames:
    page.evaluate(_NOTE_FRAMES)
    use()
    return Frames.of(page.evaluate(_TAKE_FRAMES))


def scroll(page: Page) -> None:
    page.mouse.move(600, 500)
    for turn in range(60):
        page.mouse.wheel(0, 120 if turn % 20 < 10 else -120)


def hover_curve(page: Page) -> None:
    box = page.get_by_role("img", name="Loss", exact=True).bounding_box()
    if box is None:
        sys.exit("error: the chart of the loss is not on the page.")
    for step in range(200):
        page.mouse.move(box["x"] + 80 + step * (box["width"] - 100) / 200, box["y"] + 100)


def look_at_list(browser: Browser, url: str, token: str) -> dict[str, object]:
    with visitor(browser, url, token) as page:
        page.goto("/jobs")
        expect(page.locator("[data-job]").first).to_be_visible()
        turns = [page_turn_ms(page, number) for number in range(2, 6)]
        return {"page_turn_ms": round(median(turns)), "scrolling": asdict(frames_while(page, lambda: scroll(page)))}


def watch_curve(browser: Browser, server: DemoServer, token: str, points: int) -> dict[str, object]:
    """A curve that grows to `points` on an open page, and is then pointed at."""
    with LorryClient(server.url, token) as lorry:
        wishes = (f"fake:reports={points}", f"fake:seconds={_CURVE_SECONDS}")
        job_id = lorry.submit({**submission(upload_sample(lorry), *wishes), "config": {"steps": points}})["job_id"]
    with visitor(browser, server.url, token) as page:
        page.goto(f"/jobs/{job_id}")
        expect(page.get_by_role("img", name="Loss", exact=True)).to_be_visible(timeout=60_000)
        ended = page.locator("[data-status='completed']")
        growing = frames_while(page, lambda: expect(ended).to_be_visible(timeout=_ENDED_WITHIN_MS))
        page.reload()
        expect(page.get_by_role("img", name="Loss", exact=True)).to_be_visible()
        return {"growing": asdict(growing), "pointing": asdict(frames_while(page, lambda: hover_curve(page)))}


def measure(jobs: int, points: int, samples: int, rounds: int) -> dict[str, object]:
    path = shutil.which("chromium")
    if path is None:
        sys.exit("error: no chromium here; tests/chromium.sh installs it.")
    with serving(connect_engine()) as server, sync_playwright() as playwright:
        token = server.create_token(_USER)
        fill(server, jobs)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        first = [first_page_ms(browser, server.url, token) for _ in range(rounds)]
        figures = {
            "jobs": jobs,
            "points": points,
            "first_page_ms": {"p50": round(median(first)), "longest": round(max(first))},
            "list": look_at_list(browser, server.url, token),
            "samples": {"drawn": samples, **look_at_samples(browser, server, token, samples)},
            "curve": watch_curve(browser, server, token, points),
        }
        browser.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.jobs, arguments.points, arguments.samples, arguments.rounds)))


if __name__ == "__main__":
    report_failure(main)
