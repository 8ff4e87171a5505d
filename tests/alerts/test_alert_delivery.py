"""Mail over real connections: each once, none lost, faults named."""

from __future__ import annotations

import mailbox
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import trustme
from aiosmtpd.smtp import AuthResult
from alerts_bench import NOW, SENDER, Bench, parsed
from mailserver import MailServer, serving

from monitor.alerts import Delivery, MailError, deliver
from monitor.alerts.delivery import FEWEST_ATTEMPTS, GIVEN_UP_AFTER
from monitor.alerts.server import Connection, Server
from store import outbox
from store.database import Store
from store.errors import StoreReadOnly
from visawatch.config import MailSettings

THREE = ["ana@a.example", "bo@b.example", "cy@c.example"]


def settings(
    server: MailServer, *, scheme: str = "smtp", login: str = "", query: str = ""
) -> MailSettings:
    url = f"{scheme}://{login}127.0.0.1:{server.port}{query}"
    return MailSettings(smtp_url=url, sender=SENDER)


@pytest.fixture
def three(bench: Bench) -> Bench:
    """Three mails in the outbox."""
    for email in THREE:
        bench.subscribe(email)
    bench.flag()
    assert bench.enqueue() == 3
    return bench


def contexts(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def cafile(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return f"?cafile={path}"


def test_all_arrive_once_over_one_connection(three: Bench, server: MailServer) -> None:
    assert deliver(three.store, settings(server), NOW) == Delivery(sent=3)
    assert deliver(three.store, settings(server), NOW) == Delivery()
    assert server.recipients() == THREE
    assert len(server.sessions) == 1
    assert three.states() == ["sent"] * 3


def test_both_parts_arrive_unchanged(three: Bench, server: MailServer) -> None:
    deliver(three.store, settings(server), NOW)
    recipient, raw = server.received[0]
    assert raw == three.mails()[0].message
    message = parsed(three.mails()[0])
    assert [p.get_content_type() for p in message.iter_parts()] == ["text/plain", "text/html"]
    assert message["To"] == recipient
    assert max(map(len, raw.split(b"\r\n"))) <= 200


def test_starttls_with_log_in(three: Bench, authority: trustme.CA, cafile: str) -> None:
    box = MailServer(user="u@x", password="p/w:1", starttls=contexts(authority))
    with serving(box):
        login = "u%40x:p%2Fw%3A1@"
        mail = settings(box, scheme="smtp+starttls", login=login, query=cafile)
        assert deliver(three.store, mail, NOW) == Delivery(sent=3)
    assert box.recipients() == THREE


def test_implicit_tls(three: Bench, authority: trustme.CA, cafile: str) -> None:
    with serving(MailServer(tls=contexts(authority))) as box:
        mail = settings(box, scheme="smtps", query=cafile)
        assert deliver(three.store, mail, NOW) == Delivery(sent=3)
    assert box.recipients() == THREE


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_an_unknown_certificate_is_not_trusted(
    three: Bench, authority: trustme.CA, scheme: str
) -> None:
    context = contexts(authority)
    box = MailServer(tls=context) if scheme == "smtps" else MailServer(starttls=context)
    with serving(box):
        delivery = deliver(three.store, settings(box, scheme=scheme), NOW)
    assert (delivery.sent, delivery.postponed, box.received) == (0, 3, [])
    assert "certificate that is not trusted" in delivery.problems[0]
    assert "?cafile=" in delivery.problems[0]


def test_a_server_without_starttls_gets_nothing(three: Bench, server: MailServer) -> None:
    delivery = deliver(three.store, settings(server, scheme="smtp+starttls"), NOW)
    assert (delivery.sent, delivery.postponed, server.received) == (0, 3, [])
    assert "offers no STARTTLS" in delivery.problems[0]


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_wrong_password_is_said_and_not_shown(three: Bench) -> None:
    with serving(MailServer(user="u", password="right")) as box:
        delivery = deliver(three.store, settings(box, login="u:wrong-one@"), NOW)
        assert delivery.postponed == 3
        assert f"127.0.0.1:{box.port} does not accept user 'u'" in delivery.problems[0]
        assert "wrong-one" not in delivery.problems[0]
        assert deliver(three.store, settings(box, login="u:right@"), NOW) == Delivery(sent=3)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_server_that_wants_a_log_in_loses_nothing(three: Bench) -> None:
    with serving(MailServer(user="u", password="right")) as box:
        delivery = deliver(three.store, settings(box), NOW)
    assert (delivery.postponed, delivery.refused) == (3, 0)
    assert "user and password" in delivery.problems[0]
    assert three.states() == ["queued"] * 3


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port where nobody listens, kept from others while the test runs."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_server_that_is_down_then_up(three: Bench, server: MailServer, closed_port: int) -> None:
    down = MailSettings(smtp_url=f"smtp://127.0.0.1:{closed_port}", sender=SENDER)
    for _ in range(FEWEST_ATTEMPTS + 1):
        later = NOW + GIVEN_UP_AFTER * 2
        delivery = deliver(three.store, down, later)
        assert (delivery.sent, delivery.postponed, delivery.refused) == (0, 3, 0)
    assert f"127.0.0.1:{closed_port} cannot be reached" in delivery.problems[0]
    assert deliver(three.store, settings(server), NOW) == Delivery(sent=3)
    assert server.recipients() == THREE


def test_one_refused_recipient_is_named_and_the_others_go_on(
    three: Bench, server: MailServer
) -> None:
    server.rcpt["bo@b.example"] = ["550 5.1.1 no such user"]
    delivery = deliver(three.store, settings(server), NOW)
    assert (delivery.sent, delivery.postponed, delivery.refused) == (2, 0, 1)
    assert "refuses bo@b.example: 550 5.1.1 no such user" in delivery.problems[0]
    assert server.recipients() == ["ana@a.example", "cy@c.example"]
    assert three.states() == ["sent", "refused", "sent"]
    assert three.mails()[1].error == delivery.problems[0]
    assert deliver(three.store, settings(server), NOW + timedelta(days=9)) == Delivery()


def test_a_message_refused_after_data(three: Bench, server: MailServer) -> None:
    server.data["ana@a.example"] = ["552 too large"]
    delivery = deliver(three.store, settings(server), NOW)
    assert (delivery.sent, delivery.refused) == (2, 1)


def test_greylisted_mail_arrives_at_the_next_attempt(three: Bench, server: MailServer) -> None:
    server.rcpt["ana@a.example"] = ["451 4.7.1 come back later"] * 2
    assert deliver(three.store, settings(server), NOW).postponed == 1
    assert deliver(three.store, settings(server), NOW + timedelta(seconds=50)) == Delivery()
    assert deliver(three.store, settings(server), NOW + timedelta(minutes=2)).postponed == 1
    assert deliver(three.store, settings(server), NOW + timedelta(minutes=6)) == Delivery()
    assert deliver(three.store, settings(server), NOW + timedelta(minutes=8)) == Delivery(sent=1)
    assert sorted(server.recipients()) == THREE


def test_what_is_never_taken_is_given_up_after_days_and_attempts(
    three: Bench, server: MailServer
) -> None:
    server.rcpt["ana@a.example"] = ["451 not now"] * 50
    moment, refused = NOW, list[str]()
    while not refused:
        delivery = deliver(three.store, settings(server), moment)
        refused = [p for p in delivery.problems if "given up" in p]
        moment += timedelta(hours=25)
    assert NOW + GIVEN_UP_AFTER < moment < NOW + GIVEN_UP_AFTER + timedelta(days=3)
    assert "ana@a.example" in refused[0]


def test_a_clock_that_ran_ahead_does_not_hold_mail_back(three: Bench, server: MailServer) -> None:
    server.rcpt["ana@a.example"] = ["451 not now"]
    ahead = NOW + timedelta(days=4000)
    assert deliver(three.store, settings(server), ahead).postponed == 1
    assert deliver(three.store, settings(server), NOW) == Delivery(sent=1)


def test_a_connection_lost_before_the_mail_is_made_again(three: Bench, server: MailServer) -> None:
    server.rcpt["bo@b.example"] = ["drop"]
    assert deliver(three.store, settings(server), NOW) == Delivery(sent=3)
    assert server.recipients() == THREE
    assert len(server.sessions) == 2


def test_a_connection_lost_after_the_mail_is_made_again_later(
    three: Bench, server: MailServer
) -> None:
    server.data["bo@b.example"] = ["drop"]
    delivery = deliver(three.store, settings(server), NOW)
    assert (delivery.sent, delivery.postponed) == (2, 1)
    assert deliver(three.store, settings(server), NOW + timedelta(minutes=2)) == Delivery(sent=1)
    assert sorted(server.recipients()) == THREE


@pytest.mark.parametrize("fault", ["drop", "silence"])
@pytest.mark.parametrize("takes", [True, False])
def test_a_mail_that_is_never_answered_for_is_sent_twice_and_told(
    three: Bench, server: MailServer, fault: str, takes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has it each time, or never: SMTP does not tell, so it must not go on for days."""
    monkeypatch.setattr("monitor.alerts.server.LAST_ANSWER", 0.3)
    server.data["bo@b.example"] = [f"{fault} taken" if takes else fault] * 9
    moment, delivery = NOW, deliver(three.store, settings(server), NOW)
    assert (delivery.sent, delivery.postponed, delivery.unconfirmed) == (2, 1, 0)
    problems: list[str] = []
    for hours in range(0, 24 * 8, 4):
        moment = NOW + timedelta(hours=hours, minutes=2)
        problems += deliver(three.store, settings(server), moment).problems
    (problem,) = problems
    assert "bo@b.example was handed over twice and never answered for" in problem
    mail = three.mails()[1]
    assert (mail.state, mail.error, mail.doubts) == ("unconfirmed", problem, 2)
    assert server.counts()[mail.message_id] == (2 if takes else 0)
    assert sorted(set(server.recipients())) == (THREE if takes else THREE[::2])
    server.data.clear()
    with three.store.writing():
        assert outbox.once_more(three.store, moment) == 1
    assert deliver(three.store, settings(server), moment) == Delivery(sent=1)


def test_a_slow_answer_to_a_whole_mail_is_waited_for(
    three: Bench, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.alerts.delivery.Connection", partial(Connection, timeout=0.2))
    server.data["bo@b.example"] = ["slow taken"]
    assert deliver(three.store, settings(server), NOW) == Delivery(sent=3)
    assert set(server.counts().values()) == {1}


def test_where_nothing_can_be_noted_nothing_is_sent(three: Bench, server: MailServer) -> None:
    """A mail that was sent and cannot be marked would be sent again by every run."""
    three.store.db.conn.execute("PRAGMA query_only = on")
    with pytest.raises(StoreReadOnly):
        deliver(three.store, settings(server), NOW)
    three.store.db.conn.execute("PRAGMA query_only = off")
    assert server.received == []
    assert deliver(three.store, settings(server), NOW) == Delivery(sent=3)


def test_a_server_that_goes_away_in_the_middle(three: Bench, server: MailServer) -> None:
    server.rcpt["bo@b.example"] = ["421 closing"] * 2
    server.rcpt["cy@c.example"] = ["421 closing"]
    delivery = deliver(three.store, settings(server), NOW)
    assert (delivery.sent, delivery.postponed) == (1, 2)
    assert three.states() == ["sent", "queued", "queued"]
    assert deliver(three.store, settings(server), NOW + timedelta(minutes=2)) == Delivery(sent=2)
    assert server.recipients() == THREE


def test_a_sender_that_the_server_does_not_take_loses_nothing(
    three: Bench, server: MailServer
) -> None:
    server.sender = "553 5.7.1 not your address"
    delivery = deliver(three.store, settings(server), NOW)
    assert (delivery.sent, delivery.postponed, delivery.refused) == (0, 3, 0)
    assert f"takes no mail from {SENDER}" in delivery.problems[0]


def test_without_a_server_mail_goes_into_a_maildir_once(three: Bench, tmp_path: Path) -> None:
    mail = MailSettings(maildir=str(tmp_path / "post" / "alerts"))
    assert deliver(three.store, mail, NOW) == Delivery(sent=3)
    box = mailbox.Maildir(mail.maildir, create=False)
    assert sorted(m["To"] for m in box) == THREE
    with three.store.writing():  # as after a kill between the file and the mark
        three.store.write("UPDATE outbox SET state = 'queued'")
    (tmp_path / "post" / "alerts" / "new").joinpath(box.keys()[0]).rename(
        tmp_path / "post" / "alerts" / "cur" / f"{box.keys()[0]}:2,S"
    )
    assert deliver(three.store, mail, NOW) == Delivery(sent=3)
    assert len(mailbox.Maildir(mail.maildir)) == 3
    assert list((tmp_path / "post" / "alerts" / "tmp").iterdir()) == []


def test_a_maildir_that_cannot_be_made_is_named(three: Bench, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    delivery = deliver(three.store, MailSettings(maildir=str(tmp_path / "file" / "mail")), NOW)
    assert delivery.postponed == 3
    assert f"{tmp_path / 'file' / 'mail'} cannot be written" in delivery.problems[0]


@pytest.mark.parametrize(
    ("url", "sender", "says"),
    [
        ("smtps://m.example", "", "mail.sender is empty"),
        ("smtps://m.example", "not an address", "mail.sender"),
        ("http://m.example", SENDER, "must begin with smtps://"),
        ("m.example:25", SENDER, "must begin with smtps://"),
        ("smtps://", SENDER, "names no host"),
        ("smtps://u:sec/ret@m.example", SENDER, "mail.smtp_url"),
        ("smtps://m.example:99999", SENDER, "mail.smtp_url"),
        ("smtps://m.example?ca=1", SENDER, "'ca' means nothing"),
        ("smtps://u@m.example", SENDER, "without the other"),
        ("smtps://m.example?cafile=/nowhere.pem", SENDER, "/nowhere.pem"),
    ],
)
def test_settings_of_no_use_are_named(three: Bench, url: str, sender: str, says: str) -> None:
    mail = MailSettings(smtp_url=url, sender=sender)
    try:
        delivery = deliver(three.store, mail, NOW)
    except MailError as error:
        problem = str(error)
    else:
        (problem,) = delivery.problems
    assert says in problem
    assert "sec" not in problem
    assert three.states() == ["queued"] * 3


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server on loopback is treated as one that the network lies before."""
    monkeypatch.setattr(Server, "is_this_machine", property(lambda _: False))


@pytest.mark.usefixtures("far_away")
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_credentials_never_cross_the_network_in_the_clear(three: Bench) -> None:
    tried: list[str] = []

    class Eager(MailServer):
        def authenticate(self, *_: object) -> AuthResult:
            tried.append("log-in")
            return AuthResult(success=True)

    with serving(Eager(user="u", password="p")) as box:
        delivery = deliver(three.store, settings(box, login="u:p@"), NOW)
    assert (delivery.sent, delivery.postponed, tried) == (0, 3, [])
    assert "none without TLS" in delivery.problems[0]


@pytest.mark.usefixtures("far_away")
def test_starttls_is_used_where_it_is_offered(
    three: Bench, authority: trustme.CA, cafile: str
) -> None:
    with serving(MailServer(starttls=contexts(authority))) as box:  # which requires it
        assert deliver(three.store, settings(box, query=cafile), NOW) == Delivery(sent=3)


def test_two_threads_of_one_process_send_each_mail_once(three: Bench, server: MailServer) -> None:
    def send() -> int:
        with Store(three.store.path) as store:
            return deliver(store, settings(server), NOW).sent

    with ThreadPoolExecutor(2) as pool:
        assert sum(future.result() for future in [pool.submit(send) for _ in range(2)]) == 3
    assert set(server.counts().values()) == {1}


def test_printing_a_server_shows_no_password() -> None:
    server = Server.from_url("smtps://u:secret@mail.example")
    assert "secret" not in f"{server} {server!r}"
    assert (server.port, str(server)) == (465, "mail.example:465")
