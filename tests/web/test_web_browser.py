"""The review room in Chromium: by key, by two at once, and with a page that means harm."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hostile import NAME, SHOWN, hostile
from playwright.sync_api import Browser, Page, expect
from serving import PASSWORD, Serve, Served

from store import changes, verdicts
from store.database import Store


def log_in(page: Page, served: Served, name: str) -> None:
    """From a page that asks for it."""
    page.goto(f"{served.origin}/review")
    expect(page.get_by_label("Name")).to_be_focused()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/review")


def test_three_changes_are_reviewed_by_key(users: Path, serve: Serve, browser_page: Page) -> None:
    page, served = browser_page, serve(users)
    log_in(page, served, "ada")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/review/1")
    page.keyboard.press("a")
    page.wait_for_url("**/review/2?done=1")
    page.keyboard.press("d")
    page.keyboard.type("an old page")
    page.keyboard.press("Enter")
    page.wait_for_url("**/review/3?done=2")
    page.keyboard.press("c")
    expect(page.get_by_label("Is it sponsored?").first).to_be_focused()
    page.keyboard.type("cond")  # as one chooses in a list by key
    page.get_by_label("Note").press("Enter")
    page.wait_for_url("**/review/4?done=3")
    with Store(users) as store:
        statuses = [changes.get(store, number).status for number in (1, 2, 3)]
        correction = verdicts.of_change(store, 3)[-1].policy
    assert statuses == ["accepted", "dismissed", "corrected"]
    assert correction
    assert correction["stances"]["J-1"] == "conditional"
    page.keyboard.press("u")
    page.wait_for_url("**/review/3")
    expect(page.locator(".trail").first).to_contain_text("undone by ada")
    page.keyboard.press("k")  # there is none before it that waits
    page.keyboard.press("?")
    expect(page.get_by_text("back to the queue")).to_be_in_viewport()
    assert page.evaluate("scrollY") == 0  # where one read is not lost
    page.keyboard.press("Escape")
    expect(page.locator("#help")).not_to_have_attribute("open", "")
    page.keyboard.press("j")
    page.wait_for_url("**/review/4")
    page.keyboard.press("q")
    page.wait_for_url("**/review")


def test_a_second_reviewer_is_shown_what_the_first_decided(
    users: Path, serve: Serve, browser: Browser, browser_page: Page
) -> None:
    served = serve(users)
    with browser.new_context() as other:
        first, second = browser_page, other.new_page()
        for page, name in ((first, "ada"), (second, "ben")):
            log_in(page, served, name)
            page.goto(f"{served.origin}/review/1")
        first.keyboard.press("a")
        first.wait_for_url("**/review/2?done=1")
        with second.expect_navigation() as gone:
            second.keyboard.press("a")
        assert gone.value
        assert gone.value.status == 409
        expect(second.get_by_role("alert")).to_contain_text("Somebody was faster")
        expect(second.locator(".trail").first).to_contain_text("accepted by ada")
    with Store(users) as store:
        assert [r.by for r in verdicts.of_change(store, 1)] == ["ada"]


@pytest.mark.parametrize("nested", [500, 100_000])
def test_a_page_that_means_harm_is_text_and_runs_nothing(
    users: Path, serve: Serve, browser_page: Page, nested: int
) -> None:
    hostile(users, nested)
    page, served = browser_page, serve(users)
    page.set_default_timeout(60_000)  # so many tags take a few seconds on a busy machine
    asked: list[str] = []
    harm: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (harm.append(dialog.message), dialog.dismiss()))
    page.on("popup", lambda popup: harm.append(popup.url))
    log_in(page, served, "ada")
    expect(page.locator("main")).to_contain_text(NAME)
    with page.expect_response("**/review/5/page/after/*") as framed:
        page.goto(f"{served.origin}/review/5")
    assert framed.value.status == 200
    expect(page.locator(".source blockquote").last).to_have_text(SHOWN)
    frame = page.frame_locator("iframe").last
    expect(frame.locator("mark")).to_have_text(SHOWN)
    expect(frame.locator("body")).to_contain_text("Deep down.")
    source = page.locator("iframe").last.get_attribute("src")
    page.goto(f"{served.origin}{source}")  # by itself, it is no more than in its frame
    expect(page.locator("mark")).to_have_text(SHOWN)
    assert page.locator("script, svg, img, form, iframe, base, meta[http-equiv]").count() == 0
    for path in ("/?q=hospital", "/programs/evil", "/changes", "/changes/5", "/feeds/all.atom"):
        page.goto(served.origin + path)
    page.goto(f"{served.origin}/changes/5")
    expect(page.locator("main")).to_contain_text("</textarea><script>alert(1)</script>")
    assert harm == []
    assert [url for url in asked if not url.startswith(f"{served.origin}/")] == []
    assert not re.search(r"href=.javascript", page.content())
