"""A disk that is full, a file that is damaged, a clock that is wrong, while cycles go on."""

from __future__ import annotations

import mailbox
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from faults import disk, fill, spoil_page, truncate
from loopback import Site, Visit
from shell import PATIENCE, Shell

from store import proof
from store.database import Store

J1_ONLY, BOTH = "We sponsor J-1 visas only.", "We sponsor J-1 and H-1B visas."
NOISE = "".join(f"<p>{number**9}</p>" for number in range(20_000))  # which packs badly


def page(said: str) -> str:
    return f"<title>Visas</title><h1>Visas</h1><p>{said}</p>"


def whole(shell: Shell) -> bool:
    with closing(Store(shell.db, read_only=True)) as store:
        return proof.faults(store) == []


Crawl = Callable[[], str]


@contextmanager
def full_disk(folder: Path, site: Site) -> Iterator[tuple[Shell, Crawl]]:
    """A disk of its own, which is full from the moment on that the second page is asked for."""
    with disk(folder, "3m") as small:
        shell = Shell(small)

        def fill_and_answer(visit: Visit) -> None:
            fill(small)
            visit.send(page(J1_ONLY).encode())

        def crawl() -> str:
            said = shell.process("crawl", "--allow-host", site.host, status=1).err
            (small / "filling").unlink()
            return said

        site.route("/second", fill_and_answer)
        yield shell, crawl


@contextmanager
def limit(folder: Path, site: Site) -> Iterator[tuple[Shell, Crawl]]:
    """A limit on the size of files, which shows, as a quota does, when one writes."""
    folder.mkdir()
    shell = Shell(folder)

    def crawl() -> str:
        most = shell.db.stat().st_size // 1024 + 40
        line = ["bash", "-c", f'ulimit -f {most}; exec "$@"', "-"]
        line += shell.command("crawl", "--allow-host", site.host)
        done = subprocess.run(
            line, capture_output=True, text=True, timeout=PATIENCE, env=shell.environment()
        )
        assert done.returncode == 1, done.stderr
        return done.stderr

    yield shell, crawl


@pytest.mark.parametrize("place", [full_disk, limit])
def test_a_crawl_on_a_full_disk_is_gone_on_with(
    place: Callable[[Path, Site], Iterator[tuple[Shell, Crawl]]], web: Site, tmp_path: Path
) -> None:
    for path in ("/first", "/second"):
        web.page(path, page(J1_ONLY))
    web.page("/third", page(J1_ONLY) + NOISE)
    with place(tmp_path / "place", web) as (shell, crawl):  # type: ignore[attr-defined]
        shell.watch({name: web.url(f"/{name}") for name in ("first", "second", "third")})
        said = crawl()
        assert "the disk is full or failing" in said
        assert "Traceback" not in said
        assert whole(shell)
        for path in ("/first", "/second"):
            web.page(path, page(J1_ONLY))
        assert shell.crawl(web.host)["cycle"] == 1
        assert {p["category"] for p in shell.policies().values()} == {"j1_only"}
        assert shell.changes() == []
        assert whole(shell)


@pytest.mark.parametrize("plant", [spoil_page, truncate])
def test_a_crawl_of_a_damaged_file_says_so_and_goes_on_from_a_backup(
    plant: Callable[[Path], object], web: Site, shell: Shell, tmp_path: Path
) -> None:
    web.page("/visas", page(J1_ONLY))
    shell.watch({"larkspur": web.url("/visas")})
    shell.crawl(web.host)
    shell("backup", str(tmp_path / "good.db"))
    plant(shell.db)
    asked = web.paths()
    said = shell.process("crawl", "--allow-host", web.host, status=1).err
    assert str(shell.db) in said
    assert "damaged" in said
    assert web.paths() == asked
    shell("restore", "--force", str(tmp_path / "good.db"))
    web.page("/visas", page(BOTH))
    assert shell.crawl(web.host)["changes"] == 1


def test_a_clock_that_is_a_year_ahead_and_then_a_year_behind(web: Site, shell: Shell) -> None:
    """Each change is flagged and mailed once, whatever the date; the last look is the last."""
    shell.settings = {"monitor": {"flap_reversals": 99}}
    shell.watch({"larkspur": web.url("/visas")})
    shell("subscribe", "ana@inbox.example")
    told = 0
    for at, said, category in (
        ("2026-11-25T02:00:00Z", J1_ONLY, "j1_only"),
        ("2027-11-26T02:00:00Z", BOTH, "j1_and_h1b"),  # ahead
        ("2026-11-26T02:00:00Z", J1_ONLY, "j1_only"),  # right
        ("2025-11-27T02:00:00Z", BOTH, "j1_and_h1b"),  # behind
        ("2026-11-28T02:00:00Z", BOTH, "j1_and_h1b"),  # right
    ):
        turned = bool(told or said == BOTH) and shell.policies()["larkspur"]["category"] != category
        told += turned
        web.page("/visas", page(said))
        shell.options = ["--now", at]
        done = shell.crawl(web.host)
        assert (done["fetched"], done["changes"], done["mails"]) == (1, turned, turned), at
        assert shell.policies()["larkspur"]["category"] == category, at
    assert told == len(shell.changes()) == len(mailbox.Maildir(shell.folder / "mail")) == 3
    assert whole(shell)
