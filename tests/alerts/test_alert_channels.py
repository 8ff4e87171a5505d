"""Webhooks and chats: each alert once, faults kept to their own, and secrets kept."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from alerts_bench import NOW, SENDER, Bench, policy
from click.testing import CliRunner, Result
from hookserver import HookServer, serving_hooks
from mailserver import MailServer
from test_alert_kills import SEND

from crawler.guard import Guard
from extractors.values import Stance
from monitor.alerts import AddressError, Delivery, canonical, channel, deliver, shown
from monitor.alerts.channels import services
from store.database import Store
from store.records import Program, stamp
from visawatch.cli import main
from visawatch.config import MailSettings

SLACK = "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"


@pytest.fixture(scope="module")
def module_hooks() -> Iterator[HookServer]:
    with serving_hooks() as server:
        yield server


@pytest.fixture
def hooks(module_hooks: HookServer) -> HookServer:
    """A server that has received nothing yet."""
    server = module_hooks
    server.answers.clear()
    server.received.clear()
    server.asked.clear()
    server.on_post, server.location = (lambda path: None), ""
    return server


def send(bench: Bench, hooks: HookServer, minutes: float = 0, mail: str = "") -> Delivery:
    settings = MailSettings(
        smtp_url=mail, sender=SENDER, maildir=str(bench.store.path.parent / "mail")
    )
    at = NOW + timedelta(minutes=minutes)
    return deliver(bench.store, settings, at, allow_hosts=[hooks.host])


def test_an_alert_comes_as_text_and_as_data(bench: Bench, hooks: HookServer) -> None:
    one = bench.subscribe(hooks.url("/hook?-key=s3cret"), visa="H-1B")
    bench.subscribe(hooks.url("/other"), visa="J-1")
    bench.flag()
    assert bench.enqueue() == 1
    assert send(bench, hooks) == Delivery(sent=1)
    assert send(bench, hooks) == Delivery()
    ((path, body),) = hooks.received
    assert path == "/hook?key=s3cret"
    assert body["title"] == (
        "VisaWatch: Harborview Medical, Internal Medicine no longer sponsors H-1B"
    )
    assert body["message_id"] == bench.mails()[0].message_id
    assert "Before: “We sponsor J-1 and H-1B visas for our residents.”" in body["message"]
    assert "After: “We sponsor J-1 visas only; we do not sponsor H-1B.”" in body["message"]
    assert "no maintainer has confirmed it yet" in body["message"]
    assert f"visawatch unsubscribe {one.token}" in body["message"]
    (change,) = body["changes"]
    assert (change["program_id"], change["severity"]) == ("harborview-im", "critical")
    assert change["after"]["stances"] == {"J-1": "sponsored", "H-1B": "not_sponsored"}
    assert change["after"]["evidence"][0]["quote"].startswith("We sponsor J-1 visas only")


def test_filters_and_digests_are_those_of_mail(bench: Bench, hooks: HookServer) -> None:
    bench.subscribe(hooks.url("/daily"), frequency="daily", state="MN")
    bench.flag()
    bench.flag("lakeside-fm")
    bench.flag("lakeside-surg")
    assert bench.enqueue() == 0
    assert bench.enqueue(NOW + timedelta(days=1)) == 1
    assert send(bench, hooks, minutes=1440) == Delivery(sent=1)
    ((_, body),) = hooks.received
    assert [c["program_id"] for c in body["changes"]] == ["lakeside-fm", "lakeside-surg"]


def test_one_that_fails_is_tried_again_and_the_others_go_on(
    bench: Bench, hooks: HookServer, server: MailServer
) -> None:
    hooks.answers["/bad"] = ["500", "503", "302"]
    hooks.answers["/gone"] = ["410"]
    hooks.location = "http://127.0.0.1:1/elsewhere"
    for path in ("/bad", "/gone", "/good"):
        bench.subscribe(hooks.url(path))
    bench.subscribe("ana@a.example")
    bench.flag()
    bench.enqueue()
    mail = f"smtp://127.0.0.1:{server.port}"
    delivery = send(bench, hooks, mail=mail)
    assert (delivery.sent, delivery.postponed, delivery.refused) == (2, 1, 1)
    assert sorted(delivery.problems) == [
        f"json://{hooks.host}/… answers 500",
        f"json://{hooks.host}/… is gone for good (410)",
    ]
    assert server.recipients() == ["ana@a.example"]
    assert send(bench, hooks, minutes=0.5) == Delivery()  # too soon
    assert send(bench, hooks, minutes=2).postponed == 1
    assert send(bench, hooks, minutes=8).problems == (f"json://{hooks.host}/… answers 302",)
    assert send(bench, hooks, minutes=60) == Delivery(sent=1)
    assert set(hooks.counts().values()) == {1}
    assert hooks.asked.count("/bad") == 4


def test_a_channel_that_fails_is_asked_once_a_run(bench: Bench, hooks: HookServer) -> None:
    hooks.answers["/bad"] = ["500"] * 9
    bench.subscribe(hooks.url("/bad"))
    for minute in range(3):
        bench.flag(at=NOW + timedelta(minutes=minute))
        bench.enqueue(NOW + timedelta(minutes=minute))
    assert send(bench, hooks, minutes=3).postponed == 3
    assert hooks.asked == ["/bad"]


@pytest.mark.parametrize("fault", ["silence", "drop", "trickle"])
def test_one_that_never_answers_gets_it_twice_and_holds_up_nobody(
    bench: Bench, hooks: HookServer, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.alerts.posting.POST_SECONDS", 1.0)
    hooks.answers["/bad"] = [f"{fault} taken"] * 9
    bench.subscribe("ana@a.example")
    bench.subscribe(hooks.url("/bad"))
    bench.flag()
    bench.enqueue()
    delivery = send(bench, hooks)
    assert (delivery.sent, delivery.postponed) == (1, 1)
    delivery = send(bench, hooks, minutes=2)
    assert (delivery.postponed, delivery.unconfirmed) == (0, 1)
    assert f"json://{hooks.host}/… was handed over twice" in delivery.problems[0]
    assert send(bench, hooks, minutes=2000) == Delivery()
    assert list(hooks.counts().values()) == [2]


def test_a_service_that_is_down_is_asked_once_and_keeps_everything(
    bench: Bench, hooks: HookServer
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        for path in ("/a", "/b"):
            bench.subscribe(f"json://127.0.0.1:{port}{path}")
        bench.subscribe(hooks.url())
        bench.flag()
        bench.enqueue()
        settings = MailSettings(maildir=str(bench.store.path.parent / "mail"))
        allowed = [hooks.host, f"127.0.0.1:{port}"]
        delivery = deliver(bench.store, settings, NOW, allow_hosts=allowed)
    assert (delivery.sent, delivery.postponed) == (1, 2)
    (problem,) = delivery.problems
    assert problem.startswith(f"json://127.0.0.1:{port}/… cannot be reached")


def test_private_hosts_are_not_posted_to(bench: Bench, hooks: HookServer) -> None:
    """By whatever name: it is the address that is connected to which counts."""
    for host in ("127.0.0.1", "localhost"):
        bench.subscribe(f"json://{host}:{hooks.port}/hook")
    bench.flag()
    bench.enqueue()
    settings = MailSettings(maildir=str(bench.store.path.parent / "mail"))
    delivery = deliver(bench.store, settings, NOW)
    assert (delivery.sent, delivery.postponed, hooks.asked) == (0, 2, [])
    assert all("is not a public address" in problem for problem in delivery.problems)
    named = deliver(
        bench.store, settings, NOW + timedelta(minutes=2), allow_hosts=[f"localhost:{hooks.port}"]
    )
    assert (named.sent, named.postponed) == (1, 1)


def test_a_sender_that_is_killed_repeats_one_alert_at_most(bench: Bench, hooks: HookServer) -> None:
    import subprocess

    script = SEND.replace("sender=sender), now)", "sender=sender), now, allow_hosts=[url])")
    script = script.replace("MailSettings(smtp_url=url, ", "MailSettings(")
    for number in range(6):
        bench.subscribe(hooks.url(f"/{number}"))
    bench.flag()
    bench.enqueue()
    killed = threading.Event()

    def kill(path: str) -> None:
        if path == "/3" and not killed.is_set():
            killed.set()
            process.kill()
            process.wait()

    hooks.on_post = kill
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(bench.store.path), hooks.host, SENDER, NOW.isoformat()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    process.communicate("go\n", timeout=60)
    assert killed.is_set()
    assert bench.states().count("sent") == 3
    assert send(bench, hooks) == Delivery(sent=3)
    assert sorted(hooks.counts().values()) == [1, 1, 1, 1, 1, 2]
    assert hooks.counts()[bench.mails()[3].message_id] == 2


@pytest.mark.parametrize(
    ("url", "path", "key"),
    [
        ("mmost://{}/3ccdd113474722377935511fc85d3dd4",
         "/hooks/3ccdd113474722377935511fc85d3dd4", "text"),
        ("gotify://{}/token", "/message", "message"),
        ("ntfy://{}/topic", "/", "message"),
    ],
)  # fmt: skip
def test_chats_of_ones_own_get_the_text(
    bench: Bench, hooks: HookServer, url: str, path: str, key: str
) -> None:
    bench.subscribe(channel(url.format(hooks.host), Guard([hooks.host])))
    bench.flag()
    bench.enqueue()
    assert send(bench, hooks) == Delivery(sent=1)
    ((asked, body),) = hooks.received
    assert asked == path
    assert "After: “We sponsor J-1 visas only; we do not sponsor H-1B.”" in body[key]
    assert "changes" not in body


COMMANDS = ("@everyone", "<!channel", "](", "@here")


def test_page_text_commands_no_chat(bench: Bench, hooks: HookServer) -> None:
    """In the title, in a name and in a quote, which are shown all the same."""
    evil = "@everyone <!channel> [J-1](https://evil.example) @here"
    bench.add_program(Program("evil", f"Oak Bay {evil}", "Surgery"))
    bench.subscribe(hooks.url())
    bench.flag("evil", after=policy(Stance.SPONSORED, None, f"We sponsor {evil}"))
    bench.enqueue()
    assert send(bench, hooks) == Delivery(sent=1)
    ((_, body),) = hooks.received
    for text in (body["title"], body["message"]):
        assert "Oak Bay" in text
        assert not [command for command in COMMANDS if command in text]
    assert "We sponsor" in body["message"]


def test_much_page_text_is_little_in_a_chat_and_commands_none(
    bench: Bench, hooks: HookServer
) -> None:
    evil = " ".join(COMMANDS) + "x" * 999
    bench.subscribe(hooks.url())
    for number in range(30):
        bench.flag(after=policy(Stance.SPONSORED, None, evil), at=NOW + timedelta(seconds=number))
    bench.enqueue(NOW + timedelta(minutes=1))
    assert send(bench, hooks, minutes=1) == Delivery(sent=1)
    ((_, body),) = hooks.received
    assert not [command for command in COMMANDS if command in body["message"]]
    assert "more" in body["message"]
    assert len(body["message"]) <= 1900
    assert len(body["changes"]) == 30


@pytest.mark.parametrize(
    ("url", "stored", "seen"),
    [
        ("https://h.example/a/b?k=v%20w&e=", "jsons://h.example/a/b?-k=v%20w&-e=",
         "jsons://h.example/…"),
        ("http://me:pw@h.example:81/x", "json://me:pw@h.example:81/x", "json://h.example:81/…"),
        (f"https://hooks.slack.com/services/{SLACK}", f"slack://{SLACK}//", "slack://…"),
        ("SLACK://" + SLACK, "slack://" + SLACK, "slack://…"),
        ("https://discord.com/api/webhooks/123456/abcdef", "discord://123456/abcdef/",
         "discord://…"),
        ("ntfys://ntfy.sh/topic", "ntfys://ntfy.sh/topic", "ntfys://…"),
        ("mmosts://m.example/3ccdd113474722377935511fc85d3dd4",
         "mmosts://m.example/3ccdd113474722377935511fc85d3dd4", "mmosts://m.example/…"),
    ],
)  # fmt: skip
def test_urls_are_known_and_shown_without_their_secrets(url: str, stored: str, seen: str) -> None:
    assert channel(url, Guard()) == stored == canonical(url) == canonical(stored)
    assert shown(stored) == seen


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("file:///etc/passwd", "'file://' is nothing that alerts are posted to"),
        ("syslog://", "nothing"),
        ("dbus://", "nothing"),
        ("exec://s3cret", "nothing"),
        ("mailto://a:s3cret@x.example", "nothing"),
        (f"slack://{SLACK}/?template=/etc/s3cret", "'template' is not allowed"),
        (f"slack://{SLACK}/#a?Template=file:///etc/s3cret", "'template' is not allowed"),
        ("discord://123456/s3cret?avatar_url=http://10.0.0.1/", "'avatar_url' is not allowed"),
        ("jsons://h.example/s3cret?verify=no", "'verify' is not allowed"),
        ("jsons://h.example/s3cret?redirect=yes", "'redirect' is not allowed"),
        ("json://127.0.0.1/s3cret", "127.0.0.1 is not a public address"),
        ("http://169.254.169.254/s3cret", "169.254.169.254 is not a public address"),
        ("json://[::1]/s3cret", "not a public address"),
        ("http://2130706433/s3cret", "is a number"),
        ("gotify://10.0.0.1/s3cret", "10.0.0.1 is not a public address"),
        ("https://h.example/s3cret#f", "no '#'"),
        ("slack://s3cret", "not a URL of slack"),
        ("json://", "not a URL of json"),
        ("tgram://123456789:AABBCCDDeeffgghh_aa/123/456", "names 2 receivers"),
        ("https://h.example/s3 cret", "no spaces"),
        ("https://h.example/" + "x" * 2000, "at most 2000"),
        ("https://h.example/ü", "ASCII"),
    ],
)
def test_what_is_refused_is_named_without_secrets(url: str, says: str) -> None:
    with pytest.raises(AddressError) as told:
        channel(url, Guard())
    assert says in str(told.value)
    assert "s3" not in str(told.value)
    assert SLACK not in str(told.value)


def test_no_plugin_is_loaded_that_is_not_listed() -> None:
    channel(f"https://hooks.slack.com/services/{SLACK}", Guard())
    loaded = {name.split(".")[2] for name in sys.modules if name.startswith("apprise.plugins.")}
    listed = {service.plugin.partition(":")[0] for service in services().values()}
    assert loaded <= listed | {"base"}, loaded - listed


def test_the_commands_show_no_secret(bench: Bench, hooks: HookServer, tmp_path: Path) -> None:
    def run(*arguments: str, status: int = 0) -> Result:
        env = {
            "VISAWATCH_MAIL__MAILDIR": str(tmp_path / "mail"),
            "VISAWATCH_CRAWL__ALLOW_HOSTS": json.dumps([hooks.host]),
        }
        line = ["-v", "--db", str(bench.store.path), "--now", stamp(NOW), *arguments]
        done = CliRunner().invoke(main, line, env=env)
        assert done.exit_code == status, done.output
        assert "s3cret" not in done.output
        return done

    url = f"http://user:s3cret@{hooks.host}/s3cret?token=s3cret"
    assert f"json://{hooks.host}/… is told of" in run("subscribe", url, "--visa", "H-1B").output
    run("subscribe", url, "--visa", "H-1B")
    run("subscribe", "https://10.0.0.1/s3cret", status=2)
    (line,) = run("subscriptions", "--json").stdout.splitlines()
    assert json.loads(line)["address"] == f"json://{hooks.host}/…"
    run("subscriptions")
    bench.flag()
    hooks.answers["/s3cret?token=s3cret"] = ["500"]
    run("alerts", "send", status=1)
    run("alerts", "show")
    run("alerts", "show", "--json")
    assert f"To: json://{hooks.host}/…" in run("alerts", "show", "1").stdout
    with Store(bench.store.path) as store:
        assert deliver(
            store, MailSettings(), NOW + timedelta(minutes=2), allow_hosts=[hooks.host]
        ) == Delivery(sent=1)
    run("unsubscribe", url)
    run("unsubscribe", "http://other.example/s3cret", status=1)
    assert run("subscriptions", "--json").stdout == ""
