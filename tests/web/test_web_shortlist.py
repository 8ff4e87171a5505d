"""`/shortlist` and `/calendar`: for everybody, on a phone and without a script."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from icalendar import Calendar
from playwright.sync_api import Browser, Page, expect
from serving import Serve, Served, words
from starlette.datastructures import QueryParams

from shortlist.profile import profile
from store import invitations
from store.database import Store
from web import profile_form

MINE = "visa=either&prefers=H-1B&step3=planned&step3_on=2027-01-15&ecfmg=certified"


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def phone(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A phone, with JavaScript or without."""
    with browser.new_context(
        viewport={"width": 375, "height": 667},
        has_touch=True,
        is_mobile=True,
        java_script_enabled=request.param,
    ) as context:
        context.set_default_timeout(15_000)
        yield context.new_page()


def programs_of(served: Served, query: str) -> list[str]:
    """The programs of a list, as its CSV file has them."""
    text = served.get(f"/shortlist.csv?{query}").content.decode("utf-8-sig")
    return [row["program_id"] for row in csv.DictReader(io.StringIO(text))]


def test_the_list_of_an_address(public: Served) -> None:
    page = public.page(f"/shortlist?{MINE}")
    text = words(page)
    assert "let you in, or may" in text
    assert "it does not sponsor the J-1" in text  # why some are ruled out
    assert "A mail to its coordinator, drafted" in text
    assert "Rules of the land" in text
    assert "DS-2019" in text
    assert "no chance of an interview" in text
    listed = [a.get("href").rpartition("/")[2] for a in page.cssselect(".target h3 a")]
    assert listed == programs_of(public, MINE)
    assert "old-ferry-nephrology" not in listed  # citizens and permanent residents only


def test_nothing_of_a_profile_is_kept_or_found_by_search_engines(public: Served) -> None:
    answer = public.get(f"/shortlist?{MINE}")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("query", "name", "sentence"),
    [
        ("visa=tourist", "visa", "Input should be"),
        ("visa=J-1&step3=planned&step3_on=soon", "step3", "none of: passed"),
        ("visa=J-1&applications=0", "applications", "greater than or equal to 1"),
        ("visa=J-1&specialty=Alchemy", "specialties", "no watched program"),
        ("visa=J-1&cities=Atlantis", "places.0", "is no state"),
        ("visa=J-1&graduated=long+ago", "graduated", "valid integer"),
        ("visa=J-1&step2ck=900", "scores.Step 2 CK", "less than or equal to 300"),
        ("visa=J-1&w_luck=3", "weights.luck", "no such weight"),
        ("visa=J-1&nationality=%3Cb%3E", "nationality", "is not among"),
    ],
)
def test_a_bad_form_is_shown_again_with_its_faults(
    public: Served, query: str, name: str, sentence: str
) -> None:
    page = public.page(f"/shortlist?{query}", 422)
    (alert,) = page.cssselect("[role=alert]")
    assert f"{name}: " in words(alert)
    assert sentence in words(alert)
    assert page.cssselect("form[action='/shortlist']")
    assert sentence in public.get(f"/shortlist.csv?{query}", 422).text


def test_a_class_is_shown_whole(public: Served) -> None:
    page = public.page("/shortlist?visa=J-1&class=none&level=any")
    assert words(page.cssselect("#list")[0]) == "none, or citizens only"
    assert "ruled out" in words(page.cssselect(".target")[0])
    public.get("/shortlist?visa=J-1&class=nonsense", 422)


def test_files_for_a_calendar(public: Served) -> None:
    season = Calendar.from_ical(public.get("/calendar.ics").content)
    assert len(season.walk("VEVENT")) == 12
    own = Calendar.from_ical(public.get(f"/shortlist.ics?{MINE}").content)
    names = [str(event["summary"]) for event in own.walk("VEVENT")]
    assert any(name.startswith("H-1B: ") for name in names)
    page = public.page("/calendar")
    assert "Match Day" in words(page)
    assert "expected" in words(page)


def test_an_address_says_all_of_a_profile() -> None:
    mine = profile(
        {
            "visa": "either",
            "prefers": "J-1",
            "step3": "2027-01-15",
            "ecfmg": "no",
            "us_graduate": True,
            "in_us": False,
            "nationality": "India",
            "level": "any",
            "specialties": ["Neurology"],
            "places": ["MA", "Boston, MA"],
            "near": ["CT"],
            "applications": 7,
            "graduated": 2016,
            "scores": {"Step 2 CK": 245},
            "weights": {"near": 0, "visa": 9},
        }
    )
    assert profile(profile_form.values(QueryParams(profile_form.address(mine)))) == mine


def test_an_applicant_makes_a_list_on_a_phone(database: Path, serve: Serve, phone: Page) -> None:
    served = serve(database, home="https://visas.example", sender="watch@visas.example")
    phone.goto(served.origin)
    phone.get_by_role("link", name="Where to apply").tap()
    phone.get_by_label("I would train on").select_option("H-1B")
    phone.get_by_role("button", name="Show my list").tap()
    phone.wait_for_url(re.compile("visa=H-1B"))
    # Without a plan for Step 3 the H-1B is closed everywhere, and the page says what would open it.
    expect(phone.locator(".target")).to_have_count(0)
    phone.get_by_role("link", name="you pass Step 3 by 2026-12-31").tap()
    phone.wait_for_url(re.compile("step3=planned"))
    first = phone.locator(".target").first
    expect(first).to_contain_text("have Step 3 by")
    before = phone.locator(".target h3").all_inner_texts()
    # The weights are moved, and seen.
    phone.locator("summary", has_text="Change what you said").tap()
    phone.locator("summary", has_text="What matters to you").tap()
    phone.get_by_label("Fresh").fill("10")
    phone.get_by_role("button", name="Show my list").tap()
    phone.wait_for_url(re.compile("w_fresh=10"))
    score = phone.locator(".target").first.locator("details", has_text="Score")
    score.locator("summary").tap()
    expect(score).to_contain_text("by weight 10")
    assert sorted(phone.locator(".target h3").all_inner_texts()) == sorted(before)
    box = phone.locator("html").bounding_box()
    assert box
    assert box["width"] <= 376
    for part in phone.locator("main > *").all():
        inside = part.bounding_box()
        assert inside is None or inside["x"] + inside["width"] <= 376
    # The whole list is watched with one address and one link.
    phone.get_by_label("Your e-mail address").fill("ana@inbox.example")
    phone.get_by_role("button", name="Send me a link").tap()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    with Store(database) as store:
        (row,) = store.rows("SELECT token FROM invitations")
        wish = invitations.get(store, row["token"], served.site.now()).wish
    assert len(wish.program_ids) == len(before)


def test_a_list_is_printed_without_what_is_clicked(public: Served, browser_page: Page) -> None:
    page = browser_page
    page.goto(f"{public.origin}/shortlist?{MINE}")
    page.emulate_media(media="print")
    assert page.get_by_role("heading", name="After the Match").is_visible()
    assert page.locator(".checklist li").first.is_visible()
    for gone in page.locator(".top nav, .search, .search-again, .actions").all():
        assert not gone.is_visible()
