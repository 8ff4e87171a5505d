"""The process that reads one PDF: `python pdf_child.py CPU_SECONDS MEMORY_BYTES`.

Bytes come on standard input, their text goes to standard output.

Started by `extractors.pdf` only, as a file: it must not need the rest of this package. PDFium is a
large parser in C++, and its input is hostile. So it gets a process per document, which can open
no file, and neither memory nor time beyond the limits here; what breaks, breaks here.
"""

from __future__ import annotations

import codecs
import os
import resource
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfiumError

MAX_PAGES = 60
MAX_CHARACTERS = 400_000
BROKEN = 3  # exit status: PDFium says that this is no PDF, or one with a password


def main(cpu_seconds: int, memory_bytes: int) -> int:
    """Limit, read, parse, write; return the exit status."""
    limit(cpu_seconds, memory_bytes)
    text = text_of(sys.stdin.buffer.read())
    if text is None:
        return BROKEN
    sys.stdout.buffer.write(text.encode("utf-8", errors="replace"))
    sys.stdout.buffer.flush()
    return 0


def limit(cpu_seconds: int, memory_bytes: int) -> None:
    """From now on this process opens no file, starts no process, and has no more than that."""
    import pypdfium2  # noqa: F401  # while files can be opened

    codecs.lookup("utf-16-le")  # PDFium's
    limits = {
        "RLIMIT_AS": memory_bytes,
        "RLIMIT_CPU": cpu_seconds,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_NPROC": 0,
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": 3,  # those that are open
    }
    for name, most in limits.items():
        with suppress(AttributeError, ValueError, OSError):  # a system without it has the others
            resource.setrlimit(getattr(resource, name), (most, most))


def text_of(body: bytes) -> str | None:
    """The text of a document; None if PDFium says that it is none, or wants a password."""
    from pypdfium2 import PdfDocument, PdfiumError

    try:
        return _text_of(PdfDocument(body), PdfiumError)
    except PdfiumError:
        return None


def _text_of(document: PdfDocument, error: type[PdfiumError]) -> str:
    pages: list[str] = []
    size = 0
    for number in range(min(len(document), MAX_PAGES)):
        text = _page_text(document, number, error)
        size += len(text)
        pages.append(text)
        if size > MAX_CHARACTERS:
            break
    return "\n\n".join(pages)[:MAX_CHARACTERS]


def _page_text(document: PdfDocument, number: int, error: type[PdfiumError]) -> str:
    try:
        return str(document[number].get_textpage().get_text_bounded())
    except error:  # one bad page does not spoil the others
        return ""


if __name__ == "__main__":
    os._exit(main(*map(int, sys.argv[1:3])))  # an orderly end wants files, and tidies for nobody
