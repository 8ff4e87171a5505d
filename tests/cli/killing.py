"""Runs commands in children, kills them at random instants, and compares with a journal.

    python killing.py FOLDER KILLS SEED HOST

Without any kills, two children of every kind run at once, and come to their end. The journal is a
file of its own: a line before each command, and one when it was acknowledged (exit status 0). What
was acknowledged must be there, once; what was not must be there whole, once, or not at all; and
whole, once, when the command is then run again. FOLDER has a watched database and its settings.
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
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import closing, redirect_stderr, redirect_stdout, suppress
from functools import cache
from importlib import import_module
from pathlib import Path

import click

from store import evidence, outbox, proof, users
from store.database import Store
from store.records import Mail
from visawatch.cli import COMMANDS, main
from web import passwords

FOLDER, KILLS, SEED = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
HOST = sys.argv[4]
DB, JOURNAL, COPIES = FOLDER / "visawatch.db", FOLDER / "journal", FOLDER / "copies"
AT = "2026-11-27T09:00:00Z"
PARTS = ("a", "b", "c")  # of an import
DECISIONS = ("accept", "dismiss", "correct", "undo", "comment", "snooze")
OLD, NEW = "correct horse battery staple", "a stapled battery of horses"  # passwords
SIGNED_IN = passwords.hashed(OLD)
PATIENCE = 60.0  # seconds for another writer, of what is no command
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
    return listed(key, *(f"{key}-{part}" for part in PARTS))


def listed(key: str, *ids: str) -> int:
    """Imports the programs of these ids."""
    rows = [
        f"{one},{key} Hospital,Neurology,https://{key}.example/{one},pat@{key}.example,{number(one)}"
        for one in ids
    ]
    header = "program_id,institution,specialty,eligibility_url,coordinator_email,acgme_id"
    file = FOLDER / f"{key}.csv"
    file.write_text("\n".join([header, *rows]))
    return visawatch("programs", "import", str(file))


def number(one: str) -> str:
    """A program's ACGME ID, from its own."""
    return "".join(str(ord(letter)) for letter in one)


def take_in(key: str, *ids: str) -> int:
    """Imports from FREIDA what it has on these programs: all rows are taken, or none."""
    file = FOLDER / f"{key}-freida.csv"
    file.write_text("\n".join(["acgme_id,visas", *(f"{number(one)},J-1" for one in ids)]))
    return visawatch("sources", "import", str(file), "--by", key)


def from_freida(key: str) -> int:
    return bring(key) or take_in(key, *(f"{key}-{part}" for part in PARTS))


def ask(key: str) -> int:
    return listed(key, key) or visawatch("verify", "send", key, "--yes", "--by", key)


def answer(key: str) -> int:
    """The coordinator's answer is read from a file."""
    if status := ask(key):
        return status
    with closing(Store(DB, read_only=True)) as store:
        ((question,),) = store.tuples(
            "SELECT message_id FROM questions WHERE program_id = ?", (key,)
        )
    file = FOLDER / f"{key}.eml"
    head = f"From: pat@{key}.example\nMessage-ID: <{key}@answer>\nIn-Reply-To: {question}\n"
    file.write_text(head + "\nBoth are sponsored: J-1 and H-1B.\n")
    return visawatch("verify", "read", str(file))


def believe(key: str) -> int:
    """FREIDA says something else than the answer, which is accepted: that is a change."""
    if status := listed(key, key) or take_in(key, key) or answer(key):
        return status
    with closing(Store(DB, read_only=True)) as store:
        said = evidence.of_programs(store, [key])[key]
    (waits,) = (one.id for one in said if one.channel == "coordinator")
    return visawatch("verify", "accept", str(waits), "--by", key)


def signed_in(key: str) -> None:
    """There is a user of this name, who is signed in."""
    with Store(DB, busy_seconds=PATIENCE) as store, store.writing():
        if users.add(store, key, "reviewer", SIGNED_IN, AT):
            users.sign_in(store, users.get(store, key), key.encode(), AT)


def set_password(key: str) -> int:
    signed_in(key)
    return visawatch("users", "password", key, stdin=f"{NEW}\n")


def dismiss_user(key: str) -> int:
    signed_in(key)
    return visawatch("users", "remove", key)


def add(key: str) -> int:
    return visawatch(
        *("programs", "add", "--id", key, "--institution", "Sorrel", "--specialty", "Surgery"),
        *("--website-url", f"https://{key}.example/"),
    )


def subscribe(key: str) -> int:
    return visawatch("subscribe", f"{key}@inbox.example")


def file_mail(key: str) -> int:
    with Store(DB, busy_seconds=PATIENCE) as store, store.writing():
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
    "user": lambda key: visawatch("users", "add", key, stdin=f"{OLD}\n"),
    "password": set_password,
    "dismiss-user": dismiss_user,
    "freida": from_freida,
    "ask": ask,
    "answer": answer,
    "believe": believe,
    "mail": file_mail,
    "send": lambda key: visawatch("alerts", "send"),
    "backup": back_up,
    "restore": put_back,
    "export": lambda key: visawatch("export", str(FOLDER / "public")),
    "reclassify": lambda key: visawatch("reclassify", "--apply"),
    "doctor": lambda key: visawatch("doctor"),
    "crawl": lambda key: visawatch("crawl", "--program", "changed", "--allow-host", HOST),
}


# What a second run would refuse, or rightly do twice.
NOT_AGAIN = {*DECISIONS, "add", "remove", "unsubscribe", "user", "mail"}


def work(chance: random.Random, first: int, only: str | None) -> None:
    """Runs commands without an end."""
    for number in range(first, first + 1000):
        name = only or chance.choice([name for name in OPERATIONS if name != "crawl"])
        one(name, f"k{number:05}")


def one(name: str, key: str) -> None:
    """Runs a command, and says in the journal whether it was acknowledged."""
    journal = os.open(JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(journal, f"begin {key} {name}\n".encode())
    status = OPERATIONS[name](key)
    os.write(journal, f"{'failed' if status else 'done'} {key} {name}\n".encode())
    os.close(journal)


def again() -> None:
    """Runs once more what the kill has cut off."""
    what, key, name = JOURNAL.read_text().splitlines()[-1].split()
    if what == "begin" and name not in NOT_AGAIN:
        status = OPERATIONS[name](key)
        assert status == 0, (FOLDER / "reasons").read_text().splitlines()[-1]
        with JOURNAL.open("a") as journal:
            journal.write(f"again {key} {name}\ndone {key} {name}\n")


@cache
def opens(kept: str) -> bool:
    """Whether the second password opens it."""
    return passwords.matches(NEW, kept)


def check() -> None:
    """Fails when something acknowledged is missing, doubled or half there."""
    lines = [line.split() for line in JOURNAL.read_text().splitlines()]
    done = {(key, name) for what, key, name in lines if what == "done"}
    with closing(Store(DB, read_only=True)) as store:
        assert proof.faults(store) == []

        def count(column: str, table: str) -> Counter[str]:
            return Counter(row[0] for row in store.tuples(f"SELECT {column} FROM {table}"))

        programs, subscribed = count("id", "programs"), count("address", "subscriptions")
        ended = count("id", "programs WHERE removed_at IS NOT NULL")
        ended += count("address", "subscriptions WHERE ended_at IS NOT NULL")
        said = count("by", "reviews") + count("by", "remarks")
        heard = count("channel || ' ' || program_id", "evidence")
        believed = count("decided_by", "evidence WHERE channel = 'coordinator'")
        stands, flagged = count("program_id", "policies"), count("program_id", "changes")
        asked, read = count("program_id", "questions"), count("message_id", "answers")
        mailed = count("message_id", "outbox") + count("address", "outbox")
        hashes = dict(store.tuples("SELECT name, password FROM users"))
        sessions = count("name", "sessions JOIN users ON users.id = user_id")

    def of(key: str) -> dict[str, list[int]]:
        """By operation, the parts of what it leaves; each is there once, or none is."""
        three, inbox = [f"{key}-{part}" for part in PARTS], f"{key}@inbox.example"
        return {
            "import": [programs[one] for one in three],
            "add": [programs[key]],
            "remove": [ended[key]],
            "subscribe": [subscribed[inbox]],
            "unsubscribe": [ended[inbox]],
            "user": [key in hashes],
            "password": [opens(hashes.get(key, "")), key in hashes and not sessions[key]],
            "dismiss-user": [key not in hashes],
            "freida": [n for one in three for n in (heard[f"freida {one}"], stands[one])],
            "ask": [asked[key], mailed[f"pat@{key}.example"]],
            "answer": [read[f"<{key}@answer>"], heard[f"coordinator {key}"]],
            "believe": [believed[key], flagged[key]],
            "mail": [mailed[f"<{key}@a>"]],
            **{decision: [said[key]] for decision in DECISIONS},
        }

    for what, key, name in lines:
        if what == "begin":
            found = of(key).get(name, [1])
            assert len(set(found)) == 1, f"{name} {key} is half there: {found}"
            assert found[0] == 1 or (found[0] == 0 and (key, name) not in done), (name, key, found)
            if name == "backup" and ((COPIES / f"{key}.db").exists() or (key, name) in done):
                with closing(Store(COPIES / f"{key}.db", read_only=True)) as copy:
                    proof.prove(copy)
    begun = sum(what == "begin" and name == "report" for what, _, name in lines)
    reports = sum(n for who, n in heard.items() if who.startswith("resident "))
    assert sum(name == "report" for _, name in done) <= reports <= begun
    if (FOLDER / "other.db").exists():
        with closing(Store(FOLDER / "other.db", read_only=True)) as other:
            proof.prove(other)


def check_mail() -> None:
    """Every mail that was filed has gone out, in one file."""
    # A long header is folded in the file.
    sent = Counter(str(mail["Message-ID"]).strip() for mail in mailbox.Maildir(FOLDER / "mail"))
    with Store(DB) as store:
        assert {mail.state for mail in outbox.listed(store)} <= {"sent"}
        assert sent == Counter(mail.message_id for mail in outbox.listed(store))


def together() -> None:
    """Two children of every kind, which begin at the same moment."""
    ready, go = os.pipe()
    children = []
    for number, name in enumerate([*OPERATIONS] * 2):
        child = os.fork()
        if child == 0:
            try:
                os.close(go)
                os.read(ready, 1)  # ends when the parent has closed the other side, too
                one(name, f"k{number:05}")
                os._exit(0)
            except BaseException:  # noqa: BLE001  # it must not go on as the parent does
                sys.stderr.write(f"{name}: {traceback.format_exc()}")
                sys.stderr.flush()
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
        again()
        check()
    assert visawatch("crawl", "--program", "changed", "--allow-host", HOST) == 0
    assert visawatch("alerts", "send") == 0
    check_mail()
    lines = [line.split() for line in JOURNAL.read_text().splitlines()]
    return dict(Counter(f"{what} {name}" for what, _, name in lines))


if __name__ == "__main__":
    print(json.dumps(run()))
