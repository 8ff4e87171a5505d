"""A program's page with what each source says, and the form for residents' reports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from answering import SURGERY, answered
from lxml import html
from playwright.sync_api import Page, expect
from serving import NOON, PASSWORD, Serve, Served, serving, words
from test_web_browser import log_in

from extractors import Policy, Stance, Visa
from monitor import clock
from sources.deciding import accept, settle
from store import changes, evidence, policies
from store.database import Store
from web.limits import Limit
from web.site import Limits, Site, SiteSettings

PAGE = f"/programs/{SURGERY}"


@pytest.fixture
def served(database: Path) -> Iterator[Served]:
    """The site, whose visitors are not counted."""
    with serving(
        Site(database, clock.fixed(NOON), limits=Limits(report=Limit("report", 10_000)))
    ) as s:
        yield s


def test_a_page_of_which_only_its_pages_speak_shows_no_sides(served: Served) -> None:
    shown = served.get(PAGE).text
    assert "What each source says" not in shown
    assert "In its own words" in shown
    assert served.get(f"/api/v1{PAGE}/sides").json() == {"items": [], "disputed": []}
    served.get("/api/v1/programs/nowhere/sides", 404)


def test_a_disagreement_is_shown_with_all_sides_until_it_is_settled(
    served: Served, database: Path
) -> None:
    with Store(database) as store:
        number = answered(store)
        assert "both" not in words(served.page(PAGE))  # what nobody has read is not published
        accept(store, number, by="ada", now=NOON)
    shown = words(served.page(PAGE))
    assert "They disagree on H-1B." in shown
    assert "In its own words" not in shown  # the page's words are one side of several
    assert "which one decides, stands below" in shown
    assert "We sponsor <b>both</b>." in shown
    assert "The program's coordinator, in writing" in shown
    assert "says otherwise" in shown
    assert "ada" not in shown
    sides = served.get(f"/api/v1{PAGE}/sides").json()
    assert sides["disputed"] == ["H-1B"]
    said = {(s["visa"], s["channel"]): (s["stance"], s["role"]) for s in sides["items"]}
    assert said["H-1B", "coordinator"] == ("sponsored", "decides")
    assert said["H-1B", "website"] == ("not_sponsored", "disagrees")
    with Store(database) as store:
        truth = Policy(((Visa.J1, Stance.SPONSORED), (Visa.H1B, Stance.NOT_SPONSORED)))
        settle(store, SURGERY, truth, by="ada", note="called Pat", now=NOON)
    shown = words(served.page(PAGE))
    assert "They disagree" not in shown
    assert "a maintainer knew of it and found otherwise" in shown
    assert "called Pat" not in shown
    settled = served.get(f"/api/v1{PAGE}/sides")
    assert settled.json()["disputed"] == []
    assert "set_aside" in settled.text
    assert "called Pat" not in settled.text


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


def test_an_answer_is_read_in_the_review_room(users: Path, serve: Serve) -> None:
    with Store(users) as store:
        first, second, third = (answered(store, key) for key in ("a", "b", "c"))
    ben = serve(users).enter("ben", PASSWORD)
    queue = ben.page("/review")
    assert "Answers and reports to read" in words(queue)
    assert queue.xpath("//a[starts-with(@href, '/review/evidence/')]/@href")[0] == (
        f"/review/evidence/{first}"
    )
    where = f"/review/evidence/{first}"
    text = words(ben.page(where))
    assert "We sponsor <b>both</b>." in text
    assert "waits to be read" in text

    done = ben.send(where, f"{where}/decision", verdict="accepted")
    assert (done.status_code, done.headers["location"]) == (303, f"/review/evidence/{second}")
    late = ben.client.post(
        f"{where}/decision", data={"verdict": "rejected", "form": _token(ben, "/review")}
    )
    assert late.status_code == 409
    assert "Accepted by ben" in words(html.document_fromstring(late.text))
    ben.send(
        f"/review/evidence/{second}", f"/review/evidence/{second}/decision", verdict="rejected"
    )
    wrongly = {"stance:J-1": "sponsored", "stance:H-1B": "not_sponsored"}
    where = f"/review/evidence/{third}"
    done = ben.send(where, f"{where}/decision", verdict="corrected", **wrongly)
    assert done.headers["location"] == "/review"
    with Store(users) as store:
        assert [evidence.get(store, n).state for n in (first, second, third)] == [
            "accepted",
            "rejected",
            "accepted",
        ]
        assert evidence.get(store, third).said["stances"]["H-1B"] == "not_sponsored"
    wrong = ben.client.post(where + "/decision", data={"form": _token(ben, "/review")})
    assert wrong.status_code == 422


def _token(visitor: Served, page: str) -> str:
    (token, *_) = visitor.page(page).xpath("//input[@name='form']/@value")
    return str(token)


def test_the_item_of_a_disagreement_has_all_sides_and_why(users: Path, serve: Serve) -> None:
    with Store(users) as store:
        accept(store, answered(store), by="ada", now=NOON)
        (change,) = changes.of_program(store, SURGERY)
    ben = serve(users).enter("ben", PASSWORD)
    assert change.status == "open"
    for page in (f"/review/{change.id}", f"/review/readings/{SURGERY}"):
        text = words(ben.page(page))
        for said in (
            "the sources disagree",
            "What stands and why: The program's coordinator, in writing (0.96), which weighs most "
            "of what counts. Against it: The program's own page (0.92).",
            "program coordinator, 2026-11-20 09:00 UTC, 2027 Match",
            "We sponsor <b>both</b>.",
            "says otherwise",
        ):
            assert said in text, page
    done = ben.send(
        f"/review/{change.id}", f"/review/{change.id}/decision", verdict="dismissed", note="fellows"
    )
    assert done.status_code == 303
    text = words(ben.page(f"/review/{change.id}"))
    assert "What stands and why: A maintainer's finding" in text
    assert "fellows" in text
    with Store(users) as store:
        assert changes.get(store, change.id).status == "dismissed"
        stands = policies.standing(store, [SURGERY])[SURGERY].policy
        assert stands["stances"]["H-1B"] == "not_sponsored"


def test_visitors_behind_a_proxy_are_told_apart_and_nobody_else_says_who_they_are(
    database: Path, serve: Serve
) -> None:
    """Of a trusted proxy the address counts that it has added; what a visitor sent before, not."""
    site = serve(database)

    def report(passed_on: str, sender: str = "127.0.0.1") -> int:
        transport = httpx.HTTPTransport(local_address=sender)
        with httpx.Client(base_url=site.origin, transport=transport) as client:
            form = {"visa": "J-1", "season": 2026}
            headers = {"X-Forwarded-For": passed_on}
            return client.post(f"{PAGE}/report", data=form, headers=headers).status_code

    assert report("203.0.113.1") == 200
    assert report("203.0.113.2") == 200
    assert report("198.51.100.9, 203.0.113.2") == 200  # the same visitor, who made one up
    with Store(database) as store:
        assert len(evidence.waiting(store)) == 2
    assert report("203.0.113.3", sender="127.0.0.2") == 200  # no proxy of ours
    assert report("203.0.113.4", sender="127.0.0.2") == 200
    with Store(database) as store:
        assert len(evidence.waiting(store)) == 3


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


def test_a_maintainer_reads_an_answer_and_settles_it_on_a_phone(
    users: Path, serve: Serve, browser_page: Page
) -> None:
    page, served = browser_page, serve(users)
    with Store(users) as store:
        number = answered(store)
    page.set_viewport_size({"width": 375, "height": 740})
    log_in(page, served, "ben")
    page.locator(f"a[href='/review/evidence/{number}']").click()
    expect(page.locator("blockquote").first).to_have_text("We sponsor <b>both</b>.")
    page.get_by_role("button", name="Accept").click()
    page.wait_for_url("**/review")
    with Store(users) as store:
        (change,) = changes.of_program(store, SURGERY)
    # What counts now contradicts the page: an item of its own, with all sides.
    page.goto(f"{served.origin}/review/{change.id}")
    main = page.locator("main")
    expect(main).to_contain_text("the sources disagree")
    expect(main).to_contain_text("program coordinator, 2026-11-20")
    wide = "document.documentElement.scrollWidth > window.innerWidth"
    assert not page.evaluate(wide)
    page.locator("summary", has_text="Dismiss").click()
    page.get_by_label("Why? It is kept with the decision.").fill("she meant fellows")
    page.get_by_role("button", name="Dismiss").click()
    page.wait_for_url(re.compile(r"/review(/\d+\?done=\d+)?$"))
    page.goto(served.origin + PAGE)
    expect(main).to_contain_text("a maintainer knew of it and found otherwise")
    expect(main).not_to_contain_text("she meant fellows")
    assert not page.evaluate(wide)
    with Store(users) as store:
        assert policies.standing(store, [SURGERY])[SURGERY].policy["stances"]["H-1B"] == (
            "not_sponsored"
        )
