"""Stored pages taken out again: one by its name, all of them as WARC."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from shell import PATIENCE, ROOT, Shell
from warcio.archiveiterator import ArchiveIterator
from warcio.recordloader import ArcWarcRecord

from monitor import archive
from monitor.archive import ArchiveError
from store import cycles, pages, programs, snapshots
from store.database import Store
from store.errors import StoreDamaged
from store.records import Observation, Program
from visawatch import warc

FIRST = datetime(2026, 11, 1, 2, tzinfo=UTC)
URL = "https://fernway.example/visa"
HOSTILE = "https://fernway.example/a b\r\nWARC-Type: response\r\n\r\nü"
HTML = "text/html; charset=utf-8"


class Past:
    """A store whose pages were seen in several cycles, put there without a crawl."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.cycle = 0

    def program(self, program_id: str, url: str) -> int:
        with self.store.writing():
            programs.save(
                self.store,
                [Program(program_id, "Fernway Hospital", program_id, eligibility_url=url)],
            )
            page = pages.add(self.store, url)
            pages.watch(self.store, page.id, program_id=program_id, found="named")
        return page.id

    def night(self, seen: dict[int, bytes | None], kind: str = HTML, health: str = "ok") -> None:
        """What each page answered; None: it was down."""
        with self.store.writing():
            at = FIRST + timedelta(days=self.cycle)
            cycle, _ = cycles.open_one(self.store, at.strftime("%Y-%m-%dT%H:%M:%SZ"))
            self.cycle = cycle.id
            for page_id, body in seen.items():
                kept = body and snapshots.keep(self.store, snapshots.pack(body), kind)
                sight = Observation(
                    page_id,
                    cycle.id,
                    0,
                    int(at.timestamp()),
                    health if body else "server_error",
                    kept or None,
                    None if body else "the server answered 503",
                )
                cycles.observe(self.store, [sight])
            cycles.finish(self.store, cycle.id, cycle.started_at, {})


@pytest.fixture
def past(store: Store) -> Past:
    return Past(store)


def written(past: Past, **options: object) -> bytes:
    out = BytesIO()
    warc.write(
        out,
        archive.captures(past.store, **options),  # type: ignore[arg-type]
        lambda i: snapshots.get(past.store, i),
        filename="a.warc.gz",
        date="2026-11-09T00:00:00Z",
    )
    return out.getvalue()


def records(data: bytes) -> Iterator[tuple[ArcWarcRecord, bytes]]:
    for record in ArchiveIterator(BytesIO(data), check_digests="raise"):
        yield record, record.content_stream().read()


def told(data: bytes) -> list[tuple[str, str, str, bytes]]:
    """Type, address, day and bytes of each record after the first."""
    return [
        (
            record.rec_type,
            record.rec_headers.get_header("WARC-Target-URI"),
            record.rec_headers.get_header("WARC-Date")[:10],
            body,
        )
        for record, body in list(records(data))[1:]
    ]


def test_every_sight_is_in_the_archive_and_every_body_once(past: Past) -> None:
    visa, gme = past.program("im", URL), past.program("gme", "https://fernway.example/gme")
    past.night({visa: b"one", gme: b"office"})
    past.night({visa: b"one", gme: None})
    past.night({visa: b"two"}, health="ok")
    past.night({visa: b"one"}, health="not_modified")
    data = written(past)
    assert told(data) == [
        ("resource", URL, "2026-11-01", b"one"),
        ("revisit", URL, "2026-11-02", b""),
        ("resource", URL, "2026-11-03", b"two"),
        ("revisit", URL, "2026-11-04", b""),
        ("resource", "https://fernway.example/gme", "2026-11-01", b"office"),
    ]
    first, again, _, unmodified = [r.rec_headers for r, _ in list(records(data))[1:5]]
    for later in (again, unmodified):
        assert later.get_header("WARC-Refers-To") == first.get_header("WARC-Record-ID")
        assert later.get_header("WARC-Refers-To-Date") == first.get_header("WARC-Date")
        assert later.get_header("WARC-Payload-Digest") == first.get_header("WARC-Payload-Digest")
    assert again.get_header("WARC-Profile").endswith("/1.1/revisit/identical-payload-digest")
    assert unmodified.get_header("WARC-Profile").endswith("/1.1/revisit/server-not-modified")
    assert first.get_header("Content-Type") == HTML
    assert data == written(past), "the same archive, the same bytes"


def test_only_what_is_asked_for(past: Past) -> None:
    visa, gme = past.program("im", URL), past.program("gme", "https://fernway.example/gme")
    for _ in range(4):
        past.night({visa: b"one", gme: b"office"})
    some = written(
        past, first=FIRST + timedelta(days=1), last=FIRST + timedelta(days=2), only=["im"]
    )
    assert [t[:3] for t in told(some)] == [
        ("resource", URL, "2026-11-02"),  # whole, though it was seen before
        ("revisit", URL, "2026-11-03"),
    ]


def test_a_page_is_where_it_was_then(past: Past) -> None:
    moved = past.program("im", URL)
    past.night({moved: b"one"})
    with past.store.writing():
        pages.move(past.store, pages.get(past.store, moved), URL + "/new", 2)
    past.night({moved: b"one"})
    assert [t[1] for t in told(written(past))] == [URL, URL + "/new"]
    assert archive.find(past.store, URL).body == b"one"


def test_a_page_that_moved_into_another_belongs_to_the_program_still(past: Past) -> None:
    old, new = past.program("im", URL), past.program("gme", URL + "/new")
    past.night({old: b"one", new: b"two"})
    with past.store.writing():
        pages.move(past.store, pages.get(past.store, old), URL + "/new", 2)
    past.night({new: b"two"})
    assert [t[1] for t in told(written(past, only=["im"]))] == [URL, URL + "/new", URL + "/new"]
    assert archive.find(past.store, f"cycle:1:{URL}").body in (b"one", b"two")


def test_hostile_addresses_and_types_stay_within_their_headers(past: Past) -> None:
    page = past.program("im", HOSTILE)
    bodies = [b"WARC/1.1\r\nWARC-Type: response\r\n\r\n", b"\r\n\r\n", bytes(range(256)) * 300]
    for body in bodies:
        past.night({page: body}, kind="text/html\r\nX-Injected: 1; charset=\x00")
    data = written(past)
    assert [t[3] for t in told(data)] == bodies
    for record, _ in list(records(data))[1:]:
        names = [name for name, _ in record.rec_headers.headers]
        assert names.count("WARC-Type") == 1
        assert "X-Injected" not in names
        assert record.rec_headers.get_header("Content-Type") == "text/html"
        assert " " not in record.rec_headers.get_header("WARC-Target-URI")


def test_a_name_that_means_one_page(past: Past) -> None:
    page = past.program("im", URL)
    past.night({page: b"one"})
    past.night({page: b"two"})
    past.night({page: None})
    find = archive.find
    digest = snapshots.pack(b"one").sha256.hex()
    for name in (digest, digest[:8], digest[:8].upper(), f"cycle:1:{URL}"):
        assert find(past.store, name).body == b"one"
    assert find(past.store, URL).body == b"two"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("7", "at least 4 digits of its hash, or change:7"),
        ("", "names no snapshot"),
        ("../../etc/passwd", "names no snapshot"),
        ("ffffffff", "no snapshot has a hash that begins with 'ffffffff'"),
        ("f" * 65, "names no snapshot"),
        ("change:x", "write change:7 or change:7:before"),
        ("change:7:later", "write change:7 or change:7:before"),
        ("cycle:1", "write cycle:3:URL"),
        (f"cycle:9:{URL}", "was not fetched in cycle 9"),
        (f"cycle:2:{URL}", "was not seen in cycle 2: the server answered 503"),
        ("https://nowhere.example/", "no page is or was watched at"),
        ("program:im", "no page proves it"),
    ],
)
def test_a_name_that_means_none_says_why(past: Past, name: str, why: str) -> None:
    page = past.program("im", URL)
    past.night({page: b"one"})
    past.night({page: None})
    with pytest.raises(ArchiveError, match=why):
        archive.find(past.store, name)


def test_a_name_that_means_several_lists_them(past: Past) -> None:
    page = past.program("im", URL)
    past.night({page: b"one"})
    digest = snapshots.pack(b"one").sha256.hex()
    twin = digest[:10] + "0" * 54
    with past.store.writing():
        past.store.write(
            "INSERT INTO snapshots (sha256, content_type, size, body) VALUES (?, '', 3, x'00')",
            (bytes.fromhex(twin),),
        )
    with pytest.raises(ArchiveError, match="several snapshots") as error:
        archive.find(past.store, digest[:6])
    assert digest in str(error.value)
    assert twin in str(error.value)


@pytest.mark.parametrize("broken", [b"", b"\x00\x01", snapshots.pack(b"two").compressed])
def test_damaged_bytes_are_named_and_not_given_out(past: Past, broken: bytes) -> None:
    page = past.program("im", URL)
    past.night({page: b"one"})
    digest = snapshots.pack(b"one").sha256.hex()
    with past.store.writing():
        past.store.write("UPDATE snapshots SET body = ?", (broken,))
    for use in (lambda: archive.find(past.store, digest), lambda: written(past)):
        with pytest.raises(StoreDamaged, match=f"snapshot {digest} are damaged"):
            use()


BIG, EACH = 200, 100_000  # pages, and bytes of each


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a database whose pages no compressor makes smaller."""
    folder = tmp_path_factory.mktemp("big")
    chance = random.Random(7)
    with Store(folder / "visawatch.db") as store:
        past = Past(store)
        seen: dict[int, bytes | None] = {
            past.program(f"p{n}", f"{URL}/{n}"): chance.randbytes(EACH) for n in range(BIG)
        }
        past.night(seen)
    return folder


def test_the_archive_passes_through_memory_page_by_page(big: Path) -> None:
    class Sink(BytesIO):
        size = 0

        def write(self, data: object) -> int:
            self.size += len(data)  # type: ignore[arg-type]
            return len(data)  # type: ignore[arg-type]

    with Store(big / "visawatch.db") as store:
        sink = Sink()
        tracemalloc.start()
        warc.write(
            sink,
            archive.captures(store),
            lambda i: snapshots.get(store, i),
            filename="a",
            date="2026-11-09T00:00:00Z",
        )
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert sink.size > BIG * EACH
    assert peak < 20 * EACH, f"{peak} bytes at once"


def test_an_export_that_is_killed_leaves_the_file_of_before(big: Path) -> None:
    shell = Shell(big)
    file, part = big / "pages.warc.gz", big / ".pages.warc.gz.part"
    file.write_bytes(b"the one from before")
    process = subprocess.Popen(
        shell.command("export", "--warc", str(file)), cwd=ROOT, env=shell.environment()
    )
    until = time.monotonic() + PATIENCE
    while not (part.exists() and part.stat().st_size) and time.monotonic() < until:
        assert process.poll() is None, "it was done before it could be killed"
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert file.read_bytes() == b"the one from before"
    assert part.exists()
    said = shell("export", "--warc", str(file), "--json").json
    assert said == [{"path": str(file), "pages": BIG, "revisits": 0}]
    assert not part.exists()
    checked = subprocess.run(
        [str(Path(sys.executable).parent / "warcio"), "check", "-v", str(file)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.count("digest pass") == BIG + 1
