"""Runs commands in children, kills them at random instants, and compares with a journal.

    python killing.py FOLDER KILLS SEED HOST

Without any kills, two children of every kind run at once, and come to their end. The journal is a
file of its own: a line before each command, and one when it was acknowledged (exit status 0). What
was acknowledged must be there, once; what was not must be there whole, once, or not at all. FOLDER
has a watched database and its settings.
"""

from __future__ import annotations

import io
import json
import mailbox
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, redirect_stderr, redirect_stdout, suppress
from importlib import import_module
from pathlib import Path

import click

from store import outbox, proof
from store.database import Store
from store.records import Mail
from visawatch.cli import COMMANDS, main

FOLDER, KILLS, SEED = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
HOST = sys.argv[4]
DB, JOURNAL, COPIES = FOLDER / "visawatch.db", FOLDER / "journal", FOLDER / "copies"
AT = "2026-11-27T09:00:00Z"
PARTS = ("a", "b", "c")  # of an import
DECISIONS = ("accept", "dismiss", "correct", "undo", "comment", "snooze")
LONGEST_LIFE = 0.5  # seconds; of a child that crawls three times as much


def visawatch(*arguments: str, db: Path = DB, stdin: str = "") -> int:
    """Runs a command in this process, quietly; its exit status."""
    line = ["--db", str(db), "--config", str(FOLDER / "quick.toml"), "--now", AT, *arguments]
    before, sys.stdin = sys.stdin, io.StringIO(stdin)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            return int(main.main(line, prog_name="visawatch", standalone_mode=False) or 0)
    except click.ClickException as error:
        with (FOLDER / "reasons").open("a") as file:
            file.write(f"{arguments[0]}: {error.message}\n")
        return 1
    finally:
        sys.stdin = before


def bring(key: str) -> int:
    """Imports three programs, which come together or not at all."""
    rows = [f"{key}-{part},{key} Hospital,Neurology,https://{key}.example/{part}" for part in PARTS]
    file = FOLDER / f"{key}.csv"
    file.write_text("\n".join(["program_id,institution,specialty,eligibility_url", *rows]))
    return visawatch("programs", "import", str(file))


def add(key: str) -> int:
    return visawatch(
        *("programs", "add", "--id", key, "--institution", "Sorrel", "--specialty", "Surgery"),
        *("--website-url", f"https://{key}.example/"),
    )


def subscribe(key: str) -> int:
    return visawatch("subscribe", f"{key}@inbox.example")


def file_mail(key: str) -> int:
    with Store(DB) as store, store.writing():
        message = f"Message-ID: <{key}@a>\r\nSubject: {key}\r\n\r\nx".encode()
        mail = Mail(0, f"<{key}@a>", f"{key}@inbox.example", key, message, AT)
        outbox.enqueue(store, mail, {})
    return 0


def back_up(key: str) -> int:
    return visawatch("backup", str(COPIES / f"{key}.db"))


def put_back(key: str) -> int:
    """Restores the newest backup over another database."""
    newest = sorted(COPIES.glob("k*.db"))[-1:]
    return visawatch("restore", "--force", *map(str, newest), db=FOLDER / "other.db")


def decide(*words: str) -> Callable[[str], int]:
    return lambda key: visawatch("review", "1", *words, "--by", key)


OPERATIONS: dict[str, Callable[[str], int]] = {
    "import": bring,
    "add": add,
    "remove": lambda key: add(key) or visawatch("programs", "remove", key),
    "subscribe": subscribe,
    "unsubscribe": lambda key: subscribe(key) or visawatch("unsubscribe", f"{key}@inbox.example"),
    "accept": decide("accept"),
    "dismiss": decide("dismiss", "--note", "x"),
    "correct": decide("correct", "--j1", "sponsored", "--h1b", "conditional"),
    "undo": decide("undo"),
    "comment": decide("comment", "I have asked"),
    "snooze": decide("snooze", "2027-02-01"),
    "report": lambda key: visawatch(
        *("sources", "report", "changed", "--visa", "H-1B", "--season", "2026", "--reporter", key)
    ),
    "user": lambda key: visawatch("users", "add", key, stdin="correct horse battery staple\n"),
    "mail": file_mail,
    "send": lambda key: visawatch("alerts", "send"),
    "backup": back_up,
    "restore": put_back,
    "export": lambda key: visawatch("export", str(FOLDER / "public")),
    "reclassify": lambda key: visawatch("reclassify", "--apply"),
    "doctor": lambda key: visawatch("doctor"),
    "crawl": lambda key: visawatch("crawl", "--program", "changed", "--allow-host", HOST),
}


def work(chance: random.Random, first: int, only: str | None) -> None:
    """Runs commands without an end."""
    for number in range(first, first + 1000):
        one(only or chance.choice([name for name in OPERATIONS if name != "crawl"]), number)


def one(name: str, number: int) -> None:
    """Runs a command, and says in the journal whether it was acknowledged."""
    journal, key = os.open(JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT), f"k{number:05}"
    os.write(journal, f"begin {key} {name}\n".encode())
    status = OPERATIONS[name](key)
    os.write(journal, f"{'failed' if status else 'done'} {key} {name}\n".encode())
    os.close(journal)


def check() -> None:
    """Fails when something acknowledged is missing, doubled or half there."""
    lines = [line.split() for line in JOURNAL.read_text().splitlines()]
    done = {(key, name) for what, key, name in lines if what == "done"}
    with closing(Store(DB, read_only=True)) as store:
        assert proof.faults(store) == []
        kept = Counter(
            {
                **dict(store.tuples("SELECT id, 1 FROM programs")),
                **dict(store.tuples("SELECT address, count(*) FROM subscriptions GROUP BY 1")),
                **dict(store.tuples("SELECT name, count(*) FROM users GROUP BY 1")),
                **dict(store.tuples("SELECT message_id, count(*) FROM outbox GROUP BY 1")),
            }
        )
        ended = Counter(
            row[0]
            for table, name, at in (
                ("programs", "id", "removed_at"), ("subscriptions", "address", "ended_at")
            )
            for row in store.tuples(f"SELECT {name} FROM {table} WHERE {at} IS NOT NULL")
        )  # fmt: skip
        said = Counter(row[0] for row in store.tuples("SELECT by FROM reviews"))
        said += Counter(row[0] for row in store.tuples("SELECT by FROM remarks"))
        ((reports,),) = store.tuples("SELECT count(*) FROM evidence")
    for what, key, name in lines:
        if what == "begin":
            found = {
                "import": [kept[f"{key}-{part}"] for part in PARTS],
                "add": [kept[key]],
                "remove": [ended[key]],
                "subscribe": [kept[f"{key}@inbox.example"]],
                "unsubscribe": [ended[f"{key}@inbox.example"]],
                "user": [kept[key]],
                "mail": [kept[f"<{key}@a>"]],
                **{decision: [said[key]] for decision in DECISIONS},
            }.get(name, [1])
            assert len(set(found)) == 1, f"{name} {key} is half there: {found}"
            assert found[0] == 1 or (found[0] == 0 and (key, name) not in done), (name, key, found)
            if name == "backup" and ((COPIES / f"{key}.db").exists() or (key, name) in done):
                with closing(Store(COPIES / f"{key}.db", read_only=True)) as copy:
                    proof.prove(copy)
    begun = sum(what == "begin" and name == "report" for what, _, name in lines)
    assert sum(name == "report" for _, name in done) <= reports <= begun
    if (FOLDER / "other.db").exists():
        with closing(Store(FOLDER / "other.db", read_only=True)) as other:
            proof.prove(other)


def check_mail() -> None:
    """Every mail that was filed has gone out, in one file."""
    # A long subject is folded in the file.
    told = (str(mail["Subject"]) for mail in mailbox.Maildir(FOLDER / "mail"))
    sent = Counter(subject.replace("\n", "") for subject in told)
    with Store(DB) as store:
        filed = {mail.subject for mail in outbox.listed(store)}
        assert {mail.state for mail in outbox.listed(store)} <= {"sent"}
    assert set(sent) >= filed
    assert all(sent[subject] == 1 for subject in filed if subject.startswith("k"))


def together() -> None:
    """Two children of every kind, which begin at the same moment."""
    ready, go = os.pipe()
    children = []
    for number, name in enumerate([*OPERATIONS] * 2):
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                os.close(go)
                os.read(ready, 1)  # ends when the parent has closed the other side, too
                one(name, number)
                os._exit(0)
            os._exit(1)
        children.append(child)
    os.close(go)
    os.close(ready)
    for child in children:
        _, status = os.waitpid(child, 0)
        assert status == 0, "a child has met a fault of ours"
    check()


def run() -> dict[str, int]:
    """Kills so many children; what was begun and acknowledged, by command."""
    chance = random.Random(SEED)
    COPIES.mkdir()
    JOURNAL.touch()
    assert back_up("k") == 0
    for module in set(COMMANDS.values()):
        import_module(f"visawatch.commands.{module.partition(':')[0]}")
    if not KILLS:
        together()
    for number in range(KILLS):
        only = "crawl" if number % 8 == 7 else None
        seed, life = chance.random(), chance.uniform(0.01, LONGEST_LIFE) * (3 if only else 1)
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                work(random.Random(seed), number * 1000, only)
            os._exit(1)
        time.sleep(life)  # the instant is what is being tried
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "a child has ended by itself"
        check()
    assert visawatch("crawl", "--program", "changed", "--allow-host", HOST) == 0
    assert visawatch("alerts", "send") == 0
    check_mail()
    lines = [line.split() for line in JOURNAL.read_text().splitlines()]
    return dict(Counter(f"{what} {name}" for what, _, name in lines))


if __name__ == "__main__":
    print(json.dumps(run()))
