"""What changed: by week, word by word, in the matrix, and over a program's time."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from serving import NOON, Serve, Served, words

from extractors import Policy
from monitor.review import decide
from monitor.taken_back import BY_ITSELF
from monitor.timeline import timeline
from store import changes, policies, programs, verdicts
from store.database import Store
from store.records import Change, Program, Review, stamp
from web.picture import WIDTH, picture

HOSTILE = "<img src=x onerror=alert(1)> &amp; \u202e {{7*7}} ]]>"


def stories(served: Served, path: str = "/changes") -> list[str]:
    return [words(item) for item in served.page(path).cssselect(".stories li")]


def flag_again(database: Path, weeks: int) -> Change:
    """Flags the first change once more, so many weeks earlier."""
    with Store(database) as store, store.writing():
        first = changes.get(store, 1)
        at = stamp(NOON - timedelta(weeks=weeks))
        cycle = store.write("INSERT INTO cycles (started_at) VALUES (?)", (at,))
        change = changes.flag(store, replace(first, cycle_id=cycle, detected_at=at))
    assert change is not None
    return change


def test_the_week_has_its_changes_the_newest_first(public: Served) -> None:
    found = stories(public)
    assert len(found) == 4
    assert "Geriatric Medicine now sponsors H-1B" in found[0] + found[1]
    assert "Internal Medicine no longer sponsors H-1B" in found[2] + found[3]
    assert all("not reviewed yet" in story for story in found)
    assert stories(public, "/changes?week=2026-W48") == found
    assert stories(public, "/changes?week=2026-W47") == []
    assert "week: must be a week, such as 2026-W48" in public.get("/changes?week=soon", 422).text


def test_weeks_lead_to_weeks_with_changes(database: Path, serve: Serve) -> None:
    flag_again(database, 5)
    served = serve(database)
    page = served.page("/changes")
    (earlier,) = page.cssselect('.weeks a[rel="prev"]')
    assert earlier.get("href") == "/changes?week=2026-W43"
    before = served.page(earlier.get("href"))
    assert [a.get("href") for a in before.cssselect(".weeks a")] == ["/changes?week=2026-W48"]
    between = served.page("/changes?week=2026-W45")
    assert "Nothing changed in this week" in words(between)
    assert len(between.cssselect(".weeks a")) == 2


def test_what_became_of_a_change_is_said_and_not_by_whom(database: Path, serve: Serve) -> None:
    with Store(database) as store:
        decide(store, 1, "accepted", by="ada-the-reviewer", note="secret-note", now=NOON)
        decide(store, 2, "dismissed", by="ada-the-reviewer", note="secret-note", now=NOON)
        with store.writing():
            verdicts.decide(store, Review(3, "dismissed", BY_ITSELF, "", stamp(NOON)))
    served = serve(database)
    text = served.get("/changes").text
    for said in (
        "confirmed by a maintainer on 2026-11-24",
        "dismissed by a maintainer on 2026-11-24: the policy from before stands",
        "taken back by the program before anybody reviewed it",
    ):
        assert said in text
    for path in (
        "/changes",
        "/changes/1",
        "/changes/2",
        "/programs/lantern-hill-internal-medicine",
    ):
        answer = served.get(path)
        assert not re.search("ada-the-reviewer|secret-note", answer.text)


def test_a_correction_is_told_as_what_it_leads_to(database: Path, serve: Serve) -> None:
    with Store(database) as store:
        change = changes.get(store, 1)
        truth = Policy.from_json({**change.after, "stances": {"J-1": "not_sponsored"}})
        decide(store, 1, "corrected", by="ada", now=NOON, policy=truth)
    page = serve(database).page("/changes/1")
    assert "corrected by a maintainer" in words(page)
    assert "not sponsored" in words(page.cssselect("tbody")[0])


def test_nothing_changed_yet(tmp_path: Path, serve: Serve) -> None:
    with Store(tmp_path / "new.db") as store, store.writing():
        programs.save(store, [Program("im", "Fernway Hospital", "Internal Medicine")])
    assert "Nothing has changed" in words(serve(tmp_path / "new.db").page("/changes"))


@pytest.mark.parametrize("query", ["week=2026-W99", "week=x", "week=2026-11-01", "page=0"])
def test_no_such_week(public: Served, query: str) -> None:
    public.get(f"/changes?{query}", 422)


def test_many_changes_come_in_pages(database: Path, serve: Serve) -> None:
    with Store(database) as store, store.writing():
        first = changes.get(store, 1)
        for _ in range(103):
            cycle = store.write("INSERT INTO cycles (started_at) VALUES (?)", (stamp(NOON),))
            changes.flag(store, replace(first, cycle_id=cycle, detected_at=stamp(NOON)))
    served = serve(database)
    assert len(stories(served)) == 50
    (link,) = served.page("/changes?page=2").cssselect('a[rel="next"]')
    assert len(stories(served, link.get("href"))) == 7


def test_a_change_word_by_word(public: Served) -> None:
    page = public.page("/changes/1")
    text = words(page)
    assert [words(th) for th in page.cssselect("thead th")] == ["before", "after"]
    assert "not reviewed yet" in text
    assert page.cssselect(".diff del")
    assert page.cssselect(".diff ins")
    public.get("/changes/99", 404)
    public.get("/changes/x", 422)


def test_page_text_in_a_change_is_text(database: Path, serve: Serve) -> None:
    with Store(database) as store, store.writing():
        first = changes.get(store, 1)
        evidence = [
            {**e, "quote": HOSTILE, "context": HOSTILE, "url": "javascript:alert(1)"}
            for e in first.after["evidence"]
        ]
        cycle = store.write("INSERT INTO cycles (started_at) VALUES (?)", (stamp(NOON),))
        after = {**first.after, "evidence": evidence}
        change = changes.flag(
            store, replace(first, cycle_id=cycle, after=after, url="javascript:alert(1)")
        )
        standing = policies.standing(store)[first.program_id]
        policies.record(store, replace(standing, policy=after))
    assert change is not None
    served = serve(database)
    for path in (f"/changes/{change.id}", f"/programs/{first.program_id}"):
        answer = served.get(path)
        page = served.page(path)
        assert not page.xpath("//img | //@onerror | //*[starts-with(@href, 'javascript')]")
        assert "\u202e" not in answer.text
        assert "<img src=x onerror=alert(1)>" in words(page)


def test_the_matrix_leads_to_its_programs(public: Served) -> None:
    page = public.page("/matrix")
    rows = {words(r.cssselect("th")[0]): r for r in page.cssselect("tbody tr")}
    counts = [int(words(td)) for td in page.cssselect("tfoot td")]
    assert counts[-1] == sum(counts[:-1]) == 17
    (link, total) = rows["Dermatology"].cssselect("a")
    assert link.get("href") == "/?specialty=Dermatology&category=h1b_only"
    found = public.page(link.get("href")).cssselect(".result")
    assert len(found) == int(words(link)) == int(words(total)) == 1


def test_the_timeline_is_a_picture_and_the_same_in_words(public: Served) -> None:
    page = public.page("/programs/quillwater-emergency-medicine")
    (drawing,) = page.cssselect("svg.timeline")
    bars = [words(title) for title in drawing.cssselect("rect title")]
    assert bars == [
        "J-1 sponsored, since 2026-11-22",
        "H-1B sponsored, 2026-11-22 to 2026-11-24",
        "H-1B conditional, since 2026-11-24",
    ]
    told = [words(line) for line in page.cssselect(".history li")]
    assert len(told) == 3
    assert "2026-11-22 to 2026-11-24 J-1 and H-1B when its pages were first read" in told[2]
    assert "A change was flagged" in told[1] or "A change was flagged" in told[0]
    assert "Season of the 2027 Match" in words(page)


def test_years_are_drawn_within_the_picture(database: Path) -> None:
    program = "quillwater-emergency-medicine"
    with Store(database) as store:
        with store.writing():
            standing = policies.standing(store)[program]
            for days in range(30, 1500, 90):
                at = NOON + timedelta(days=days)
                stance = "sponsored" if days % 4 else "not_sponsored"
                policy = {**standing.policy, "stances": {"J-1": stance, "O-1": "conditional"}}
                policies.record(store, replace(standing, since=stamp(at), policy=policy))
        drawn = picture(timeline(store, program), NOON + timedelta(days=1500))
    assert drawn is not None
    assert [lane.name for lane in drawn.lanes] == ["J-1", "H-1B", "O-1"]
    assert [season.words for season in drawn.seasons] == [
        "2028 Match", "2029 Match", "2030 Match", "2031 Match",
    ]  # fmt: skip
    for lane in drawn.lanes:
        for bar in lane.bars:
            assert drawn.left <= bar.x
            assert bar.x + bar.width <= WIDTH + 2
            assert bar.width > 1
