"""One institution's change is one alert that names its programs."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

from conftest import BOTH, FIRST_NIGHT, J1_ONLY, Watch

from monitor.clock import system
from monitor.groups import grouped
from monitor.review import decide
from store import outbox, programs, subscriptions
from store.records import Program, Subscription

NAMES = ("anesthesiology", "pathology", "psychiatry")


def office_changes(watch: Watch) -> None:
    """Three programs inherit a page that changes; a fourth has its own, which does so too."""
    gme, own = watch.site.url("/gme"), watch.site.url("/own")
    watch.programs(
        *(Program(name, "Fernway Hospital", name.title(), gme_url=gme) for name in NAMES),
        Program("surgery", "Fernway Hospital", "Surgery", eligibility_url=own),
    )
    with watch.store.writing():
        subscriptions.add(watch.store, Subscription(0, "fellow@inbox.example"), FIRST_NIGHT)
    for body in (BOTH, J1_ONLY):
        watch.site.page("/gme", body)
        watch.site.page("/own", body)
        watch.night()


def test_changes_of_one_page_are_one_group(watch: Watch) -> None:
    office_changes(watch)
    known = {program.program_id: program for program in programs.listed(watch.store)}
    groups = [[c.program_id for c in group] for group in grouped(watch.changes(), known)]
    assert groups == [list(NAMES), ["surgery"]]


def test_a_group_is_told_of_once_in_a_mail(watch: Watch) -> None:
    office_changes(watch)
    (mail,) = outbox.listed(watch.store)
    assert mail.subject == "VisaWatch: 4 changes at 4 programs"
    message = message_from_bytes(mail.message, policy=default)
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        text = body.get_content()
        assert text.count("We sponsor only J-1 visas.") == 2  # once for the three
        assert "Fernway Hospital (3 programs) no longer sponsors H-1B" in text
        assert all(name in text for name in (*NAMES, "surgery"))


def test_a_group_is_decided_on_at_once(watch: Watch) -> None:
    office_changes(watch)
    decided = decide(watch.store, 2, "accepted", by="Ada", now=system(), group=True)
    assert [change.program_id for change in decided] == list(NAMES)
    assert [c.status for c in watch.changes()] == ["accepted", "accepted", "accepted", "open"]
