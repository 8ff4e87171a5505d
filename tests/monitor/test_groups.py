"""What belongs together is told and decided on together: one institution, one night."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

import pytest
from conftest import BOTH, FIRST_NIGHT, J1_ONLY, NONE, Watch

from extractors import Policy, Stance, Visa
from monitor.clock import system
from monitor.groups import Group, grouped
from monitor.review import ReviewError, decide
from store import outbox, programs, subscriptions
from store.records import Program, Subscription

NAMES = ("anesthesiology", "pathology", "psychiatry")
PRESENT = Policy(stances=((Visa.J1, Stance.SPONSORED),))


def office_changes(watch: Watch, *, own: str = J1_ONLY) -> None:
    """Three programs inherit a page that changes; a fourth has its own, which does so too.

    So does the one of another hospital.
    """
    gme = watch.site.url("/gme")
    watch.programs(
        *(Program(name, "Fernway Hospital", name.title(), gme_url=gme) for name in NAMES),
        Program("surgery", "Fernway Hospital", "Surgery", eligibility_url=watch.site.url("/own")),
        Program("zoster", "Moor Clinic", "Surgery", eligibility_url=watch.site.url("/other")),
    )
    with watch.store.writing():
        subscriptions.add(watch.store, Subscription(0, "fellow@inbox.example"), FIRST_NIGHT)
    for office, rest in ((BOTH, BOTH), (J1_ONLY, own)):
        watch.site.page("/gme", office)
        for path in ("/own", "/other"):
            watch.site.page(path, rest)
        watch.night()


def groups(watch: Watch) -> list[Group]:
    return grouped(watch.changes(), {p.program_id: p for p in programs.listed(watch.store)})


def test_changes_of_one_institution_in_one_night_are_one_group(watch: Watch) -> None:
    office_changes(watch)
    told = [
        (group.institution, [[c.program_id for c in story] for story in group.stories])
        for group in groups(watch)
    ]
    assert told == [("Fernway Hospital", [list(NAMES), ["surgery"]]), ("Moor Clinic", [["zoster"]])]


def test_the_next_night_is_another_group(watch: Watch) -> None:
    office_changes(watch)
    watch.site.page("/own", NONE)
    watch.night()
    fernway = [g for g in groups(watch) if g.institution == "Fernway Hospital"]
    assert [[c.program_id for c in group.changes] for group in fernway] == [
        [*NAMES, "surgery"], ["surgery"],
    ]  # fmt: skip


def test_the_worst_leads_and_wording_stays_apart(watch: Watch) -> None:
    office_changes(watch, own=BOTH.replace("We sponsor", "Our hospital sponsors"))
    assert {(group.institution, group.severity) for group in groups(watch)} == {
        ("Moor Clinic", "minor"), ("Fernway Hospital", "critical"), ("Fernway Hospital", "minor"),
    }  # fmt: skip


def test_a_story_is_told_once_in_a_mail(watch: Watch) -> None:
    office_changes(watch)
    (mail,) = outbox.listed(watch.store)
    message = message_from_bytes(mail.message, policy=default)
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        text = body.get_content()
        assert text.count("We sponsor only J-1 visas.") == 3  # once for the three that inherit it
        assert "Fernway Hospital (3 programs) no longer sponsors H-1B" in text
        assert all(name in text for name in (*map(str.title, NAMES), "surgery"))


def test_a_group_is_decided_on_at_once(watch: Watch) -> None:
    office_changes(watch)
    decided = decide(watch.store, 1, "accepted", by="Ada", now=system(), group=True)
    assert {change.program_id for change in decided} == {*NAMES, "surgery"}
    assert {c.program_id: c.status for c in watch.changes()} == {
        **dict.fromkeys((*NAMES, "surgery"), "accepted"), "zoster": "open",
    }  # fmt: skip


def test_what_was_decided_by_itself_is_no_longer_in_the_group(watch: Watch) -> None:
    office_changes(watch)
    decide(watch.store, 1, "dismissed", by="Ada", now=system())
    decided = decide(watch.store, 2, "accepted", by="Bo", now=system(), group=True)
    assert 1 not in {change.id for change in decided}
    assert watch.changes()[0].status == "dismissed"


def test_a_correction_of_several_needs_them_to_say_the_same(watch: Watch) -> None:
    office_changes(watch, own=NONE)
    correct = {"by": "Ada", "now": system(), "policy": PRESENT, "group": True}
    with pytest.raises(ReviewError, match="do not all say the same"):
        decide(watch.store, 1, "corrected", **correct)  # type: ignore[arg-type]
    assert {c.status for c in watch.changes()} == {"open"}
