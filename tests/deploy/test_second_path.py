"""A monitor that has itself stopped is told of by another way than its own.

What systemd and cron would run is run here, with a journal that says what the unit has said, and a
`sendmail` that is a mail server's on loopback. VisaWatch's own mail server cannot be reached.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from loopback import Site
from mailserver import MailServer
from shell import PATIENCE, Shell
from test_deploy import DEPLOY, NOW, options

from monitor.vitals import vitals
from store import cycles
from store.database import Store
from store.outbox import enqueue
from store.records import Mail, stamp
from web.metrics import text

MISSED = "the night of 2026-11-27T02:00:00Z was not run: it is 7 hours overdue"
SENDMAIL = """#!{python}
import email, smtplib, sys
mail = email.message_from_binary_file(sys.stdin.buffer)
with smtplib.SMTP("127.0.0.1", {port}) as server:
    server.send_message(mail, from_addr="root@machine.example")
"""


@pytest.fixture
def stopped(shell: Shell, web: Site) -> Shell:
    """A watch that has run one night, and none since."""
    shell.settings = {"mail": {"smtp_url": "smtp://127.0.0.1:1", "sender": "w@watch.example"}}
    web.page("/visas", "<title>Visas</title><h1>Visas</h1><p>We sponsor J-1 visas only.</p>")
    shell.watch({"larkspur": web.url("/visas")})
    shell.options = ["--now", "2026-11-25T02:00:00Z"]
    shell.crawl(web.host)
    shell.db.chmod(0o600)
    shell.options = ["--now", "2026-11-27T09:00:00Z"]
    return shell


def programs(folder: Path, **scripts: str) -> dict[str, str]:
    """An environment with programs of these names in front of all others."""
    folder.mkdir(exist_ok=True)
    for name, script in scripts.items():
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def start(unit: str, shell: Shell, folder: Path, mail: MailServer, instance: str = "") -> None:
    """Starts a unit as systemd does: its command and, when that fails, the unit it names."""
    found = options(DEPLOY / "systemd" / f"{unit}.service")
    words = shlex.split(found["ExecStart"])
    ours = {"/opt/visawatch/bin/visawatch": [], "/usr/sbin/sendmail": ["sendmail"]}
    if words[0] in ours:
        words = shell.command(*words[3:])  # without the path, and its --config FILE
    words = [word.replace("$$", "$").replace("%%", "%") for word in words]
    words = [word.replace("/usr/sbin/sendmail", "sendmail") for word in words]
    words = [{"%i": instance, "%H": "machine"}.get(word, word) for word in words]
    sendmail = SENDMAIL.format(python=sys.executable, port=mail.port)
    journal = f'#!/bin/sh\n[ "$2" = "{instance}" ] && cat {folder}/said\n'
    env = programs(folder, journalctl=journal, sendmail=sendmail)
    env |= shell.environment() | {"PATH": env["PATH"], "TELL": "you@example.org"}
    done = subprocess.run(words, env=env, capture_output=True, timeout=PATIENCE, check=False)
    if done.returncode:
        (folder / "said").write_bytes(done.stdout)
        name, _, _ = found["OnFailure"].partition("@")
        start(f"{name}@", shell, folder, mail, f"{unit}.service")


def test_a_night_that_was_not_run_is_mailed_by_another_way(
    stopped: Shell, mail: MailServer, tmp_path: Path
) -> None:
    start("visawatch-doctor", stopped, tmp_path / "bin", mail)
    ((to, content),) = mail.received
    told = message_from_bytes(content, policy=default)
    assert to == "you@example.org"
    assert told["Subject"] == "visawatch-doctor.service has failed on machine"
    assert MISSED in str(told.get_content())


def test_nothing_is_mailed_while_all_is_well(
    stopped: Shell, mail: MailServer, tmp_path: Path
) -> None:
    stopped.options = ["--now", "2026-11-25T09:00:00Z"]
    start("visawatch-doctor", stopped, tmp_path / "bin", mail)
    assert mail.received == []


def test_cron_mails_what_the_doctor_in_the_container_says(stopped: Shell, tmp_path: Path) -> None:
    (line,) = re.findall(r"^0 9,21 \* \* \* root (.*)$", cron(), re.MULTILINE)
    assert re.search(r"^MAILTO=", cron(), re.MULTILINE)

    def printed(*command: str) -> str:
        run = f"#!/bin/sh\n{shlex.join(command)}\n"
        env = programs(tmp_path / "bin", podman=run) | {"PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            ["/bin/sh", "-c", line], env=env, capture_output=True, timeout=PATIENCE, check=False
        )
        return done.stdout.decode()

    assert MISSED in printed(*stopped.command("doctor"))
    stopped.options = ["--now", "2026-11-25T09:00:00Z"]
    assert printed(*stopped.command("doctor")) == ""
    assert "no such container" in printed("sh", "-c", "echo no such container >&2; exit 125")


def cron() -> str:
    return (DEPLOY / "visawatch-doctor.cron").read_text()


def test_the_alert_rules_go_off_when_it_has_stopped_and_not_before(store: Store) -> None:
    """The rules that compare a measure with a number, over what `/metrics` says."""
    rules = re.findall(r"expr: (visawatch_\w+) > (\d+)$", RULES, re.MULTILINE)
    assert {name for name, _ in rules} == {
        "visawatch_cycle_overdue_seconds",
        "visawatch_cycle_running",
        "visawatch_oldest_mail_seconds",
    }
    with store.writing():
        cycle, _ = cycles.open_one(store, "2026-11-25T02:00:00Z")
        cycles.finish(store, cycle.id, "2026-11-25T02:10:00Z", {"pages": 3})
        enqueue(store, Mail(0, "<m>", "a@inbox.example", "News", b"x", stamp(NOW)), {})

    def firing(at: datetime) -> set[str]:
        said = text(vitals(store, at)).decode()
        values = dict(re.findall(r"^(visawatch_\w+) (\S+)$", said, re.MULTILINE))
        return {name for name, most in rules if float(values[name]) > float(most)}

    assert firing(NOW) == set()
    late = NOW + timedelta(days=2)
    assert firing(late) == {"visawatch_cycle_overdue_seconds", "visawatch_oldest_mail_seconds"}
    with store.writing():
        cycles.open_one(store, stamp(late))
    assert "visawatch_cycle_running" in firing(late)


RULES = (DEPLOY / "alerts.yml").read_text()
