"""What another channel than the pages changes: flagged, reviewed and mailed like any change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import pytest
from saying import answered
from shell import Shell
from watching import NOW, Says

from extractors import Policy, Stance, Visa, classify
from monitor import queue
from monitor.alerts import enqueue
from monitor.review import ReviewError, decide, decide_reading, undo
from monitor.timeline import Period, timeline
from sources.deciding import accept, settle
from sources.freida import import_
from sources.residents import Report, report
from sources.values import Role
from sources.weigh import sides, weigh
from store import changes, cycles, outbox, policies, standings, subscriptions, verdicts
from store.database import Store
from store.records import Change, Standing, Subscription, stamp

J1_ONLY = {"J-1": "sponsored", "H-1B": "not_sponsored"}
BOTH = {"J-1": "sponsored", "H-1B": "sponsored"}
PAGE_SAYS_J1 = "We sponsor J-1 visas only. H-1B visas are not sponsored."
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def ada(watched: Store) -> Store:
    """Somebody is told of all changes of the program."""
    with watched.writing():
        wish = Subscription(0, "ada@inbox.example", program_id="marrow-neuro marrow-im")
        subscriptions.add(watched, wish, NOW)
    return watched


def flagged(store: Store) -> list[Change]:
    return changes.of_program(store, "marrow-neuro")


def mailed(store: Store, at: datetime) -> list[str]:
    """The texts of the mails that are due then, and were not before."""
    known = len(outbox.listed(store))
    enqueue(store, at, sender="visas@watch.example", base_url="")
    enqueue(store, at, sender="visas@watch.example", base_url="")  # nobody is told twice
    parsed = [message_from_bytes(m.message, policy=policy.SMTP) for m in outbox.listed(store)]
    bodies = [m.get_body(("plain",)) for m in parsed[known:]]  # type: ignore[attr-defined]
    return [body.get_content().replace("\r", "") for body in bodies if body]


def test_an_answer_that_agrees_with_nobody_is_a_change_to_review(
    ada: Store, page_says: Says
) -> None:
    page_says(PAGE_SAYS_J1)
    accept(ada, answered(ada, BOTH), by="ada", now=LATER)
    (change,) = flagged(ada)
    assert (change.channel, change.cycle_id, change.status) == ("coordinator", None, "open")
    assert (change.kind, change.severity) == ("policy_changed", "critical")
    assert queue.queue(ada, LATER).order == (change.id,)
    weigh(ada, LATER)
    assert flagged(ada) == [change]  # once

    (text,) = mailed(ada, LATER)
    assert "Neurology now sponsors H-1B, says its coordinator" in text
    assert "Yes to both.\n    (the program's coordinator, 2026-11-20 09:00 UTC)" in text
    assert "not sponsored.\n    (https://marrow.example/neurology, it says otherwise)" in text
    assert "No maintainer has confirmed it yet." in text
    assert mailed(ada, LATER + timedelta(days=1)) == []

    begun = timeline(ada, "marrow-neuro").entries[-1]
    assert (begun.began, begun.change) == ("other_channels", change.id)  # type: ignore[union-attr]


def test_it_is_accepted_dismissed_and_undone_like_any_change(ada: Store, page_says: Says) -> None:
    page_says(PAGE_SAYS_J1)
    accept(ada, answered(ada, BOTH), by="ada", now=LATER)
    (change,) = flagged(ada)
    at = LATER + timedelta(hours=1)
    decide(ada, change.id, "accepted", by="bo", now=at)
    weigh(ada, at)
    stands = policies.standing(ada)["marrow-neuro"]
    assert (stands.origin, stands.policy["needs_review"]) == ("fused", False)
    assert stands.policy["stances"] == BOTH
    undo(ada, change.id, by="bo", now=at + timedelta(hours=1))
    weigh(ada, at + timedelta(hours=1))
    assert policies.standing(ada)["marrow-neuro"].policy["needs_review"]
    at += timedelta(hours=2)
    decide(ada, change.id, "dismissed", by="bo", note="she meant fellows", now=at)
    weigh(ada, at)
    assert policies.standing(ada)["marrow-neuro"].policy["stances"] == J1_ONLY
    assert [c.status for c in flagged(ada)] == ["dismissed"]
    assert mailed(ada, at) == []  # a false alarm


def test_what_a_maintainer_has_read_and_nobody_disputes_waits_for_nobody(
    ada: Store, page_says: Says
) -> None:
    page_says("We sponsor J-1 visas.")
    accept(ada, answered(ada, J1_ONLY), by="ada", now=LATER)
    (change,) = flagged(ada)
    assert (change.status, change.kind) == ("accepted", "statement_added")
    assert "Confirmed by a maintainer." in mailed(ada, LATER)[0]
    with pytest.raises(ReviewError, match="no decision to undo"):
        undo(ada, change.id, by="ada", now=LATER)


def test_what_a_maintainer_found_is_told_without_how(ada: Store, page_says: Says) -> None:
    page_says(PAGE_SAYS_J1)
    truth = Policy(((Visa.J1, Stance.SPONSORED), (Visa.H1B, Stance.CONDITIONAL)))
    settle(ada, "marrow-neuro", truth, by="ada", note="called Pat at home", now=LATER)
    (change,) = flagged(ada)
    assert (change.channel, change.status) == ("maintainer", "accepted")
    (text,) = mailed(ada, LATER)
    assert "sponsors H-1B conditionally, as a maintainer found" in text
    assert "called Pat" not in text
    assert "called Pat" not in str(policies.standing(ada)["marrow-neuro"].policy)
    settle(ada, "marrow-neuro", truth, by="ada", note="again", now=LATER + timedelta(hours=1))
    assert len(flagged(ada)) == 1  # nothing is another


def test_freida_and_residents_change_a_silent_policy(ada: Store, page_says: Says) -> None:
    page_says("We sponsor J-1 visas.")
    rows = b"ACGME ID,Institution,Specialty,Visas\n1802400001,Marrow,Neurology,J-1; H-1B visa\n"
    import_(ada, rows, LATER, by="ada")
    weigh(ada, LATER)
    (change,) = flagged(ada)
    assert (change.channel, change.status) == ("freida", "open")
    assert "now sponsors H-1B, says FREIDA" in mailed(ada, LATER)[0]

    page_says("Visas are a matter for the GME office.", "marrow-im")
    for who in ("one", "two"):
        report(ada, Report("marrow-im", 2027, Visa.J1), who, LATER)
    weigh(ada, LATER)
    (other,) = changes.of_program(ada, "marrow-im")
    assert other.channel == "resident"
    assert "residents say" in mailed(ada, LATER)[0]


def test_a_first_sight_is_no_change_and_a_page_that_overrules_it_is(
    ada: Store, page_says: Says
) -> None:
    accept(ada, answered(ada, BOTH, at="2026-05-20T09:00:00Z"), by="ada", now=NOW)
    assert flagged(ada) == []
    fresh = answered(ada, BOTH)
    accept(ada, fresh, by="ada", now=NOW)
    assert flagged(ada) == []
    next_season = datetime(2027, 6, 2, 9, tzinfo=UTC)  # the answer is history
    page_says(PAGE_SAYS_J1, at=next_season)
    weigh(ada, next_season)
    (change,) = flagged(ada)
    assert (change.channel, change.before["stances"], change.after["stances"]) == (
        "website",
        BOTH,
        J1_ONLY,
    )
    assert "going by its page" in mailed(ada, next_season)[0]


def test_news_of_a_page_that_do_not_prevail_are_told_once(ada: Store, page_says: Says) -> None:
    page_says("We sponsor J-1 and H-1B visas.")
    accept(ada, answered(ada, J1_ONLY), by="ada", now=LATER)
    assert len(mailed(ada, LATER)) == 1
    at = NOW + timedelta(days=1)
    news = page_changes(ada, "We sponsor J-1 visas, and H-1B visas case by case.", at)
    weigh(ada, at)
    assert [c.id for c in flagged(ada)][1:] == [news.id]  # not a second one, back again
    assert policies.standing(ada)["marrow-neuro"].policy["stances"] == J1_ONLY
    (text,) = mailed(ada, at)
    assert "Another source says otherwise: until a maintainer has looked, it counts as J-1" in text

    later = at + timedelta(hours=1)
    decide(ada, news.id, "accepted", by="ada", now=later)
    weigh(ada, later)
    assert policies.standing(ada)["marrow-neuro"].policy["stances"]["H-1B"] == "conditional"
    (told,) = flagged(ada)[2:]
    assert (told.channel, told.status) == ("maintainer", "accepted")
    assert "conditionally, as a maintainer found" in mailed(ada, later)[0]


def page_changes(store: Store, sentence: str, at: datetime) -> Change:
    """Flags, as a cycle does, that the page says something else."""
    before = policies.standing(store)["marrow-neuro"]
    after = classify(f"<p>{sentence}</p>".encode()).to_json()
    with store.writing():
        old, _ = cycles.open_one(store, stamp(NOW))
        cycles.finish(store, old.id, stamp(NOW), {})
        cycle, _ = cycles.open_one(store, stamp(at))
        change = changes.flag(
            store,
            Change(
                0, "marrow-neuro", cycle.id, "policy_changed", "critical", "open",
                before.policy, after, stamp(at),
            ),
        )  # fmt: skip
        policies.record(
            store,
            Standing("marrow-neuro", stamp(at), "read", after, after, cycle_id=cycle.id),
        )
    assert change is not None
    return change


def test_an_answer_that_grows_old_is_told_of(ada: Store, page_says: Says) -> None:
    page_says(PAGE_SAYS_J1)
    accept(ada, answered(ada, BOTH), by="ada", now=LATER)
    weigh(ada, datetime(2027, 6, 2, tzinfo=UTC))
    assert [(c.channel, c.after["stances"]) for c in flagged(ada)] == [
        ("coordinator", BOTH),
        ("website", J1_ONLY),
    ]


def test_the_reading_that_a_maintainer_corrects_is_a_change(ada: Store, page_says: Says) -> None:
    page_says("We sponsor J-1 visas.")
    truth = Policy(((Visa.J1, Stance.SPONSORED), (Visa.H1B, Stance.SPONSORED)))
    decide_reading(ada, "marrow-neuro", "accepted", by="ada", now=LATER)
    assert weigh(ada, LATER) == []
    settle(ada, "marrow-neuro", truth, by="ada", note="", now=LATER + timedelta(hours=1))
    assert [(c.channel, c.kind) for c in flagged(ada)] == [("maintainer", "statement_added")]


def test_a_finding_and_what_others_add_to_it_are_one_change(ada: Store, page_says: Says) -> None:
    page_says("We sponsor J-1 visas. H-1B visas are sponsored if Step 3 is passed.")
    row = b"ACGME ID,Institution,Specialty,Visas\n1802400001,Marrow,Neurology,"
    import_(ada, row + b"J-1 visa sponsorship through ECFMG\n", NOW, by="ada")
    weigh(ada, NOW)
    assert flagged(ada) == []  # a certificate is no news
    truth = Policy(((Visa.J1, Stance.SPONSORED), (Visa.H1B, Stance.SPONSORED)))
    settle(ada, "marrow-neuro", truth, by="ada", note="asked", now=LATER)
    weigh(ada, LATER + timedelta(days=1))
    assert flagged(ada) == []  # its page names the condition, and agrees
    refusal = Policy(((Visa.J1, Stance.SPONSORED), (Visa.H1B, Stance.NOT_SPONSORED)))
    settle(ada, "marrow-neuro", refusal, by="ada", note="asked", now=LATER + timedelta(days=2))
    assert [c.channel for c in flagged(ada)] == ["maintainer"]


def test_of_two_decisions_in_one_second_the_later_one_stands(ada: Store, page_says: Says) -> None:
    page_says("We sponsor J-1 visas. H-1B visas are sponsored.")
    accept(ada, answered(ada, J1_ONLY), by="ada", now=LATER)
    for stance, by in ((Stance.NOT_SPONSORED, "ada"), (Stance.CONDITIONAL, "bo")):
        truth = Policy(((Visa.J1, Stance.SPONSORED), (Visa.H1B, stance)))
        settle(ada, "marrow-neuro", truth, by=by, note="asked", now=LATER)
    weigh(ada, LATER)
    told = sides(ada, "marrow-neuro", LATER)
    roles = [(s.evidence.who, s.role) for s in told.sides if s.evidence.channel == "maintainer"]
    assert roles.count(("bo", Role.DECIDES)) == roles.count(("ada", Role.SUPERSEDED)) == 2
    assert told.policy.stance(Visa.H1B) is Stance.CONDITIONAL
    assert verdicts.standing(ada, ["marrow-neuro"])["marrow-neuro"].by == "bo"
    began = [e for e in timeline(ada, "marrow-neuro").entries if isinstance(e, Period)]
    assert [e.reviews[0].by for e in began if e.reviews][-1] == "bo"
    assert standings.confirmed(ada, "nobody") == {"marrow-neuro"}


def test_what_a_page_says_in_the_second_of_a_decision_waits_for_its_own(
    ada: Store, page_says: Says
) -> None:
    page_says("We sponsor J-1 visas.")
    truth = Policy(((Visa.J1, Stance.SPONSORED), (Visa.H1B, Stance.SPONSORED)))
    settle(ada, "marrow-neuro", truth, by="ada", note="asked", now=LATER)
    assert "maintainer" in speaking(ada)
    change = page_changes(ada, PAGE_SAYS_J1, LATER)
    assert "maintainer" not in speaking(ada)
    decide(ada, change.id, "dismissed", by="bo", now=LATER)
    assert "maintainer" in speaking(ada)
    weigh(ada, LATER)
    assert policies.standing(ada)["marrow-neuro"].policy["stances"] == BOTH


def speaking(store: Store) -> set[str]:
    """The channels that have something to say."""
    return {str(side.evidence.channel) for side in sides(store, "marrow-neuro", LATER).sides}


def test_commands_say_what_was_flagged(shell: Shell, ada: Store, page_says: Says) -> None:
    page_says(PAGE_SAYS_J1)
    number = answered(ada, BOTH)
    done = shell("--now", "2026-11-28T10:00:00Z", "verify", "accept", str(number), "--by", "ada")
    assert "change 1: marrow-neuro: H-1B: not sponsored -> sponsored" in done.err
    (change,) = shell("changes", "--json").json
    assert (change["channel"], change["cycle"]) == ("coordinator", None)
    listed = shell("changes").out
    assert "policy changed, by coordinator" in listed
    assert "visawatch sources show marrow-neuro" in listed
    sent = shell("--now", "2026-11-28T10:05:00Z", "alerts", "send")
    assert "1" in sent.err + sent.out
    undone = shell("review", "1", "dismiss", "--by", "ada", "--note", "no")
    assert "stands as J-1 only" in undone.err
