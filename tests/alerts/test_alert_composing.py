"""Which mail is composed, when, and that no change is told twice or never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from alerts_bench import BEFORE_NOW, BOTH, J1_ONLY, NOW, REWORDED, SENDER, Bench, parsed, text_of

from monitor.alerts import MailError, enqueue, planning
from store import outbox, programs, subscriptions, verdicts
from store.records import Review, stamp

DAY = timedelta(days=1)
FIRST = "Harborview Medical, Internal Medicine no longer sponsors H-1B"


def test_all_changes_of_a_cycle_are_one_mail_for_an_address(bench: Bench) -> None:
    bench.subscribe("ana@a.example")
    bench.subscribe("Ana@a.example", visa="H-1B")
    first, second = bench.flag(), bench.flag("lakeside-fm")
    assert bench.enqueue() == 1
    assert bench.enqueue() == 0
    text = text_of(bench.mails()[0])
    assert "Harborview Medical, Internal Medicine no longer sponsors H-1B" in text
    assert "Lakeside Health, Family Medicine no longer sponsors H-1B" in text
    assert f"visawatch review {first.id} accept" in text
    assert f"visawatch review {second.id} accept" in text
    assert "about H-1B" in text
    assert bench.mails()[0].subject == f"VisaWatch: {FIRST}, and 1 more"


def test_a_list_that_is_watched_is_one_subscription(bench: Bench) -> None:
    bench.subscribe("ana@a.example", program_id="harborview-im lakeside-surg")
    for program_id in ("harborview-im", "lakeside-fm"):
        bench.flag(program_id)
    assert bench.enqueue() == 1
    text = text_of(bench.mails()[0])
    assert "Harborview Medical" in text
    assert "Lakeside Health" not in text
    assert "of 2 programs (harborview-im, lakeside-surg)" in " ".join(text.split())


def test_what_a_killed_cycle_flagged_is_mailed_by_the_next(bench: Bench) -> None:
    bench.subscribe("ana@a.example")
    bench.flag(at=NOW - DAY)
    bench.flag("lakeside-fm")
    assert bench.enqueue() == 1
    assert parsed(bench.mails()[0])["Subject"] == f"VisaWatch: {FIRST}, and 1 more"


def test_the_callers_changes_limit_what_is_mailed(bench: Bench) -> None:
    bench.subscribe("ana@a.example")
    bench.flag()
    second = bench.flag("lakeside-fm")
    made = enqueue(bench.store, NOW, sender=SENDER, base_url="", some=[second])
    assert made == 1
    assert "Lakeside" in bench.mails()[0].subject
    assert bench.enqueue() == 1


def test_a_new_subscription_is_not_told_of_the_past(bench: Bench) -> None:
    bench.flag(at=NOW - timedelta(seconds=1))
    bench.subscribe("ana@a.example", at=NOW)
    assert bench.enqueue() == 0
    bench.flag("lakeside-fm")
    assert bench.enqueue() == 1
    assert "Lakeside" in bench.mails()[0].subject


@pytest.mark.parametrize("frequency", ["at_once", "daily", "weekly"])
@pytest.mark.parametrize("days", [-365, 365])
def test_a_clock_that_was_wrong_when_it_began_does_not_matter(
    bench: Bench, days: int, frequency: str
) -> None:
    bench.flag(at=NOW - DAY)
    bench.subscribe("ana@a.example", at=NOW + days * DAY, frequency=frequency)
    bench.flag("lakeside-fm", at=NOW)
    assert bench.enqueue(NOW + 7 * DAY) == 1
    assert "Harborview" not in text_of(bench.mails()[0])
    assert bench.enqueue(NOW + 8 * DAY) == 0


def test_nor_does_one_that_was_wrong_when_a_change_was_flagged(bench: Bench) -> None:
    bench.flag(at=NOW + 365 * DAY)
    bench.subscribe("ana@a.example", at=NOW)
    bench.flag("lakeside-fm", at=NOW - 365 * DAY)
    assert bench.enqueue(NOW) == 1
    assert "Harborview" not in text_of(bench.mails()[0])


def test_minor_changes_wait_for_a_digest(bench: Bench) -> None:
    bench.subscribe("ana@a.example", severity="minor")
    bench.subscribe("bo@b.example", severity="minor", frequency="daily")
    bench.flag(before=BOTH, after=REWORDED, severity="minor", kind="wording_changed")
    assert bench.enqueue() == 0
    assert bench.enqueue(NOW + DAY) == 1
    (mail,) = bench.mails()
    assert mail.address == "bo@b.example"
    assert mail.subject == (
        "VisaWatch daily digest: Harborview Medical, Internal Medicine reworded its visa statement"
    )


def test_a_daily_digest_comes_once_the_day_is_over(bench: Bench) -> None:
    bench.subscribe("ana@a.example", frequency="daily")
    bench.flag(at=NOW)
    assert bench.enqueue(NOW.replace(hour=23, minute=59)) == 0
    tomorrow = NOW.replace(hour=0, minute=0) + DAY
    bench.flag("lakeside-fm", at=tomorrow)
    assert bench.enqueue(tomorrow) == 1
    assert bench.mails()[0].subject == f"VisaWatch daily digest: {FIRST}, and 1 more"
    bench.flag("lakeside-surg", at=tomorrow)
    assert bench.enqueue(tomorrow + timedelta(hours=23)) == 0
    assert bench.enqueue(tomorrow + DAY) == 1


def test_a_weekly_digest_comes_once_the_iso_week_is_over(bench: Bench) -> None:
    bench.subscribe("ana@a.example", frequency="weekly")
    new_year = datetime(2027, 1, 1, 12, tzinfo=UTC)  # a Friday in week 53 of 2026
    bench.flag(at=new_year)
    assert bench.enqueue(datetime(2027, 1, 3, 23, 59, tzinfo=UTC)) == 0
    assert bench.enqueue(datetime(2027, 1, 4, tzinfo=UTC)) == 1
    assert bench.enqueue(datetime(2027, 1, 11, tzinfo=UTC)) == 0


def test_a_clock_that_jumps_back_doubles_and_loses_nothing(bench: Bench) -> None:
    bench.subscribe("ana@a.example", frequency="daily")
    bench.subscribe("bo@b.example")
    bench.flag(at=NOW)
    assert bench.enqueue(NOW + DAY) == 2
    bench.flag("lakeside-fm", at=NOW + DAY)
    assert bench.enqueue(NOW - 2 * DAY) == 1  # at once: whatever the clock says
    assert bench.enqueue(NOW) == 0
    assert bench.enqueue(NOW + DAY) == 0
    assert bench.enqueue(NOW + 2 * DAY) == 1
    assert [m.address for m in bench.mails()] == [
        "ana@a.example", "bo@b.example", "bo@b.example", "ana@a.example",
    ]  # fmt: skip
    pairs = bench.store.rows("SELECT address, change_id FROM mailed")
    assert len(pairs) == 4


@pytest.mark.parametrize("frequency", ["daily", "weekly"])
def test_a_digest_does_not_wait_for_a_year_that_never_was(bench: Bench, frequency: str) -> None:
    """The clock was ahead when the change was detected, and was set right."""
    bench.subscribe("ana@a.example", frequency=frequency)
    bench.flag(at=NOW + 365 * DAY)
    assert bench.enqueue(NOW) == 1
    assert bench.enqueue(NOW + 366 * DAY) == 0


def test_what_went_out_at_once_is_not_in_the_same_addresss_digest(bench: Bench) -> None:
    bench.subscribe("ana@a.example", frequency="weekly")
    bench.subscribe("ana@a.example", severity="critical")
    bench.flag()
    bench.flag("lakeside-fm", severity="major")
    assert bench.enqueue(NOW + 7 * DAY) == 2
    at_once, digest = bench.mails()
    assert "Harborview" in at_once.subject
    assert "Lakeside" in digest.subject
    assert at_once.message_id != digest.message_id


def test_an_ended_subscription_gets_nothing_more(bench: Bench) -> None:
    one = bench.subscribe("ana@a.example")
    bench.flag()
    assert bench.enqueue() == 1
    with bench.store.writing():
        assert len(subscriptions.end_by_token(bench.store, one.token, NOW)) == 1
    (mail,) = bench.mails()
    assert (mail.state, mail.error) == ("refused", "unsubscribed before it was sent")
    bench.flag("lakeside-fm")
    assert bench.enqueue() == 0


def test_ending_one_of_two_keeps_the_mail_that_waits(bench: Bench) -> None:
    one = bench.subscribe("ana@a.example")
    bench.subscribe("ana@a.example", visa="H-1B")
    bench.flag()
    bench.enqueue()
    with bench.store.writing():
        subscriptions.end_by_token(bench.store, one.token, NOW)
    assert bench.states() == ["queued"]


def test_a_removed_programs_change_is_told_and_says_so(bench: Bench) -> None:
    bench.subscribe("ana@a.example", frequency="daily")
    bench.flag()
    with bench.store.writing():
        programs.remove(bench.store, "harborview-im", stamp(NOW))
    assert bench.enqueue(NOW + DAY) == 1
    assert "no longer watched" in text_of(bench.mails()[0])


def test_a_dismissed_change_is_not_told(bench: Bench) -> None:
    bench.subscribe("ana@a.example", frequency="daily")
    change = bench.flag()
    with bench.store.writing():
        review = Review(change.id, "dismissed", "Kim", "", stamp(NOW))
        verdicts.decide(bench.store, review)
    assert bench.enqueue(NOW + DAY) == 0


def test_a_corrected_change_is_told_as_the_maintainer_read_it(bench: Bench) -> None:
    bench.subscribe("ana@a.example", frequency="daily")
    same, other = bench.flag(), bench.flag("lakeside-fm", J1_ONLY, J1_ONLY)
    with bench.store.writing():
        for change in (same, other):
            review = Review(change.id, "corrected", "Kim", "", stamp(NOW), BOTH)
            verdicts.decide(bench.store, review)
    assert bench.enqueue(NOW + DAY) == 1  # the first one turned out to be no change
    (mail,) = bench.mails()
    assert "Lakeside Health, Family Medicine now sponsors H-1B" in mail.subject
    assert "Corrected by a maintainer" in text_of(mail)


def test_a_run_that_dies_in_the_middle_is_caught_up_with(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.subscribe("ana@a.example")
    bench.subscribe("bo@b.example")
    bench.flag()
    whole = outbox.enqueue
    calls = []

    def dies(*arguments: object) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return whole(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(outbox, "enqueue", dies)
    with pytest.raises(KeyboardInterrupt):
        bench.enqueue()
    monkeypatch.undo()
    assert [m.address for m in bench.mails()] == ["ana@a.example"]
    assert bench.enqueue() == 1
    assert [m.address for m in bench.mails()] == ["ana@a.example", "bo@b.example"]


def test_two_that_compose_at_once_tell_nobody_twice(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.subscribe("ana@a.example")
    bench.subscribe("bo@b.example", frequency="daily")
    bench.flag()
    planned = list(planning.due(bench.store, NOW + DAY))  # by one, while the other is faster
    assert bench.enqueue(NOW + DAY) == 2
    monkeypatch.setattr(planning, "due", lambda *_: iter(planned))
    assert bench.enqueue(NOW + DAY) == 0
    assert len(bench.mails()) == 2


def test_the_message_id_depends_on_address_and_changes_alone(bench: Bench) -> None:
    bench.subscribe("ana@a.example")
    bench.flag()
    bench.enqueue()
    (first,) = bench.mails()
    with bench.store.writing():
        bench.store.write("DELETE FROM mailed")
    bench.enqueue(NOW + DAY)
    assert [m.message_id for m in bench.mails()] == [first.message_id]


@pytest.mark.parametrize(
    ("sender", "base_url", "says"),
    [("nobody", "", "mail.sender"), ("a b@c.example", "", "mail.sender"),
     (SENDER, "javascript:alert(1)", "web.base_url")],
)  # fmt: skip
def test_settings_of_no_use_are_named(bench: Bench, sender: str, base_url: str, says: str) -> None:
    with pytest.raises(MailError, match=says):
        enqueue(bench.store, NOW, sender=sender, base_url=base_url)


def test_subscribing_twice_is_one_subscription(bench: Bench) -> None:
    one = bench.subscribe("ana@a.example", visa="J-1")
    assert bench.subscribe("ana@a.example", visa="J-1", at=NOW) == one
    assert bench.subscribe("ana@a.example", visa="H-1B").id != one.id
    assert one.created_at == stamp(BEFORE_NOW)
