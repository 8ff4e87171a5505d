"""What is fuzzed beside the extractors' own properties: each parser of what others write.

A target gets bytes, and raises when something breaks: anything but the error that its parser names.
Its pieces are what inputs are made of beside mere bytes. Hypothesis runs all of them in the tests
(test_hostile_fuzz.py), atheris one for as long as one likes (benchmarks/fuzz.py).
"""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import brotli  # type: ignore[import-untyped]  # has no stubs
import zstandard
from protego import Protego

from crawler.decompress import Broken, TooLarge, unpack
from crawler.markup import Markup, ends_early, meta_refresh
from crawler.robots import MAX_BYTES, UTF16, read_rules
from crawler.sitemap import read_sitemap
from extractors.blocks import html_blocks, text_blocks
from extractors.decode import decode
from extractors.pdf import pdf_fault, pdf_text
from extractors.statements import page_text, statements
from shortlist.errors import ProfileError
from shortlist.profile import profile, values_in
from sources import letters
from sources.errors import SourceError
from sources.freida import read as read_freida
from visawatch.config import ConfigError
from visawatch.config import load as load_settings
from visawatch.programs_csv import ListError
from visawatch.programs_csv import read as read_programs
from web.api import cursors

NOW = datetime(2026, 11, 28, tzinfo=UTC)
PDF_BEGINS = b"%PDF-1.7\n"
_FOLDER = tempfile.TemporaryDirectory(prefix="fuzz-")


@dataclass(frozen=True, slots=True)
class Target:
    """Something that reads bytes, and the pieces that its inputs are made of; a text is UTF-8."""

    check: Callable[[bytes], object]
    texts: tuple[str | bytes, ...]
    cost: int = 1  # examples of another that one of it is worth

    @property
    def pieces(self) -> tuple[bytes, ...]:
        """All pieces, as bytes."""
        return tuple(p.encode() if isinstance(p, str) else p for p in self.texts)


def _file(name: str, content: bytes) -> Path:
    path = Path(_FOLDER.name) / name
    path.unlink(missing_ok=True)  # a file that is cut to nothing and written anew goes to the disk
    path.write_bytes(content)
    return path


def _blocks(raw: bytes) -> None:
    """A block is one line with words in it, and so is each that it stands under."""
    for block in html_blocks(decode(raw)):
        for line in (block.text, *block.under):
            assert line == " ".join(line.split()) != ""


def _statements(raw: bytes) -> None:
    blocks = text_blocks(decode(raw))
    text = page_text(blocks)
    for said in statements(blocks):
        assert said.quote == text[said.start : said.end] != ""


def _markup(raw: bytes) -> None:
    page = Markup(raw, "undefined")
    assert len(page.title) <= 2_000
    page.heading.encode()
    page.text(50)[0].encode()
    meta_refresh(raw)
    ends_early(raw)


def _sitemap(raw: bytes) -> None:
    found = read_sitemap(raw, "https://larkspur.example/sitemap.xml", 1_000_000)
    assert len(found.links) <= 200
    for link in found.links:
        link.url.encode()  # it may hold letters that are no ASCII, but nothing that ends a line
        assert not set("\0\r\n\t") & set(link.url)


def _robots(raw: bytes) -> None:
    """To leave other robots' names out changes nothing for us."""
    ours = read_rules(raw, "VisaWatch")
    whole = Protego.parse(raw.decode("utf-8-sig", errors="replace"))
    if raw[:2] not in UTF16 and len(raw) <= MAX_BYTES:  # which Protego knows nothing of
        for path in ("/", "/visa?a=%2a&b=" + "a" * 50):
            url = f"https://larkspur.example{path}"
            assert ours.can_fetch(url, "VisaWatch") == whole.can_fetch(url, "VisaWatch")
        assert ours.crawl_delay("VisaWatch") == whole.crawl_delay("VisaWatch")
        assert [*ours.sitemaps] == [*whole.sitemaps]


def _pdf(raw: bytes) -> None:
    """Whatever its bytes, the process that reads it ends, and its text is text."""
    body = PDF_BEGINS + raw
    pdf_text(body).encode()
    assert pdf_fault(body).startswith("the PDF ") or pdf_fault(body) == ""


def _mail(raw: bytes) -> None:
    letters.identity(raw).encode()
    with suppress(SourceError):
        letter = letters.read(raw, NOW)
        assert letter.received_at <= NOW
        f"{letter.text}{letter.subject}{letter.sender}{letter.why}".encode()


def _programs(raw: bytes) -> None:
    with suppress(ListError):
        for program in read_programs(_file("programs.csv", raw)).programs:
            assert f"{program.program_id}{program.institution}".isprintable()


def _freida(raw: bytes) -> None:
    with suppress(SourceError):
        read_freida(raw, {})


def _settings(raw: bytes) -> None:
    with suppress(ConfigError):
        load_settings(_file("visawatch.toml", raw))


def _profile(raw: bytes) -> None:
    for name in ("profile.toml", "profile.json"):
        with suppress(ProfileError):
            profile(values_in(_file(name, raw)))


def _packed(raw: bytes) -> None:
    for encoding in ("gzip", "deflate", "br", "zstd", "gzip, br"):
        with suppress(Broken, TooLarge):
            assert len(unpack(raw, encoding, 100_000)) <= max(100_000, len(raw))


def _cursor(raw: bytes) -> None:
    with suppress(cursors.BadCursor):
        cursor = raw.decode("utf-8", errors="replace")
        assert cursor == "" or cursors.write("x", cursors.read(cursor, of="x")) == cursor


_HTML = tuple((Path(__file__).parents[1] / "extractors/pieces.txt").read_text("utf-8").splitlines())
_ODD = ("\0", "\n", "\r", "\t", " ", '"', "'", ",", ";", ":", "=", "\u202e", "\ufeff", "9" * 5000)
_WHOLE = [
    pack(b"J-1 visas " * times)
    for pack in (gzip.compress, zlib.compress, brotli.compress, zstandard.compress)
    for times in (0, 1, 9, 9_000)
]
# Frames, their halves, and what they begin with.
_FRAMES = (
    *_WHOLE, *(frame[: len(frame) // 2] for frame in _WHOLE),
    *(frame[len(frame) // 2 :] for frame in _WHOLE),
    b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18", b"\x78\x9c", b"\0" * 9, b"\xff" * 9,
)  # fmt: skip
TARGETS = {
    "blocks": Target(_blocks, (*_HTML, "<x-quiet>", "<s>", "<div hidden>", "</html>", *_ODD)),
    "statements": Target(_statements, (*_HTML, *_ODD)),
    "markup": Target(_markup, (*_HTML, "<meta charset=", "undefined", "punycode", "&#", *_ODD)),
    "sitemap": Target(
        _sitemap,
        ("<loc>", "</loc>", "<sitemapindex>", "<![CDATA[", "http://", "/visa", "&#", "[", *_ODD),
    ),
    "robots": Target(
        _robots,
        (
            "User-agent: *", "User-agent: VisaWatch", "User agent ", "useragent", "visa", "#", "\n",
            "Disallow: /", "Allow: ", "*", "$", "Crawl-delay: ", "Sitemap: ", *_ODD,
        ),
    ),
    "pdf": Target(
        _pdf,
        (
            "1 0 obj", "2 0 obj", "3 0 obj", " endobj\n", "<</Type/Catalog/Pages 2 0 R>>",
            "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<</Type/Page/Parent 2 0 R/Contents 4 0 R",
            "/Resources<</Font<</F1 5 0 R>>>>>>", "4 0 obj<</Length 40>>stream\n", "BT /F1 9 Tf (",
            "J-1 visas) Tj ET", "\nendstream", "/Filter/FlateDecode", "/Filter/LZWDecode",
            "/ObjStm", "/Encrypt 1 0 R", "xref\n0 9\n", "trailer<</Root 1 0 R/Size 9", "/Prev 9",
            ">>", "startxref\n9\n%%EOF", "[", "(", "9" * 20, *_ODD,
        ),
        cost=6,
    ),
    "mail": Target(
        _mail,
        (
            "From: ", "a@b.example", "<", ">", "(", "Date: ", "Mon, 1 Jan ", "2026 ", "+0000",
            "Content-Type: ", "multipart/mixed; boundary=b", "text/html; charset=", "undefined",
            "--b\n", "=?utf-8?q?", "?=", "\n\n", "Subject: ", "References: ", "> ", "On ", "wrote:",
            "message/rfc822", "multipart/report; report-type=delivery-status", *_ODD,
        ),
    ),
    "programs": Target(
        _programs,
        (
            "program_id,institution,specialty,website_url,coordinator_email\n", "a,b,c,", "http://",
            "x.example", "[", "@", *_ODD,
        ),
    ),
    "freida": Target(_freida, ("acgme_id,institution,visas\n", "J-1", "H-1B", "123", *_ODD)),
    "settings": Target(
        _settings,
        ("[crawl]\n", "[mail]\n", "delay_seconds", "contact", "[", "{a=", "]", "1", "nan", *_ODD),
    ),
    "profile": Target(
        _profile,
        ('{"visa":"J-1"', "visa", "places", "[", "{", "]", "}", "null", "1e999", "NaN", *_ODD),
    ),
    "packed": Target(_packed, _FRAMES),
    "cursor": Target(_cursor, ("WyJ4Il0", "WyJ4Iiwx", "bDQ", "_", "-", "=", *_ODD)),
}  # fmt: skip
