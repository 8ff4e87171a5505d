"""A program's page with what each source says, and the form for residents' reports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page
from serving import NOON, Served, serving, words

from extractors import Policy, Stance, Visa
from monitor import clock
from sources.deciding import accept, settle
from store import evidence
from store.database import Store
from store.evidence import Saying
from web.limits import Limit
from web.site import Limits, Site, SiteSettings

SURGERY = "lantern-hill-surgery"  # whose page says J-1 only
PAGE = f"/programs/{SURGERY}"


@pytest.fixture
def served(database: Path) -> Iterator[Served]:
    """The site, whose visitors are not counted."""
    with serving(Site(database, clock.fixed(NOON), limits=Limits(report=Limit(10_000, 3600)))) as s:
        yield s


def answered(store: Store, *, read: bool) -> int:
    """Files a coordinator's answer that contradicts the page."""
    said = {"stances": {"J-1": "sponsored", "H-1B": "sponsored"}, "conditions": []}
    quote = "We sponsor <b>both</b>."
    saying = Saying(SURGERY, "coordinator", 2027, "2026-11-20T09:00:00Z", said, "k", quote=quote)
    with store.writing():
        number = evidence.add(store, saying)
    assert number is not None
    if read:
        accept(store, number, by="ada", now=NOON)
    return number


def test_a_page_of_which_only_its_pages_speak_shows_no_sides(served: Served) -> None:
    assert "What each source says" not in served.get(PAGE).text


def test_a_disagreement_is_shown_with_all_sides_until_it_is_settled(
    served: Served, database: Path
) -> None:
    with Store(database) as store:
        number = answered(store, read=False)
        assert "both" not in words(served.page(PAGE))  # what nobody has read is not published
        accept(store, number, by="ada", now=NOON)
    shown = words(served.page(PAGE))
    assert "They disagree on H-1B." in shown
    assert "We sponsor <b>both</b>." in shown
    assert "The program's coordinator, in writing" in shown
    assert "says otherwise" in shown
    assert "ada" not in shown
    with Store(database) as store:
        truth = Policy(((Visa.J1, Stance.SPONSORED), (Visa.H1B, Stance.NOT_SPONSORED)))
        settle(store, SURGERY, truth, by="ada", note="called Pat", now=NOON)
    shown = words(served.page(PAGE))
    assert "They disagree" not in shown
    assert "a maintainer knew of it and found otherwise" in shown
    assert "called Pat" not in shown


def test_a_report_is_filed_without_a_trace_of_the_visitor(served: Served, database: Path) -> None:
    answer = served.send(f"{PAGE}/report", visa="H-1B", season="2026")
    assert answer.status_code == 200
    assert "second resident" in answer.text
    with Store(database) as store:
        (saying,) = evidence.waiting(store)
        assert (saying.program_id, saying.season, saying.state) == (SURGERY, 2026, "waiting")
        assert "127.0.0.1" not in saying.who
    assert "one report, which nobody has confirmed" in words(served.page(PAGE))


def test_reports_that_cannot_be_are_refused(served: Served, database: Path) -> None:
    path = f"{PAGE}/report"
    assert served.client.post(path, data={"visa": "H-1B", "season": 1990}).status_code == 422
    assert served.client.post(path, data={"visa": "B-2", "season": 2026}).status_code == 422
    gone = served.client.post("/programs/no/report", data={"visa": "J-1", "season": 2026})
    assert gone.status_code == 404
    trapped = {"visa": "H-1B", "season": 2026, "website": "https://spam.example"}
    assert served.client.post(path, data=trapped).status_code == 200
    with Store(database) as store:
        assert evidence.waiting(store) == []


def test_one_visitor_reports_only_so_often(served: Served) -> None:
    for visa in ("J-1", "H-1B", "O-1"):
        assert served.send(f"{PAGE}/report", visa=visa, season="2026").status_code == 200
    assert served.send(f"{PAGE}/report", visa="TN", season="2026").status_code == 429


def test_the_form_in_a_browser_on_a_phone(database: Path, browser_page: Page) -> None:
    with serving(Site(database, clock.fixed(NOON), SiteSettings())) as served:
        browser_page.set_viewport_size({"width": 360, "height": 740})
        browser_page.goto(served.origin + PAGE)
        browser_page.get_by_role("link", name="You train here?").click()
        browser_page.get_by_label("Visa", exact=True).select_option("H-1B")
        browser_page.get_by_label("Season in which it was so").select_option("2026")
        browser_page.get_by_role("button", name="Send the report").click()
        browser_page.get_by_text("Your report is kept without your name").wait_for()
        wide = "document.documentElement.scrollWidth > window.innerWidth"
        assert not browser_page.evaluate(wide)
