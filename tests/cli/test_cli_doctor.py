"""`visawatch doctor`: finds each fault that is planted, says what to do, and changes nothing."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from faults import (
    disk,
    fill,
    make_newer,
    orphan,
    program_without,
    spoil_page,
    spoil_snapshot,
    truncate,
)
from loopback import Site
from mailserver import MailServer
from processes import powerless, running
from shell import PATIENCE, Shell
from sqlite_utils import Database

from store.database import Store
from store.schema import migrations, names
from visawatch.doctor import examine

PAGE = "<title>Visas</title><h1>Visas</h1><p>We sponsor J-1 visas only.</p>"
NIGHT, MORNING = "2026-11-25T02:00:00Z", "2026-11-25T09:00:00Z"
CHECKS = ["settings", "files", "secrets", "mail", "disk", "access", "lock", "database", "schema"]
CHECKS += ["clock", "cycle", "outbox"]
WRITES = """
    import sys
    from store.database import Store
    with Store(sys.argv[1]) as store, store.writing():
        print("writes", flush=True)
        sys.stdin.read()
"""
HOLDS = """
    import sys
    from datetime import UTC, datetime
    from store import cycles, leases
    from store.database import Store
    with Store(sys.argv[1]) as store:
        assert leases.take(store, "cycle", datetime.fromisoformat(sys.argv[2])) is None
        with store.writing():
            cycles.open_one(store, sys.argv[2])
        print("holds", flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a watch that has run one night."""
    shell = Shell(tmp_path_factory.mktemp("watched"), options=["--now", NIGHT])
    with Site() as site:
        site.page("/visas", PAGE)
        shell.watch({"larkspur": site.url("/visas")})
        shell.crawl(site.host)
    return shell.db


@pytest.fixture
def shell(watched: Path, tmp_path: Path) -> Shell:
    """That watch in the morning, in which all is well."""
    return moved(watched, tmp_path)


def moved(watched: Path, folder: Path) -> Shell:
    shutil.copy(watched, folder)
    (folder / watched.name).chmod(0o600)
    return Shell(folder, options=["--now", MORNING])


def found(shell: Shell, status: int = 1) -> dict[str, dict[str, Any]]:
    """By check, what is not ok: the last finding of each."""
    lines = shell("doctor", "--json", status=status).json
    return {line["check"]: line for line in lines if line["status"] != "ok"}


def sick(shell: Shell, *checks: str) -> dict[str, Any]:
    """What the doctor says of the one check that finds something wrong; others cannot be made."""
    wrong = {name: line for name, line in found(shell).items() if line["status"] == "wrong"}
    assert set(wrong) == set(checks), wrong
    assert all(line["do"] for line in wrong.values())
    first: dict[str, Any] = wrong[checks[0]]
    return first


def test_when_all_is_well(shell: Shell) -> None:
    before = shell.db.read_bytes()
    lines = shell("doctor", "--json").json
    assert list(dict.fromkeys(line["check"] for line in lines)) == CHECKS
    assert all(list(line) == ["check", "status", "found", "do"] for line in lines)
    assert {line["status"] for line in lines} == {"ok"}
    assert shell.db.read_bytes() == before
    said = shell("doctor").out
    assert "ok       cycle     the last one began at 2026-11-25T02:00:00Z; none is overdue" in said


def test_a_folder_that_is_full(watched: Path, tmp_path: Path) -> None:
    with disk(tmp_path / "small", "3m") as folder:
        shell = moved(watched, folder)
        said = sick(shell, "disk")
        assert "is nearly full: 2." in said["found"]
        fill(folder)
        shell._toml()
        said = sick(shell, "disk")
        assert (said["status"], said["found"]) == (
            "wrong",
            f"{folder} is full: 0 B free (No space left on device)",
        )
        assert "-> Free some space" in shell("doctor", status=1).out


def test_a_limit_that_is_in_no_number(shell: Shell) -> None:
    """As a quota, it shows only when one writes."""
    command = ["bash", "-c", 'ulimit -f 100; exec "$@"', "-", *shell.command("doctor")]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, env=shell.environment()
    )
    assert done.returncode == 1, done.stderr
    assert " is full: " in done.stdout
    assert "(File too large)" in done.stdout


def test_a_disk_that_may_only_be_read(watched: Path, tmp_path: Path) -> None:
    with disk(tmp_path / "small", "300m") as folder:
        shell = moved(watched, folder)
        shell("--version")  # writes its settings
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        said = found(shell)
    assert "may not be written (Read-only file system)" in said["disk"]["found"]
    assert "may not be written (Read-only file system)" in said["access"]["found"]
    assert "`chown`" in said["access"]["do"]


def test_a_file_and_a_folder_that_may_only_be_read(watched: Path, public: Path) -> None:
    shell = moved(watched, public)
    shell("--version")  # writes its settings
    shell.db.chmod(0o440)
    with powerless():
        said = found(shell)
        assert f"{shell.db} may not be written (Permission denied)" in said["access"]["found"]
        assert "(root)" in said["access"]["do"]
        assert "disk" not in said
    shell.db.chmod(0o666)
    public.chmod(0o555)
    with powerless():
        assert f"{public} may not be written" in found(shell)["disk"]["found"]


@pytest.mark.parametrize("secret", ["password", "token", "mailbox"])
def test_a_secret_that_everybody_can_read(public: Path, watched: Path, secret: str) -> None:
    shell = moved(watched, public)
    shell.settings = {
        "password": {
            "mail": {"smtp_url": "smtps://watch:secret@mail.example", "sender": "a@b.example"}
        },
        "token": {"web": {"metrics_token": "secret"}},
        "mailbox": {"verify": {"imap_url": "imaps://watch:secret@mail.example/INBOX"}},
    }[secret]
    said = sick(shell, "secrets")
    assert str(public / "quick.toml") in said["found"]
    assert f"chmod o-rwx {public / 'quick.toml'}" in said["do"]
    assert "secret@" not in shell("doctor", status=1).out
    (public / "quick.toml").chmod(0o640)
    assert found(shell, status=0) == {}
    (public / "quick.toml").chmod(0o644)
    public.chmod(0o700)  # nobody gets there
    assert found(shell, status=0) == {}


def test_a_database_that_everybody_can_read(public: Path, watched: Path) -> None:
    shell = moved(watched, public)
    assert found(shell, status=0) == {}
    shell.db.chmod(0o644)
    said = sick(shell, "access")
    assert said["do"] == f"chmod o-rwx {shell.db}"


def test_a_new_database_is_its_owners_only(public: Path) -> None:
    before = os.umask(0o022)
    try:
        with Store(public / "new.db") as store:
            store.rows("SELECT 1 FROM programs")
            files = list(public.iterdir())
            assert len(files) == 3  # with the log, and what is shared
            assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    finally:
        os.umask(before)


def test_a_lock_that_a_living_process_holds(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    patience = examine.__kwdefaults__
    assert patience is not None
    monkeypatch.setitem(patience, "patience", 0.1)
    with running(WRITES, str(shell.db)) as holder:
        said = sick(shell, "lock")
        assert said["found"].startswith(f"process {holder.pid} (python")
        assert "has held the write lock for 0.1 seconds" in said["found"]
    assert found(shell, status=0) == {}  # it is dead, and its lock with it


def test_a_cycle_that_is_under_way_and_one_whose_process_has_died(shell: Shell) -> None:
    with running(HOLDS, str(shell.db), MORNING) as holder:
        assert found(shell, status=0) == {}
        assert "cycle 2, begun at 2026-11-25T09:00:00Z, is under way" in shell("doctor").out
        shell.options = ["--now", "2026-11-26T10:00:00Z"]
        assert "has been running for 25 hours" in sick(shell, "cycle")["found"]
        shell.options = ["--now", MORNING]
        holder.kill()
        holder.wait()
        said = found(shell)
    assert said["lock"]["status"] == "note"
    assert f"process {holder.pid} on " in said["lock"]["found"]
    assert "has died" in said["lock"]["found"]
    assert "was broken off" in said["cycle"]["found"]
    assert "`visawatch crawl` goes on with it" in said["cycle"]["do"]


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        (spoil_page, "is damaged"),
        (spoil_snapshot, "the stored bytes of snapshot"),
        (orphan, "names a row of institutions that is missing"),
        (truncate, "is truncated: it has "),
        (lambda path: path.write_bytes(b"program_id,institution\n" * 300), "not a SQLite database"),
    ],
)
def test_a_database_that_is_damaged(
    shell: Shell, plant: Callable[[Path], object], words: str
) -> None:
    plant(shell.db)
    before = shell.db.read_bytes()
    said = sick(shell, "database")
    assert words in said["found"]
    assert "`visawatch restore --force FILE`" in said["do"]
    assert {found(shell)[name]["status"] for name in ("clock", "cycle", "outbox")} == {"unknown"}
    assert shell.db.read_bytes() == before


def test_a_database_that_is_not_there(shell: Shell) -> None:
    shell.db.unlink()
    assert "there is no database at" in sick(shell, "database")["found"]
    assert not shell.db.exists()


def test_a_database_of_a_later_version(shell: Shell) -> None:
    make_newer(shell.db)
    said = sick(shell, "schema")
    assert "m999_later" in said["found"]
    assert said["do"].startswith("Upgrade VisaWatch")
    assert "m999_later" in shell("policies", status=1).err


def test_a_database_of_an_earlier_version(shell: Shell) -> None:
    shell.db.unlink()
    with closing(sqlite3.connect(shell.db)) as connection:
        migrations.apply(Database(connection), stop_before="m019_lists")
    shell.db.chmod(0o600)
    said = found(shell, status=0)
    assert said["schema"]["status"] == "note"
    more = len(names()) - 1 - names().index("m019_lists")
    assert f"adds m019_lists and {more} more" in said["schema"]["found"]
    assert "backup first" in said["schema"]["do"]


def test_a_database_of_something_else(shell: Shell) -> None:
    shell.db.unlink()
    with closing(sqlite3.connect(shell.db)) as connection, connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    assert "no tables of VisaWatch" in sick(shell, "schema")["found"]


def test_a_clock_that_is_a_year_behind(shell: Shell) -> None:
    shell.options = ["--now", "2025-11-25T09:00:00Z"]
    said = sick(shell, "clock")
    assert "is of 2026-11-25T02:00:00Z, and it is 2025-11-25T09:00:00Z" in said["found"]
    assert "364 days behind" in said["found"]
    assert "timedatectl" in said["do"]


def test_a_clock_that_is_a_year_ahead(shell: Shell) -> None:
    shell.options = ["--now", "2027-11-25T09:00:00Z"]
    said = sick(shell, "cycle")
    assert "it is 363 days overdue (the last cycle began at 2026-11-25T02:00:00Z)" in said["found"]
    assert "set the clock" in said["do"]


def test_a_night_that_was_not_run(shell: Shell) -> None:
    shell.options = [
        "--now",
        "2026-11-27T07:00:00Z",
    ]  # every second night, at this time of the year
    assert found(shell, status=0) == {}
    shell.options = ["--now", "2026-11-27T09:00:00Z"]
    said = sick(shell, "cycle")
    assert "the night of 2026-11-27T02:00:00Z was not run: it is 7 hours overdue" in said["found"]
    assert "systemctl status visawatch-schedule" in said["do"]


def test_no_cycle_and_no_programs_yet(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    new = Shell(tmp_path / "new")
    new("programs", "list")
    assert found(new, status=0)["cycle"]["do"] == "visawatch programs import FILE.csv"
    new.watch({"larkspur": "https://larkspur.example/visas"})
    assert found(new, status=0)["cycle"]["do"] == "visawatch crawl"


def test_mail_that_no_server_takes(shell: Shell, mail: MailServer) -> None:
    shell.settings = {
        "mail": {"smtp_url": f"smtp://127.0.0.1:{mail.port}", "sender": "w@watch.example"}
    }
    mail.rcpt["ada@inbox.example"] = ["451 come back later"]
    enqueue(shell)
    shell("alerts", "send", status=1)
    assert found(shell, status=0) == {}
    shell.options = ["--now", "2026-11-26T12:00:00Z"]
    said = sick(shell, "outbox")
    assert "1 mails wait, the oldest for 27 hours: " in said["found"]
    assert "451" in said["found"]
    assert "come back later" in said["found"]
    assert "`visawatch alerts show` lists" in said["do"]


def test_mail_that_nobody_sends(shell: Shell) -> None:
    enqueue(shell)
    shell.options = ["--now", "2026-11-26T12:00:00Z"]
    said = sick(shell, "outbox")
    assert "nobody has sent them" in said["found"]
    assert "`visawatch alerts send` tries now" in said["do"]


def test_mail_of_which_nobody_knows(shell: Shell) -> None:
    enqueue(shell)
    with Store(shell.db) as store, store.writing():
        store.write("UPDATE outbox SET state = 'unconfirmed'")
    said = found(shell, status=0)["outbox"]
    assert (said["status"], said["found"][:7]) == ("note", "1 mails")
    assert "--unconfirmed" in said["do"]


def enqueue(shell: Shell) -> None:
    with Store(shell.db) as store, store.writing():
        store.write(
            "INSERT INTO outbox (message_id, address, subject, message, created_at, state,"
            " next_attempt_at) VALUES ('<m>', 'ada@inbox.example', 'News',"
            " x'28b52ffd2000010000', ?1, 'queued', ?1)",
            (MORNING,),
        )


def test_settings_that_cannot_be_used(shell: Shell) -> None:
    shell.settings = {"crawl": {"delay": 1}}
    assert "unknown key 'crawl.delay'" in sick(shell, "settings")["found"]
    shell.settings = {"mail": {"smtp_url": "ftp://mail.example", "sender": "a@b.example"}}
    assert "mail.smtp_url must begin with" in sick(shell, "mail")["found"]
    shell.settings = {"shortlist": {"folder": "nowhere"}}
    assert "there is no folder nowhere" in sick(shell, "files")["found"]


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        ("extractors/second/model.onnx", "model.onnx cannot be read"),
        ("extractors/second/weights.bin", "weights.bin cannot be read"),
        ("extractors/second/version.txt", "version.txt"),
        ("extractors/rules/vocabulary.toml", "the rules cannot be read"),
        ("shortlist/data/weights.toml", "weights.toml"),
    ],
)
def test_a_file_of_the_program_that_is_missing(
    shell: Shell, tmp_path: Path, lost: str, words: str
) -> None:
    env = program_without(tmp_path / "program", lost)
    said = shell.process("doctor", "--json", status=1, env=env)
    lines = [line for line in said.json if line["status"] not in ("ok", "note")]
    assert words in lines[0]["found"]
    assert lines[0]["check"] == "files"
    assert "Traceback" not in said.err


def test_a_model_that_is_not_what_it_was(shell: Shell, tmp_path: Path) -> None:
    model = "extractors/second/model.onnx"
    env = program_without(tmp_path / "program", model)
    (tmp_path / "program" / model).write_bytes(b"half a model")
    said = shell.process("doctor", status=1, env=env).out
    assert "is damaged: it is not what its version says" in said
    assert "pip install --force-reinstall" in said


def test_an_installed_file_that_is_not_what_it_was(shell: Shell, tmp_path: Path) -> None:
    program = tmp_path / "program"
    env = program_without(program)
    info = program / "visawatch-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: visawatch\nVersion: 0.1.0\n")
    record = "web/static/style.css,sha256=AAAA,1\nweb/static/lost.css,sha256=AAAA,1\n"
    (info / "RECORD").write_text(record)
    said = shell.process("doctor", status=1, env=env).out
    assert f"{program}/web/static/style.css is not as it was installed" in said
    assert f"{program}/web/static/lost.css cannot be read (No such file or directory)" in said
