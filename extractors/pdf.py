"""The text of a PDF, as blocks.

GME offices publish policies as PDF. Lines carry no structure there: blank lines part
paragraphs, a hyphen at a line's end joins it to the next. The file itself is parsed by
`extractors.pdf_child`, in a process of its own.
"""

from __future__ import annotations

import re
import subprocess
import sys
from functools import lru_cache

from extractors import pdf_child
from extractors.blocks import Block, text_blocks

SECONDS = 60.0  # for all of a document, on a busy machine
CPU_SECONDS = 20
MEMORY_BYTES = 1 << 29  # of addresses; Python and PDFium begin with a fifth of it
# PDFium writes a hyphen at a line's end as one of three marks, with or without the break.
_HYPHENATED = re.compile("([a-z])(?:[\u00ad\ufffe\x02](?:\r?\n)?|-\r?\n)([a-z])")
_MARKS = str.maketrans("\ufffe\x02", "--")
_HEAD = 1024  # bytes in which a PDF says that it is one


class Unreadable(ValueError):
    """A PDF that cannot be read, and why: "the PDF ..."."""


def is_pdf(body: bytes, content_type: str) -> bool:
    """True for a PDF by its first bytes, or by its type when it is not plainly HTML."""
    head = body[:_HEAD].lstrip()
    return head.startswith(b"%PDF-") or (
        "application/pdf" in content_type.lower() and not head.startswith(b"<")
    )


def pdf_text(body: bytes) -> str:
    """The text of the first pages; "" for a file that cannot be read."""
    try:
        return _text(body)
    except Unreadable:
        return ""


def pdf_fault(body: bytes) -> str:
    """Why a PDF cannot be read; "" if it can."""
    try:
        _text(body)
    except Unreadable as fault:
        return str(fault)
    return ""


def pdf_blocks(body: bytes) -> list[Block]:
    """The blocks of a PDF; none for one that cannot be read."""
    return text_blocks(pdf_text(body))


@lru_cache(maxsize=2)  # whether it can be read, what it says, and where: it is asked for thrice
def _text(body: bytes) -> str:
    if b"%PDF" not in body[:_HEAD]:
        raise Unreadable("the PDF does not begin like one")
    try:
        child = subprocess.run(  # noqa: S603  # our own module, with two numbers
            [sys.executable, "-I", pdf_child.__file__, str(CPU_SECONDS), str(MEMORY_BYTES)],
            input=body,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            start_new_session=True,  # Ctrl-C is for the process that asks
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unreadable(f"the PDF was not read within {SECONDS:g} seconds") from None
    except OSError as error:
        raise Unreadable(f"the PDF was not read: {error}") from error
    if child.returncode == pdf_child.BROKEN:
        raise Unreadable("the PDF is broken, or needs a password")
    if child.returncode:
        raise Unreadable("the PDF broke off the process that read it, or took more than it may")
    text = child.stdout.decode("utf-8", errors="replace")
    return _HYPHENATED.sub(r"\1\2", text).translate(_MARKS)
