"""Senders that are killed, or that run at the same time."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
from alerts_bench import NOW, SENDER, Bench
from mailserver import MailServer, serving

from monitor.alerts import Delivery, deliver
from visawatch.config import MailSettings

MAILS = 12
SEND = """
import sys
from datetime import datetime
from monitor.alerts import deliver, enqueue
from store.database import Store
from visawatch.config import MailSettings
path, url, sender, now = sys.argv[1:]
now = datetime.fromisoformat(now)
print("ready", flush=True)
sys.stdin.readline()
with Store(path) as store:
    enqueue(store, now, sender=sender, base_url="")
    print(deliver(store, MailSettings(smtp_url=url, sender=sender), now))
"""


# The same, and it kills itself at the third call of a function of the outbox: before it does
# anything, or when all is done but not committed.
DIES = """
import os, signal, sys
from store import outbox
when, name = sys.argv.pop().split(" ")
whole, calls = getattr(outbox, name), []

def dies(*arguments):
    calls.append(1)
    if len(calls) == 3 and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    done = whole(*arguments)
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return done

setattr(outbox, name, dies)
"""


def sender(bench: Bench, server: MailServer) -> subprocess.Popen[str]:
    """A process that is about to send, and does so once it is told to."""
    url = f"smtp://127.0.0.1:{server.port}"
    process = subprocess.Popen(
        [sys.executable, "-c", SEND, str(bench.store.path), url, SENDER, NOW.isoformat()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.fixture
def many(bench: Bench) -> Bench:
    for number in range(MAILS):
        bench.subscribe(f"person{number}@a.example")
    bench.flag()
    assert bench.enqueue() == MAILS
    return bench


def test_a_killed_sender_loses_nothing(many: Bench) -> None:
    server, killed = MailServer(), threading.Event()

    def kill(recipient: str) -> None:
        # The server has the sixth mail, and its sender dies before it is told so.
        if len(server.received) == 6 and not killed.is_set():
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed.set()

    server.on_data = kill
    with serving(server):
        process = sender(many, server)
        process.communicate("go\n", timeout=60)
        assert killed.is_set()
        assert many.states().count("sent") == 5
        mail = MailSettings(smtp_url=f"smtp://127.0.0.1:{server.port}", sender=SENDER)
        assert deliver(many.store, mail, NOW) == Delivery(sent=MAILS - 5)
    counts = server.counts()
    assert set(counts) == {mail.message_id for mail in many.mails()}
    # Nobody can know whether a server has a mail that it did not answer for; the second copy
    # carries the same Message-ID. No other mail came twice.
    assert sorted(counts.values()) == [1] * (MAILS - 1) + [2]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("name", "repeats"), [("enqueue", 0), ("attempt", 0), ("mark_sent", 1)])
def test_a_sender_killed_at_this_step(
    bench: Bench, server: MailServer, when: str, name: str, repeats: int
) -> None:
    """Only a mail that was taken and not marked comes again, letter by letter the same."""
    for number in range(5):
        bench.subscribe(f"person{number}@a.example")
    bench.flag()
    url = f"smtp://127.0.0.1:{server.port}"
    command = [sys.executable, "-c", DIES + SEND, str(bench.store.path), url, SENDER]
    killed = subprocess.run(
        [*command, NOW.isoformat(), f"{when} {name}"], input="go\n", text=True, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL
    sender(bench, server).communicate("go\n", timeout=60)
    assert bench.states() == ["sent"] * 5
    counts = server.counts()
    assert set(counts) == {mail.message_id for mail in bench.mails()}
    assert sorted(set(server.recipients())) == [f"person{n}@a.example" for n in range(5)]
    assert sum(counts.values()) == 5 + repeats
    assert len(set(server.received)) == 5


@pytest.mark.parametrize("command", ["MAIL", "RCPT"])
def test_a_sender_killed_in_the_middle_of_the_dialogue(many: Bench, command: str) -> None:
    server = MailServer()
    seen: list[str] = []

    def kill(said: str) -> None:
        seen.append(said)
        if seen.count(command) == 4 and process.poll() is None:
            process.kill()
            process.wait()

    server.on_command = kill
    with serving(server):
        process = sender(many, server)
        process.communicate("go\n", timeout=60)
        assert process.returncode == -signal.SIGKILL
        assert many.states().count("sent") == 3
        mail = MailSettings(smtp_url=f"smtp://127.0.0.1:{server.port}", sender=SENDER)
        assert deliver(many.store, mail, NOW) == Delivery(sent=MAILS - 3)
    assert sorted(server.counts().values()) == [1] * MAILS


def test_senders_killed_at_random_instants(bench: Bench) -> None:
    """While composing, connecting, handing over, or between the answer and its mark."""
    chance, kills, mails = random.Random(8), 5, 40
    server, sending = MailServer(), threading.Event()

    def note(_: str) -> None:
        sending.set()
        time.sleep(0.004)

    server.on_data = note
    for number in range(mails):
        bench.subscribe(f"person{number}@a.example")
    bench.flag()
    with serving(server):
        waiting = [sender(bench, server) for _ in range(kills)]
        for number, process in enumerate(waiting):
            sending.clear()
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
            if number > 1:  # the first two are killed while they compose
                assert sending.wait(30)
            time.sleep(chance.uniform(0, 0.03))  # the instant is what is being tried
            process.kill()
            process.communicate(timeout=60)
        last = sender(bench, server)
        last.communicate("go\n", timeout=60)
    assert bench.states() == ["sent"] * mails
    counts = server.counts()
    assert set(counts) == {mail.message_id for mail in bench.mails()}
    assert sorted(set(server.recipients())) == sorted(f"person{n}@a.example" for n in range(mails))
    # Each kill can leave one mail of which nobody knows; a repeat is the same, letter by letter.
    assert sum(counts.values()) - mails <= kills
    assert len(set(server.received)) == mails


def test_two_senders_at_once_send_each_mail_once(many: Bench, server: MailServer) -> None:
    processes = [sender(many, server) for _ in range(2)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert set(server.counts().values()) == {1}
    assert len(server.counts()) == MAILS
    assert many.states() == ["sent"] * MAILS


def test_a_sender_that_waits_too_long_says_who_sends(
    many: Bench, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.alerts.delivery.LEASE_WAIT", 0.2)
    here, go_on = threading.Event(), threading.Event()

    def hold(recipient: str) -> None:
        here.set()
        go_on.wait(30)

    server.on_data = hold
    process = sender(many, server)
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    assert here.wait(30)
    mail = MailSettings(smtp_url=f"smtp://127.0.0.1:{server.port}", sender=SENDER)
    delivery = deliver(many.store, mail, NOW)
    assert (delivery.sent, delivery.postponed) == (0, MAILS)
    assert f"process {process.pid}" in delivery.problems[0]
    go_on.set()
    process.communicate(timeout=60)
    assert set(server.counts().values()) == {1}


def test_after_all_of_it_each_subscriber_has_each_alert_once(bench: Bench) -> None:
    """A kill, a day without a server, one who is refused, and a time-out after DATA."""
    everyone = ("ana", "bo", "cy", "di")
    for name in everyone:
        frequency = "daily" if name == "cy" else "at_once"
        bench.subscribe(f"{name}@a.example", frequency=frequency)
    server = MailServer(data={"di@a.example": ["drop taken"]})
    server.rcpt["bo@a.example"] = ["550 no such mailbox"] * 9
    flagged = [bench.flag()]

    def kill(recipient: str) -> None:
        if not process.returncode:
            process.kill()
            process.wait()

    server.on_data = kill
    with serving(server):
        process = sender(bench, server)
        process.communicate("go\n", timeout=60)
        mail = MailSettings(smtp_url=f"smtp://127.0.0.1:{server.port}", sender=SENDER)
        refused = []
        for hour in range(1, 24 * 4):
            at = NOW + timedelta(hours=hour)
            server.sender = "421 closed for a day" if 10 < hour < 34 else "250 OK"
            if hour in (12, 20):
                flagged.append(bench.flag(("lakeside-fm", "lakeside-surg")[hour == 20], at=at))
            bench.enqueue(at)
            refused += [p for p in deliver(bench.store, mail, at).problems if "550" in p]
    assert len(refused) == len(flagged)
    assert all("bo@a.example" in reason for reason in refused)
    for name in ("ana", "cy", "di"):
        told = {raw for to, raw in server.received if to == f"{name}@a.example"}
        text = b"".join(told).decode()
        for change in flagged:
            assert text.count(f"Review:    visawatch review {change.id} accept") == 1
    # What came twice is the same, letter by letter: the one of the kill, and the one unanswered.
    assert len(server.received) - len(set(server.received)) == 2
    assert set(bench.states()) == {"sent", "refused"}
