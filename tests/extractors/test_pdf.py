"""PDFs are read like pages, in a process that has its limits; a broken one states nothing."""

from __future__ import annotations

import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from extractors import Category, Policy, classify, page_text, pdf, pdf_child, unreadable


def make_pdf(*lines: str) -> bytes:
    """A PDF of one page, a line of text each (ASCII)."""
    shown = "".join(f"({line}) Tj 0 -14 Td " for line in lines)
    return pdf_of(stream(f"BT /F1 11 Tf 50 740 Td {shown}ET".encode()))


def stream(data: bytes, filters: bytes = b"", head: bytes = b"") -> bytes:
    return b"<<%s/Length %d%s>>stream\n%s\nendstream" % (head, len(data), filters, data)


def pdf_of(content: bytes, *others: bytes) -> bytes:
    """A PDF of one page with this content; the first of the others is the XObject /X."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>/XObject<</X 6 0 R>>>>>>",
        content,
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        *others,
    ]
    body = b"%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj%sendobj\n" % (number, content)
    count = len(objects) + 1
    xref = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return (
        body
        + b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\n"
        % (count, xref, count)
        + b"startxref\n%d\n%%%%EOF" % len(body)
    )


def test_a_pdf_is_read() -> None:
    body = make_pdf(
        "Visa policy", "The residency programs of Oak Bay Hospital spon-", "sor only J-1 visas."
    )
    policy = classify(body, "application/pdf")
    assert policy.category is Category.J1_ONLY
    quote = policy.evidence[0]
    assert quote.quote == "The residency programs of Oak Bay Hospital sponsor only J-1 visas."
    assert page_text(body)[quote.start : quote.end] == quote.quote  # known by its first bytes


def test_a_broken_pdf_states_nothing() -> None:
    body = make_pdf("We sponsor J-1 visas.")
    for broken in (body[:60], b"%PDF-1.7\n%%EOF", b"%PDF-" + bytes(range(256)) * 20, b""):
        assert classify(broken, "application/pdf") == Policy(
            confidence=classify(broken, "application/pdf").confidence
        )
        assert unreadable(broken, "application/pdf").startswith("the PDF")
    assert unreadable(body) == unreadable(b"<p>J-1</p>") == ""


def test_html_that_is_sent_as_pdf_is_html() -> None:
    assert classify(b"<p>J-1 visas only.</p>", "application/pdf").category is Category.J1_ONLY


def bomb() -> bytes:
    """A thousand bytes that unpack into 70 million."""
    data = zlib.compress(zlib.compress(b"(a) Tj " * 10_000_000, 9), 9)
    return pdf_of(stream(data, b"/Filter[/FlateDecode/FlateDecode]"))


def forms_in_forms() -> bytes:
    """A form that shows a form thirty times, which shows a form thirty times, and so on."""
    shown = [
        stream(
            b"/X Do " * 30, head=b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]"
            b"/Resources<</XObject<</X %d 0 R>>>>" % (number + 1),
        )
        for number in range(6, 18)
    ]  # fmt: skip
    last = stream(b"BT (a) Tj ET", head=b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]")
    return pdf_of(stream(b"/X Do"), *shown, last)


def idle() -> bytes:
    """A form that does nothing three million times, forty times over: it takes time alone."""
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]"
    data = zlib.compress(b"q Q " * 3_000_000)
    return pdf_of(stream(b"/X Do " * 40), stream(data, b"/Filter/FlateDecode", form))


def test_a_pdf_that_takes_too_much_time_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a limit it would be read in seven seconds, and say nothing."""
    monkeypatch.setattr(pdf, "CPU_SECONDS", 1)
    monkeypatch.setattr(pdf, "SECONDS", 600)
    assert "took more than it may" in unreadable(idle())


def test_a_pdf_that_takes_too_much_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    good = make_pdf("We sponsor J-1 visas.")
    monkeypatch.setattr(pdf, "MEMORY_BYTES", 1 << 27)
    assert "took more than it may" in unreadable(bomb())
    assert unreadable(good) == ""
    monkeypatch.setattr(pdf, "MEMORY_BYTES", 1 << 30)
    monkeypatch.setattr(pdf, "SECONDS", 0.5)
    assert "not read within 0.5 seconds" in unreadable(forms_in_forms())


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says what limits a process has")
def test_the_process_that_reads_it_can_open_and_write_nothing() -> None:
    command = [sys.executable, "-I", pdf_child.__file__, "20", str(1 << 29)]
    pipe = subprocess.PIPE
    body = make_pdf(" ".join(["We sponsor J-1 visas."] * 10_000))
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env={}) as child:
        assert child.stdin is not None
        child.stdin.write(body)  # more than a pipe holds: it reads, so it has set its limits
        limits = Path(f"/proc/{child.pid}/limits").read_text()
        child.communicate()
    assert len(body) > 200_000
    assert child.returncode == 0
    told = dict(line.rsplit(maxsplit=3)[:2] for line in limits.splitlines()[1:] if "bytes" in line)
    assert told["Max file size"] == told["Max core file size"] == "0"
    assert told["Max address space"] == str(1 << 29)
    assert "Max open files            3 " in limits
