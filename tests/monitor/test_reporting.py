"""What maintainers are told by mail, through a real mail server: each thing once."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from conftest import BOTH, FIRST_NIGHT, J1_ONLY, SILENT, Watch, neighbours
from mailserver import MailServer, serving

from monitor import alerts, reporting
from monitor.alerts import MailError, check
from store import outbox, subscriptions
from store.records import Subscription
from visawatch.config import MailSettings

KIM, LEE = "kim@maintainers.example", "lee@maintainers.example"


def mails(server: MailServer, to: str = KIM) -> list[EmailMessage]:
    """What came to an address so far, as its mail program shows it."""
    return [message_from_bytes(m, policy=default) for who, m in server.received if who == to]


def body(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


@pytest.fixture
def reports(watch: Watch) -> Iterator[MailServer]:
    """The server that gets the mail of this watch, for two maintainers."""
    with serving(MailServer()) as server:
        watch.mail = MailSettings(
            smtp_url=f"smtp://127.0.0.1:{server.port}",
            sender="alerts@visawatch.example",
            maintainers=(KIM, LEE),
        )
        yield server


def test_a_page_that_cannot_be_read_is_mailed_once_and_once_when_it_is_back(
    watch: Watch, reports: MailServer
) -> None:
    watch.site.page("/gme", BOTH)
    neighbours(watch, gme="/gme")
    watch.site.page("/surgery/visas", SILENT)
    watch.night()
    watch.site.page("/gme", "", status=403)
    counts = []
    for _ in range(5):
        watch.night()
        counts.append(len(mails(reports)))
    assert counts == [0, 0, 1, 1, 1]
    watch.site.page("/gme", BOTH)
    watch.night()
    watch.night()
    down, up = mails(reports)
    url = watch.site.url("/gme")
    assert down["Subject"] == "VisaWatch: 1 page cannot be read"
    for kind in ("plain", "html"):
        assert url in body(down, kind)
        assert "Fernway Hospital: " in body(down, kind)
        assert "403" in body(down, kind)
    assert "Last read on 2026-11-01" in body(down)
    assert up["Subject"] == "VisaWatch: 1 page can be read again"
    assert url in body(up)
    assert len(mails(reports, LEE)) == 2
    assert set(reports.counts().values()) == {1}


def test_a_policy_that_goes_back_and_forth_is_mailed_once_and_once_when_it_rests(
    watch: Watch, reports: MailServer
) -> None:
    watch.program()
    told = []
    turns = [J1_ONLY, BOTH] * 3
    for page in (*turns, *[turns[-1]] * 8):
        watch.site.page("/visa", page)
        watch.night()
        told = [str(mail["Subject"]) for mail in mails(reports)]
        told = [s for s in told if "back and forth" in s or "rest" in s]
    assert told == [
        "VisaWatch: 1 policy goes back and forth",
        "VisaWatch: 1 policy has come to rest",
    ]
    held = next(m for m in mails(reports) if "back and forth" in m["Subject"])
    assert "Fernway Hospital: Medicine" in body(held)
    assert "J-1 and H-1B" in body(held)
    assert "nobody is alarmed" in body(held).replace("\n    ", " ")


def test_a_change_that_is_taken_back_closes_itself_and_says_so(
    watch: Watch, reports: MailServer
) -> None:
    watch.program()
    for page in (J1_ONLY, BOTH, J1_ONLY):
        watch.site.page("/visa", page)
        watch.night()
    (mail,) = mails(reports)
    assert mail["Subject"] == "VisaWatch: 1 change closed itself"
    said = body(mail).replace("\n    ", " ")
    assert "Change 1, flagged on 2026-11-02: taken back: change 2 leads to" in said


def test_a_cycle_that_is_run_again_tells_nothing_twice(watch: Watch, reports: MailServer) -> None:
    """Killed between any two of its steps, the mail is composed once."""
    watch.program()
    for page in (J1_ONLY, BOTH, J1_ONLY):
        watch.site.page("/visa", page)
        cycle = watch.night().cycle
    found = reporting.notices(watch.store, cycle)
    assert len(found) == 1
    assert (
        alerts.enqueue_report(
            watch.store, found, FIRST_NIGHT, maintainers=(KIM, LEE), sender="", base_url=""
        )
        == 0
    )
    assert (
        alerts.enqueue_report(  # who is new is told of what the cycle had to tell
            watch.store,
            found,
            FIRST_NIGHT,
            maintainers=(KIM, "new@x.example"),
            sender="",
            base_url="",
        )
        == 1
    )


def test_a_report_waits_for_a_mail_server_that_is_down(watch: Watch, reports: MailServer) -> None:
    reports.sender = "421 down for maintenance"
    watch.program()
    for page in (J1_ONLY, BOTH, J1_ONLY):
        watch.site.page("/visa", page)
        watch.night()
    assert watch.delivery.sent == 0
    assert mails(reports) == []
    reports.sender = "250 OK"
    watch.night()
    assert [len(mails(reports, who)) for who in (KIM, LEE)] == [1, 1]


def test_ending_a_subscription_keeps_the_reports(watch: Watch, reports: MailServer) -> None:
    reports.sender = "421 down for maintenance"
    watch.program()
    with watch.store.writing():
        subscriptions.add(watch.store, Subscription(0, KIM), FIRST_NIGHT)
    for page in (J1_ONLY, BOTH, J1_ONLY):
        watch.site.page("/visa", page)
        watch.night()
    with watch.store.writing():
        subscriptions.end(watch.store, KIM, FIRST_NIGHT)
    waiting = [m.subject for m in outbox.listed(watch.store) if m.state == "queued"]
    assert waiting == ["VisaWatch: 1 change closed itself"] * 2


def test_an_address_of_no_use_is_named_before_a_cycle_begins() -> None:
    with pytest.raises(MailError, match=r"mail.maintainers: 'kim' is not an e-mail address"):
        check(MailSettings(maintainers=("kim",)))
