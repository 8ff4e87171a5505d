"""Subscribe, confirm, unsubscribe: through real mail, without anybody's help."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from answering import answered
from mailserver import MailServer
from serving import NOON, Served, serving, words

from monitor import clock
from monitor.alerts import deliver, enqueue
from sources.deciding import accept
from store import invitations, outbox, subscriptions
from store.database import Store
from store.records import Subscription
from visawatch.config import MailSettings
from web.limits import Limit
from web.site import Limits, Site, SiteSettings

HOME = "https://visas.example/w"
ANA = "ana@inbox.example"


class Clock:
    """A clock that is moved on by hand."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def time() -> Clock:
    return Clock()


@pytest.fixture
def served(database: Path, mail: MailServer, time: Clock) -> Iterator[Served]:
    """A site that sends its mail through a real server; its visitors are not counted."""
    settings = MailSettings(smtp_url=f"smtp://127.0.0.1:{mail.port}", sender="watch@visas.example")
    site = Site(
        database,
        time,
        SiteSettings(base_url=HOME, home=HOME, sender=settings.sender),
        lambda store, now: deliver(store, settings, now),
        Limits(subscribe=Limit("subscribe", 10_000)),
    )
    with serving(site) as served:
        yield served


def ask(served: Served, email: str = ANA, status: int = 200, **fields: str) -> str:
    answer = served.client.post("/subscribe", data={"email": email, **fields})
    assert answer.status_code == status, answer.text
    return answer.text


def invited(served: Served) -> list[str]:
    """Who was sent an invitation."""
    with Store(served.site.database) as store:
        return [m.address for m in outbox.listed(store) if "confirm" in m.subject]


def link(served: Served) -> str:
    """Where the last invitation leads, without the site's own address."""
    with Store(served.site.database) as store:
        mail = message_from_bytes(outbox.listed(store)[-1].message, policy=default)
    body = mail.get_body(("plain",))
    assert body is not None
    (found,) = re.findall(r"https://\S+", str(body.get_content()))
    assert found.startswith(HOME)
    return urlsplit(found).path


def active(served: Served) -> list[str]:
    with Store(served.site.database) as store:
        return [s.address for s in subscriptions.listed(store)]


def confirmed(served: Served, **fields: str) -> str:
    """Subscribes to the end; gives the token."""
    ask(served, **fields)
    assert served.client.post(link(served)).status_code == 200
    with Store(served.site.database) as store:
        return subscriptions.listed(store)[-1].token


def test_from_the_form_to_the_mail_to_the_button(served: Served, mail: MailServer) -> None:
    came = threading.Event()
    mail.on_data = lambda _: came.set()
    form = served.page("/subscribe?visa=H-1B&state=ma")
    assert form.cssselect("#visa option[selected]")[0].get("value") == "H-1B"
    said = ask(served, visa="H-1B", state="ma", specialty="", severity="critical")
    assert "a mail is on its way" in said
    assert ANA not in said
    assert came.wait(30)
    assert mail.recipients() == [ANA]
    assert active(served) == []
    path = link(served)
    for _ in range(2):  # as mail programs do that look at links
        page = served.page(path)
        assert "critical changes about H-1B in state MA" in words(page)
        assert active(served) == []
    assert page.cssselect("form")[0].get("action") == path
    for _ in range(2):
        assert "is told of" in served.client.post(path).text
    assert active(served) == [ANA]


def test_unsubscribing_takes_a_button_and_no_log_in(served: Served) -> None:
    token = confirmed(served)
    page = served.page(f"/unsubscribe/{token}")
    assert ANA in words(page)
    assert active(served) == [ANA]  # looking at it ends nothing
    for _ in range(2):
        assert "This has ended" in served.client.post(f"/unsubscribe/{token}").text
    assert active(served) == []
    # The first link still holds, but is no new wish.
    assert "ended since" in served.client.post(link(served)).text
    assert active(served) == []


@pytest.mark.parametrize("kind", ["data", "files"])
def test_one_click_as_rfc_8058_has_it(served: Served, kind: str) -> None:
    """A mail program sends this form, urlencoded or as multipart, and shows nobody a page."""
    first, second = confirmed(served), confirmed(served, visa="O-1")
    field = "One-Click" if kind == "data" else (None, "One-Click")
    answer = served.client.post(
        f"/unsubscribe/{first}.{second}",
        **{kind: {"List-Unsubscribe": field}},  # type: ignore[arg-type]
    )
    assert (answer.status_code, answer.text) == (200, "unsubscribed\n")
    assert active(served) == []


@pytest.mark.parametrize("token", ["x", "0" * 32, ANA, "é" * 32, "0.0"])
def test_a_guess_ends_and_begins_nothing(served: Served, token: str) -> None:
    confirmed(served)
    for path in (f"/unsubscribe/{token}", f"/subscribe/confirm/{token}"):
        served.get(path, 404)
        assert served.client.post(path).status_code == 404
    assert active(served) == [ANA]


def test_a_link_expires_and_the_address_is_forgotten(served: Served, time: Clock) -> None:
    ask(served)
    path = link(served)
    time.at += timedelta(hours=49)
    assert "has expired after 48 hours" in served.get(path, 404).text
    assert served.client.post(path).status_code == 404
    ask(served, "ben@inbox.example")
    with Store(served.site.database) as store:
        rows = store.rows("SELECT address FROM invitations")
    assert [row["address"] for row in rows] == ["ben@inbox.example"]


def test_the_answer_tells_nobody_who_is_subscribed(served: Served) -> None:
    unknown = ask(served, "ben@inbox.example")
    confirmed(served)
    assert ask(served) == ask(served, ANA.upper()) == unknown


def test_one_address_gets_few_mails_however_often_it_is_asked(served: Served, time: Clock) -> None:
    for _ in range(8):
        for _ in range(3):
            ask(served, ANA)
            ask(served, "Ana@INBOX.example")
        time.at += timedelta(minutes=11)
    assert len(invited(served)) == invitations.PER_ADDRESS


def test_many_requests_do_not_make_many_mails(served: Served, time: Clock) -> None:
    most = invitations.PER_HOUR
    for number in range(most):
        with served.site.writing() as store:
            wish = Subscription(0, f"a{number}@x.example")
            invitations.add(store, wish, time.at)
    answer = served.client.post("/subscribe", data={"email": "late@x.example"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3600")
    assert invited(served) == []
    time.at += timedelta(minutes=61)
    ask(served, "late@x.example")
    assert invited(served) == ["late@x.example"]


def test_ten_thousand_requests_do_not_make_ten_thousand_mails(store: Store) -> None:
    """Of ten thousand visitors, each with an address of its own, in an hour and in the next one."""
    for hour in range(2):
        taken: Counter[invitations.Taken] = Counter()
        with store.writing():
            for number in range(10_000):
                at = NOON + timedelta(hours=hour, milliseconds=359 * number)
                wish = Subscription(0, f"a{hour}-{number}@x.example")
                taken[invitations.add(store, wish, at)[0]] += 1
        assert taken == {
            invitations.Taken.YES: invitations.PER_HOUR,
            invitations.Taken.TOO_MANY: 10_000 - invitations.PER_HOUR,
        }


def test_one_visitor_asks_ten_times_an_hour(database: Path) -> None:
    site = Site(database, clock.fixed(NOON), SiteSettings(home=HOME))
    with serving(site) as served:
        for number in range(10):
            ask(served, f"a{number}@x.example")
        ask(served, "b@x.example", 429)
        assert len(invited(served)) == 10


def test_visitors_are_counted_apart_together_and_after_a_restart(
    database: Path, time: Clock
) -> None:
    """Two servers of one database are as two processes of one site."""
    settings, limits = SiteSettings(home=HOME), Limits(subscribe=Limit("subscribe", 2, 60))
    other = {"X-Forwarded-For": "203.0.113.9"}  # as a proxy on this machine says
    for _ in range(2):
        with serving(Site(database, time, settings, limits=limits)) as served:
            ask(served, "a@x.example")
    with serving(Site(database, time, settings, limits=limits)) as served:
        ask(served, "a@x.example", 429)
        served.client.headers.update(other)
        ask(served, "a@x.example")
        served.client.headers.pop("X-Forwarded-For")
        time.at += timedelta(seconds=61)
        ask(served, "a@x.example")
    with Store(database) as store:
        assert "203.0.113.9" not in str(store.tuples("SELECT * FROM visits"))


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"email": "nobody"}, 422),
        ({"email": "a@x.example\r\nBcc: b@x.example"}, 422),
        ({"email": "slack://token@x"}, 422),
        ({"email": "a@x.example", "visa": "K-1"}, 422),
        ({"email": "a@x.example", "frequency": "hourly"}, 422),
        ({}, 422),
        ({"email": "a@x.example", "program": "nobody"}, 404),
        ({"email": "a@x.example", "website": "http://spam.example"}, 200),  # a machine
    ],
)
def test_what_makes_no_mail(served: Served, fields: dict[str, str], status: int) -> None:
    answer = served.client.post("/subscribe", data=fields)
    assert answer.status_code == status
    assert invited(served) == []


@pytest.mark.parametrize("ahead", [0, 365])
def test_a_list_that_is_watched_is_told_what_a_coordinator_changes(
    served: Served, mail: MailServer, time: Clock, ahead: int
) -> None:
    """From the target list to the confirmed address to the mail, over a real server.

    The clock may be days ahead when the address is confirmed, and right again afterwards.
    """
    listed = served.page("/shortlist?visa=H-1B&step3=passed&applications=40")
    (watch,) = [form for form in listed.forms if form.action.endswith("/subscribe")]
    programs = watch.fields["program"]
    assert "quillwater-neurology" in programs.split()
    assert "lantern-hill-surgery" not in programs.split()  # refuses the H-1B
    time.at += timedelta(days=ahead)
    confirmed(served, program=programs)
    time.at += timedelta(hours=1) - timedelta(days=ahead)
    with Store(served.site.database) as store:
        for program_id in ("quillwater-neurology", "saint-odile-surgery"):
            number = answered(store, f"answer of {program_id}", program_id)
            accept(store, number, by="ada", now=time.at)
        enqueue(store, time.at, sender="watch@visas.example", base_url=HOME)
        told = outbox.listed(store)[-1]
    assert told.address == ANA
    assert "Neurology" in told.subject
    body = message_from_bytes(told.message, policy=default).get_body(("plain",))
    assert body is not None
    text = str(body.get_content())
    assert "says its coordinator" in text
    assert "Saint Odile" not in text


def test_a_program_can_be_asked_for(served: Served) -> None:
    page = served.page("/subscribe?program=lantern-hill-surgery")
    assert "Lantern Hill Medical Center, Surgery" in words(page)
    confirmed(served, program="lantern-hill-surgery")
    with Store(served.site.database) as store:
        (made,) = subscriptions.listed(store)
    assert made.program_id == "lantern-hill-surgery"


def test_a_body_without_a_length_is_bounded(served: Served) -> None:
    answer = served.client.post(
        "/subscribe",
        content=iter([b"email=" + b"a" * 40_000] * 2),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 413


def test_without_an_address_of_its_own_the_site_says_so(public: Served) -> None:
    assert "web.base_url" in words(public.page("/subscribe"))
    assert public.client.post("/subscribe", data={"email": ANA}).status_code == 503


def test_mail_that_cannot_go_out_waits(database: Path) -> None:
    settings = MailSettings(smtp_url="smtp://127.0.0.1:1", sender="watch@visas.example")
    site = Site(
        database,
        clock.fixed(NOON),
        SiteSettings(home=HOME, sender=settings.sender),
        lambda store, now: deliver(store, settings, now),
    )
    with serving(site) as served:
        ask(served)
        assert served.get("/healthz").json()["status"] == "ok"
    with Store(database) as store:
        assert [m.state for m in outbox.listed(store)] == ["queued"]


def test_what_was_asked_for_by_a_clock_that_was_ahead_is_in_nobodys_way(store: Store) -> None:
    wish = Subscription(0, ANA)
    with store.writing():
        _, ahead = invitations.add(store, wish, NOON + timedelta(days=365))
        taken, _ = invitations.add(store, wish, NOON)
    assert ahead is not None
    assert taken is invitations.Taken.YES
