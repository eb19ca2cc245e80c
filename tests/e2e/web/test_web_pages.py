"""Datasets, models, analytics and comparison in a browser."""
# ruff: noqa: RUF001 - Persian letters, not Latin look-alikes

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Route, expect

from tests.e2e.installation import User
from tests.e2e.web.browser import PHONE
from tests.e2e.web.conftest import People
from tests.factories import noise_bytes, picture_bytes

pytestmark = pytest.mark.docker

PHOTOGRAPHS = Path(__file__).resolve().parents[3] / "configs" / "samples" / "photographs"


def test_pictures_are_uploaded_and_their_captions_edited_by_keyboard(people: People, user: User) -> None:
    somebody = people(user)
    page = somebody.page
    page.get_by_role("link", name="Datasets").click()
    expect(page.get_by_role("heading", name="No datasets yet")).to_be_visible()
    page.locator("input[type=file]").set_input_files(sorted(PHOTOGRAPHS.glob("c*-*.*")))
    page.get_by_label("Name").fill("گربه‌ها و فنجان‌ها")
    page.get_by_role("button", name="Upload").click()

    expect(page.get_by_role("heading", name="گربه‌ها و فنجان‌ها")).to_be_visible()
    caption = page.get_by_label(re.compile("Caption of cat-face"))
    caption.fill("یک گربه")
    page.keyboard.press("Enter")
    expect(page.get_by_label(re.compile("Caption of cat-face"))).not_to_be_focused()
    page.reload()
    expect(page.get_by_label(re.compile("Caption of cat-face"))).to_have_value("یک گربه")
    somebody.photograph("dataset")
    page.get_by_role("link", name="Datasets").click()
    somebody.photograph("datasets")


def test_an_upload_that_is_cut_goes_on_and_has_every_picture_once(people: People, user: User) -> None:
    somebody = people(user)
    page = somebody.page
    somebody.go("/datasets")
    pictures = {f"{number:02d}.png": noise_bytes(16, 16, seed=number) for number in range(40)}
    cut: list[str] = []

    def cut_once(route: Route) -> None:
        if cut:
            route.continue_()
        else:
            cut.append(route.request.url)
            route.abort("connectionreset")

    page.route("**/api/datasets/*/items", cut_once)
    page.locator("input[type=file]").set_input_files(_chosen(pictures | {"bad.png": b"no picture"}))
    page.get_by_label("Name").fill("noise")
    page.get_by_role("button", name="Upload").click()

    expect(page.get_by_text("What has arrived is kept")).to_be_visible()
    expect(page.get_by_text("1 file was refused")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("bad.png The picture is not a readable")
    somebody.require_accessible()
    page.get_by_role("link", name="Open the dataset").click()
    expect(page.get_by_role("heading", name="noise")).to_be_visible()
    dataset_id = page.url.rpartition("/")[2]
    assert len(cut) == 1
    assert _kept(user, dataset_id) == sorted(pictures)

    more = {"40.png": noise_bytes(16, 16, seed=40), "39.png": pictures["39.png"]}
    page.locator("input[type=file]").set_input_files(_chosen(more))
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("41 of 41 pictures may be trained on")).to_be_visible()
    assert _kept(user, dataset_id) == sorted(pictures | more)


def test_a_dropped_folder_is_uploaded_with_everything_below_it(people: People, user: User, tmp_path: Path) -> None:
    somebody = people(user)
    page = somebody.page
    somebody.go("/datasets")
    pictures = {"cats/one.png": picture_bytes(64, 64), "cats/more/two.png": picture_bytes(64, 48)}
    for name, data in (pictures | {"cats/.hidden": b"x"}).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    somebody.drop(tmp_path / "cats", page.get_by_role("group", name="New dataset"))
    expect(page.get_by_text("2 files chosen")).to_be_visible()
    page.get_by_label("Name").fill("dropped")
    page.get_by_role("button", name="Upload").click()

    expect(page.get_by_role("heading", name="dropped")).to_be_visible()
    assert _kept(user, page.url.rpartition("/")[2]) == sorted(pictures)


def _chosen(files: Mapping[str, bytes]) -> list[FilePayload]:
    return [{"name": name, "mimeType": "image/png", "buffer": data} for name, data in files.items()]


def _kept(user: User, dataset_id: str) -> list[str]:
    return sorted(item["original_name"] for item in user.get(f"/datasets/{dataset_id}/items", page_size=200))


def test_a_picture_that_is_rejected_is_not_trained_on(people: People, user: User) -> None:
    dataset_id = user.upload()
    somebody = people(user)
    somebody.go(f"/datasets/{dataset_id}")
    somebody.page.get_by_label("Approved").first.click()
    expect(somebody.page.get_by_text("Not trained on")).to_be_visible()
    expect(somebody.page.get_by_text("1 of 2 pictures may be trained on")).to_be_visible()


def test_what_the_report_finds_is_mended_by_a_click(people: People, user: User) -> None:
    picture = next(PHOTOGRAPHS.glob("coffee-*.jpg")).read_bytes()
    dataset_id = user.upload({"one.jpg": picture, "one.txt": b"a cup", "two.jpg": picture})
    user.wait(user.start(dataset_id=dataset_id, name="cups"), "completed")
    somebody = people(user)
    page = somebody.page
    somebody.go(f"/datasets/{dataset_id}")
    expect(page.get_by_role("region", name="Jobs")).to_contain_text("cups")
    somebody.photograph("dataset-report")
    page.locator("[data-problem='no_caption']").get_by_role("link", name="Show them").click()
    expect(page.get_by_text("1 picture with this problem")).to_be_visible()
    page.get_by_role("link", name="Show all").click()
    page.get_by_role("button", name="Leave 1 out").click()
    expect(page.get_by_text("1 of 2 pictures may be trained on")).to_be_visible()
    expect(page.locator("[data-problem='near_duplicate']")).to_have_count(0)
    page.get_by_text("Uses", exact=True).first.click()
    somebody.require_accessible()


def test_a_file_that_is_no_picture_is_refused_with_a_sentence(people: People, user: User, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_text("not a picture")
    somebody = people(user)
    somebody.go("/datasets")
    somebody.page.locator("input[type=file]").set_input_files(tmp_path / "cat.png")
    somebody.page.get_by_label("Name").fill("none")
    somebody.page.get_by_role("button", name="Upload").click()
    expect(somebody.page.get_by_role("alert")).to_contain_text("cat.png")


def test_jobs_are_compared_by_curve_and_by_what_differs(people: People, user: User) -> None:
    dataset_id = user.upload()
    for rank, steps in ((4, 600), (32, 1000)):
        config = {"lora_rank": rank, "steps": steps}
        user.wait(user.start(name=f"rank {rank}", dataset_id=dataset_id, config=config), "completed")
    somebody = people(user)
    page = somebody.page
    page.get_by_role("link", name="Analytics").click()
    expect(page.get_by_role("heading", name="Analytics", level=1)).to_be_visible()
    for rank in (4, 32):
        page.get_by_label(f"Compare rank {rank}", exact=True).check()
    somebody.photograph("analytics")
    page.get_by_role("button", name="Compare the chosen").click()
    expect(page.get_by_role("img", name="Loss")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("config.lora_rank"))).to_contain_text("32")
    expect(page.get_by_role("row", name=re.compile("^Last loss"))).to_contain_text("step 1,000")
    expect(page.get_by_role("img", name=re.compile("^rank"))).to_have_count(2)
    somebody.photograph("compare")

    page.get_by_role("button", name="Baseline: rank 4").click()
    expect(page.get_by_role("row", name=re.compile("^Last loss"))).to_contain_text("from the baseline")
    expect(page).to_have_url(re.compile("baseline="))
    mark = page.locator("main thead [data-run] circle").last
    # Beside a run of the same colour it is a ring.
    color = next(each for each in (mark.get_attribute("fill"), mark.get_attribute("stroke")) if each != "none")
    somebody.require_accessible()
    page.get_by_role("link", name="rank 32").click()
    expect(page.locator("main [data-run] circle").first).to_have_attribute("fill", color or "")
    second = page.url.partition("/jobs/")[2].partition("?")[0]
    chart = page.get_by_role("img", name="Loss")
    expect(chart).to_contain_text("rank 4")
    page.get_by_label("Filter metrics").fill("RATE")
    expect(page.get_by_role("img", name="Learning rate")).to_contain_text("rank 4")
    expect(chart).to_have_count(0)
    page.get_by_label("Filter metrics").fill("nothing")
    expect(page.get_by_text("There are: Loss, Learning rate")).to_be_visible()
    page.reload()
    page.get_by_label("Filter metrics").fill("")
    page.get_by_role("button", name="Baseline: rank 32").click()
    expect(chart).to_be_visible()
    expect(chart).not_to_contain_text("rank 4")
    somebody.go("/jobs")
    expect(somebody.row(second).locator("polyline")).to_have_attribute("stroke", color or "")
    expect(somebody.row(second)).to_contain_text("baseline")


def test_the_catalogue_says_what_is_ready_and_adapters_are_fetched_by_name(people: People, user: User) -> None:
    for _ in range(2):
        user.wait(user.start("sks cup", name="فنجان"), "completed")
    somebody = people(user)
    page = somebody.page
    page.get_by_role("link", name="Models").click()
    expect(page.locator("[data-status='ready']").first).to_be_visible()
    somebody.photograph("models")
    page.get_by_role("button", name="2 versions").click()
    with page.expect_download() as download:
        page.locator("[data-model='فنجان']").nth(1).get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "فنجان-1.safetensors"
    somebody.require_accessible()


def test_another_users_datasets_and_adapters_are_not_shown(people: People, user: User, stranger: User) -> None:
    dataset_id = user.upload()
    user.wait(user.start(dataset_id=dataset_id, name="mine"), "completed")
    somebody = people(stranger)
    somebody.go(f"/datasets/{dataset_id}")
    expect(somebody.page.get_by_role("alert")).to_be_visible()
    somebody.go("/datasets")
    expect(somebody.page.get_by_role("heading", name="No datasets yet")).to_be_visible()
    somebody.go("/models")
    expect(somebody.page.get_by_role("heading", name="No adapters yet")).to_be_visible()


def test_on_a_persian_phone_no_page_scrolls_sideways(people: People, user: User) -> None:
    user.wait(user.start("گربه", name="گربه‌ی من"), "completed")
    somebody = people(user, viewport=PHONE)
    page = somebody.page
    page.get_by_label("Language").select_option("fa")
    expect(page.get_by_role("heading", level=1)).to_have_text("کارها")
    for path in ("/datasets", "/models", "/analytics", "/jobs/new"):
        somebody.go(path)
        expect(page.locator("html")).to_have_attribute("dir", "rtl")
        expect(page.get_by_role("radio" if path == "/jobs/new" else "main").first).to_be_visible()
        expect(page.locator(".mantine-Skeleton-root")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    somebody.photograph("new-job-persian-phone")
