"""Who was told of a change that is decided otherwise since: told so, once for each decision."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from alerts_bench import BOTH, J1_ONLY, NOW, Bench, html_of, parsed, policy, text_of

from extractors.values import Stance
from monitor.alerts import planning
from monitor.alerts.notes import parts
from monitor.taken_back import BY_ITSELF
from store import outbox, subscriptions, verdicts
from store.records import Change, Review, stamp

HOUR = timedelta(hours=1)
ANA = "ana@a.example"
MAYBE = policy(Stance.SPONSORED, Stance.CONDITIONAL, "H-1B visas case by case, J-1 visas always.")
NAME = "VisaWatch: Harborview Medical, Internal Medicine"


def decide(
    bench: Bench,
    change: Change,
    verdict: str,
    *,
    by: str = "kim",
    truth: dict[str, Any] | None = None,
    at: datetime = NOW + HOUR,
) -> None:
    """Files a decision, and nothing else."""
    with bench.store.writing():
        verdicts.decide(bench.store, Review(change.id, verdict, by, "", stamp(at), truth))


def subjects(bench: Bench) -> list[str]:
    """What each mail is about, oldest first."""
    return [mail.subject.removeprefix(NAME) for mail in bench.mails()]


@pytest.fixture
def told(bench: Bench) -> Change:
    """A change that Ana was told of, and nobody has looked at."""
    bench.subscribe(ANA, visa="H-1B")
    change = bench.flag()
    assert bench.enqueue() == 1
    return change


def test_a_change_that_turns_out_to_be_a_false_alarm_is_told_once_more(
    bench: Bench, told: Change
) -> None:
    bench.subscribe("new@a.example", at=NOW + HOUR)  # who was told of nothing
    decide(bench, told, "dismissed")
    assert bench.enqueue(NOW + HOUR) == 1
    assert bench.enqueue(NOW + 2 * HOUR) == 0
    assert subjects(bench) == [" no longer sponsors H-1B", ": a false alarm, H-1B is sponsored"]
    first, mail = bench.mails()
    assert (mail.address, mail.message_id == first.message_id) == (ANA, False)
    text = " ".join(text_of(mail).split())
    assert "A maintainer has looked: it was a false alarm" in text
    assert "Category: J-1 only -> J-1 and H-1B" in text
    assert "You were told, by these words: > We sponsor J-1 visas only" in text
    assert "It is so by these: > We sponsor J-1 and H-1B visas for our residents." in text
    assert "Word by word" not in text
    html = " ".join(html_of(mail).split())
    assert ">you were told</th>" in html
    assert "false alarm" in html
    assert parsed(mail)["List-Unsubscribe"]


def test_a_correction_is_told_with_what_is_so(bench: Bench, told: Change) -> None:
    decide(bench, told, "corrected", truth=MAYBE)
    assert bench.enqueue(NOW + HOUR) == 1
    assert subjects(bench)[1] == ": corrected, H-1B is conditional"
    assert "had been read wrongly" in text_of(bench.mails()[1])
    decide(bench, told, "corrected", truth=BOTH, at=NOW + 2 * HOUR)  # as it was before
    assert bench.enqueue(NOW + 2 * HOUR) == 1
    assert subjects(bench)[2] == ": a false alarm, H-1B is sponsored"


@pytest.mark.parametrize("verdict", ["accepted", "corrected"])
def test_what_leaves_it_as_it_was_told_is_told_to_nobody(
    bench: Bench, told: Change, verdict: str
) -> None:
    truth = {**J1_ONLY, "confidence": 1.0} if verdict == "corrected" else None
    decide(bench, told, verdict, truth=truth)
    assert bench.enqueue(NOW + HOUR) == 0
    assert outbox.decided_since(bench.store) == []  # and is not asked for again


def test_a_decision_that_is_undone_is_told_too(bench: Bench, told: Change) -> None:
    decide(bench, told, "dismissed")
    decide(bench, told, "undone")
    assert bench.enqueue(NOW + HOUR) == 0  # nobody was told of the first
    decide(bench, told, "dismissed")
    assert bench.enqueue(NOW + HOUR) == 1
    decide(bench, told, "undone", at=NOW + 2 * HOUR)
    assert bench.enqueue(NOW + 2 * HOUR) == 1
    assert subjects(bench)[2] == ": a change after all, H-1B is not sponsored"
    assert len({mail.message_id for mail in bench.mails()}) == 3


def test_what_closes_itself_is_told_by_the_change_that_takes_it_back(
    bench: Bench, told: Change
) -> None:
    decide(bench, told, "dismissed", by=BY_ITSELF)
    assert bench.enqueue(NOW + HOUR) == 0


@pytest.mark.parametrize(
    ("by", "says"),
    [
        (BY_ITSELF, ": back, its visa page is there"),
        ("kim", ": a false alarm, its visa page is there"),
    ],
)
def test_a_page_that_is_there_after_all(bench: Bench, by: str, says: str) -> None:
    bench.subscribe(ANA)
    gone = bench.flag(before=BOTH, after=BOTH, kind="page_gone", severity="major")
    assert bench.enqueue() == 1
    decide(bench, gone, "dismissed", by=by)
    assert bench.enqueue(NOW + HOUR) == 1
    assert subjects(bench)[1] == says
    assert "the page is gone" not in text_of(bench.mails()[1])


def test_of_what_a_later_change_has_overtaken_nobody_is_told(bench: Bench, told: Change) -> None:
    bench.flag(before=J1_ONLY, after=MAYBE, at=NOW + HOUR)
    assert bench.enqueue(NOW + HOUR) == 1
    decide(bench, told, "dismissed")  # the later one stands
    assert bench.enqueue(NOW + 2 * HOUR) == 0
    assert outbox.decided_since(bench.store) == []


def test_a_digest_has_it_in_its_turn(bench: Bench) -> None:
    bench.subscribe(ANA, frequency="daily")
    change = bench.flag()
    day = timedelta(days=1)
    assert bench.enqueue(NOW + day) == 1
    decide(bench, change, "dismissed", at=NOW + day)
    other = bench.flag("lakeside-fm", at=NOW + day)
    assert bench.enqueue(NOW + day) == 0  # the day is not over
    assert bench.enqueue(NOW + 2 * day) == 1
    text = text_of(bench.mails()[1])
    assert "a false alarm, H-1B is sponsored" in text
    assert f"visawatch review {other.id} accept" in text


def test_who_has_left_is_told_no_more(bench: Bench, told: Change) -> None:
    bench.subscribe("bo@a.example", program_id="lakeside-fm")
    with bench.store.writing():
        subscriptions.end(bench.store, ANA, NOW)
    decide(bench, told, "dismissed")
    assert bench.enqueue(NOW + HOUR) == 0
    assert outbox.decided_since(bench.store) == []


def test_of_one_change_each_is_told_what_is_news_to_them(bench: Bench) -> None:
    bench.subscribe(ANA)
    bench.subscribe("bo@a.example", frequency="daily")
    change = bench.flag()
    assert bench.enqueue() == 1
    decide(bench, change, "corrected", truth=MAYBE)
    assert bench.enqueue(NOW + timedelta(days=1)) == 2
    by_address = {mail.address: mail.subject for mail in bench.mails()}
    assert by_address[ANA] == f"{NAME}: corrected, H-1B is conditional"
    assert by_address["bo@a.example"].endswith("Medicine now sponsors H-1B conditionally")


def test_a_decision_while_mail_is_composed_is_for_the_next_run(
    bench: Bench, told: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(bench, told, "dismissed")
    planned = list(planning.due(bench.store, NOW + HOUR))
    decide(bench, told, "accepted")
    with monkeypatch.context() as slower:
        slower.setattr(planning, "due", lambda *_: iter(planned))
        assert bench.enqueue(NOW + HOUR) == 0
    assert bench.enqueue(NOW + HOUR) == 0  # it is as it was told at first
    assert len(bench.mails()) == 1


def test_a_program_that_reads_it_is_told_what_it_is(bench: Bench) -> None:
    bench.subscribe("https://hooks.a.example/visas")
    change = bench.flag()
    bench.enqueue()
    decide(bench, change, "dismissed")
    assert bench.enqueue(NOW + HOUR) == 1
    (_, _, first), (title, text, then) = map(parts, bench.mails())
    assert first["changes"][0]["again"] is None
    (data,) = then["changes"]
    assert (data["id"], data["again"], data["status"]) == (change.id, "false_alarm", "dismissed")
    assert (data["before"]["category"], data["after"]["category"]) == ("j1_only", "j1_and_h1b")
    assert "a false alarm" in title
    assert "It is: “We sponsor J-1 and H-1B visas" in text
