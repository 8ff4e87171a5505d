"""Atom feeds: valid, stable, escaped, and no more than was flagged."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import feedparser
import pytest
from alerts_bench import BOTH, J1_ONLY, NOW, PAGE, PROGRAMS, REWORDED, Bench, policy
from lxml import etree

from extractors.values import Stance
from monitor.alerts import MailError
from monitor.feeds import LONGEST, feeds, rendered
from monitor.feeds.building import file_name
from store import programs, verdicts
from store.database import Store
from store.records import Program, Review, stamp

ATOM = "{http://www.w3.org/2005/Atom}"
HOME = "https://visas.example"
HOSTILE = "<script>alert(1)</script> ]]> &amp; \x1b[2J\ufffe\u202eWe sponsor J-1 visas only."


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    with Store(tmp_path / "visawatch.db") as store:
        with store.writing():
            programs.save(store, PROGRAMS)
        yield Bench(store)


def documents(bench: Bench, base_url: str = HOME) -> dict[str, bytes]:
    return {feed.path: rendered(feed) for feed in feeds(bench.store, base_url=base_url)}


def parsed(document: bytes) -> Any:
    found = feedparser.parse(document, sanitize_html=False)
    assert not found.bozo, found.get("bozo_exception")
    return found


def review(bench: Bench, number: int, verdict: str, truth: dict[str, Any] | None = None) -> None:
    at = stamp(NOW + timedelta(hours=number))
    with bench.store.writing():
        verdicts.decide(bench.store, Review(number, verdict, "ada", "", at, truth))


def required(document: bytes) -> None:
    """Fails for what RFC 4287 (4.1.1, 4.1.2) does not allow."""
    feed = etree.fromstring(document)
    assert feed.tag == f"{ATOM}feed"
    for element in (feed, *feed.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            (one,) = element.findall(f"{ATOM}{name}")
            assert one.text
        assert re.fullmatch(r"tag:[a-z.]+,2026:[a-z0-9/.-]+", element.findtext(f"{ATOM}id"))
        for name in ("updated", "published"):
            for time in element.findall(f"{ATOM}{name}"):
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time.text)
        kinds = [(link.get("rel"), link.get("type")) for link in element.findall(f"{ATOM}link")]
        assert len(kinds) == len(set(kinds))
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    ids = [e.text for e in feed.findall(f"{ATOM}entry/{ATOM}id")]
    assert len(ids) == len(set(ids))


def test_a_change_is_in_the_feeds_of_all_its_institution_and_its_program(bench: Bench) -> None:
    bench.flag()
    made = documents(bench)
    harborview = f"institution/{file_name('Harborview Medical')}.atom"
    lakeside = f"institution/{file_name('Lakeside Health')}.atom"
    assert list(made) == [
        "all.atom", harborview, lakeside,
        "program/harborview-im.atom", "program/lakeside-fm.atom", "program/lakeside-surg.atom",
    ]  # fmt: skip
    for document in made.values():
        required(document)
    counts = {path: len(parsed(document).entries) for path, document in made.items()}
    assert [path for path, count in counts.items() if count] == [
        "all.atom", harborview, "program/harborview-im.atom",
    ]  # fmt: skip
    (entry,) = parsed(made["all.atom"]).entries
    assert entry.title == (
        "Not reviewed yet: Harborview Medical, Internal Medicine no longer sponsors H-1B"
    )
    assert (entry.id, entry.link) == ("tag:visas.example,2026:change/1", PAGE)
    assert (entry.published, entry.updated) == (stamp(NOW), stamp(NOW))
    (content,) = entry.content
    assert content.type == "text/html"
    for words in (
        "We sponsor J-1 and H-1B visas for our residents.",
        "We sponsor J-1 visas only; we do not sponsor H-1B.",
        "seen 2026-11-25 02:10 UTC",
        "not reviewed yet",
    ):
        assert words in content.value
    feed = parsed(made["all.atom"]).feed
    links = {link.rel: link.href for link in feed.links}
    assert links == {"self": f"{HOME}/feeds/all.atom", "alternate": f"{HOME}/"}


def test_nothing_changed_nothing_differs(bench: Bench) -> None:
    empty = documents(bench)
    required(empty["all.atom"])
    bench.flag()
    review(bench, 1, "accepted")
    first = documents(bench)
    assert documents(bench) == first
    bench.flag("lakeside-fm")
    second = documents(bench)
    assert second["program/harborview-im.atom"] == first["program/harborview-im.atom"]
    assert second["all.atom"] != first["all.atom"]


def test_a_decision_updates_the_entry(bench: Bench) -> None:
    for number, program in enumerate(PROGRAMS, 1):
        bench.flag(program.program_id, at=NOW + timedelta(minutes=number))
    review(bench, 1, "accepted")
    review(bench, 2, "dismissed")
    review(bench, 3, "corrected", policy(Stance.SPONSORED, Stance.CONDITIONAL, "As they say."))
    found = {e.id.rpartition("/")[2]: e for e in parsed(documents(bench)["all.atom"]).entries}
    assert [found[n].title.partition(":")[0] for n in "123"] == [
        "Harborview Medical, Internal Medicine no longer sponsors H-1B",
        "Dismissed",
        "Lakeside Health, Surgery now sponsors H-1B conditionally",
    ]
    assert [found[n].updated for n in "123"] == [stamp(NOW + timedelta(hours=n)) for n in (1, 2, 3)]
    assert "confirmed by a maintainer" in found["1"].content[0].value
    assert "the policy from before stands" in found["2"].content[0].value
    assert "As they say." in found["3"].content[0].value
    assert parsed(documents(bench)["all.atom"]).feed.updated == stamp(NOW + timedelta(hours=3))


def test_corrected_to_what_stood_before_is_dismissed(bench: Bench) -> None:
    bench.flag()
    review(bench, 1, "corrected", BOTH)
    (entry,) = parsed(documents(bench)["all.atom"]).entries
    assert entry.title.startswith("Dismissed: ")


def test_wording_is_left_out(bench: Bench) -> None:
    bench.flag(after=REWORDED, severity="minor", kind="wording_changed")
    assert parsed(documents(bench)["all.atom"]).entries == []


def test_the_newest_are_kept_and_come_first(bench: Bench) -> None:
    for number in range(LONGEST + 3):
        bench.flag(at=NOW + timedelta(hours=number))
    for path in ("all.atom", "program/harborview-im.atom"):
        found = parsed(documents(bench)[path]).entries
        numbers = [int(entry.id.rpartition("/")[2]) for entry in found]
        assert numbers == list(range(LONGEST + 3, 3, -1))


def test_one_page_of_many_programs_is_one_entry(bench: Bench) -> None:
    cycle = bench.flag("lakeside-fm").cycle_id
    other = bench.flag("lakeside-surg")
    with bench.store.writing():
        bench.store.write("UPDATE changes SET cycle_id = ? WHERE id = ?", (cycle, other.id))
    made = documents(bench)
    (entry,) = parsed(made["all.atom"]).entries
    assert "lakeside-fm" in entry.content[0].value
    assert "lakeside-surg" in entry.content[0].value
    (alone,) = parsed(made["program/lakeside-surg.atom"]).entries
    assert "lakeside-fm" not in alone.content[0].value
    assert alone.id != entry.id


def test_hostile_text_is_text(bench: Bench) -> None:
    evil = Program("evil", f"{HOSTILE} Clinic", '"><b>', website_url=PAGE)
    bench.add_program(evil)
    after = policy(Stance.SPONSORED, Stance.NOT_SPONSORED, HOSTILE, url="javascript:alert(1)")
    bench.flag("evil", after=after)
    for path, document in documents(bench).items():
        required(document)
        assert re.fullmatch(r"[a-z]+(/[a-z0-9.-]+)?\.atom", path)
        for entry in parsed(document).entries:
            value = entry.content[0].value
            assert "<script" not in value
            assert "<b>" not in value
            assert 'href="javascript' not in value
            assert "&lt;script&gt;alert(1)&lt;/script&gt;" in value
            assert not set("\x1b\ufffe\u202e") & set(document.decode())


def test_without_a_base_url_it_is_valid_and_says_no_place(bench: Bench) -> None:
    bench.flag(after=J1_ONLY)
    for document in documents(bench, "").values():
        required(document)
        assert "links" not in parsed(document).feed
    with pytest.raises(MailError, match=r"web\.base_url"):
        documents(bench, "visas.example")


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "A", "a", "ä", "a/b", "a:b", "", ".", "x" * 300, "日本"]
)
def test_file_names_are_safe_and_differ(name: str) -> None:
    made = file_name(name)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,70}", made)
    others = ["..", "A", "a", "ä", "a b", "a-b", "日", "x" * 299]
    assert made not in {file_name(other) for other in others if other != name}
