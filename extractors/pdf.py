"""The text of a PDF, as blocks.

GME offices publish policies as PDF. Lines carry no structure there: blank lines part
paragraphs, a hyphen at a line's end joins it to the next.
"""

from __future__ import annotations

import re

import pypdfium2

from extractors.blocks import Block, text_blocks

MAX_PAGES = 60
MAX_CHARACTERS = 400_000
# PDFium writes a hyphen at a line's end as one of three marks, with or without the break.
_HYPHENATED = re.compile("([a-z])(?:[\u00ad\ufffe\x02](?:\r?\n)?|-\r?\n)([a-z])")
_MARKS = str.maketrans("\ufffe\x02", "--")


def is_pdf(body: bytes, content_type: str) -> bool:
    """True for a PDF by its first bytes, or by its type when it is not plainly HTML."""
    head = body[:1024].lstrip()
    return head.startswith(b"%PDF-") or (
        "application/pdf" in content_type.lower() and not head.startswith(b"<")
    )


def pdf_text(body: bytes) -> str:
    """The text of the first `MAX_PAGES` pages; "" for a broken or encrypted file."""
    try:
        document = pypdfium2.PdfDocument(body)
    except (pypdfium2.PdfiumError, ValueError, OSError):
        return ""
    pages: list[str] = []
    size = 0
    try:
        for number in range(min(len(document), MAX_PAGES)):
            text = _page_text(document, number)
            size += len(text)
            pages.append(text)
            if size > MAX_CHARACTERS:
                break
    finally:
        document.close()
    text = "\n\n".join(pages)[:MAX_CHARACTERS]
    return _HYPHENATED.sub(r"\1\2", text).translate(_MARKS)


def pdf_blocks(body: bytes) -> list[Block]:
    """The blocks of a PDF; none for one that cannot be read."""
    return text_blocks(pdf_text(body))


def _page_text(document: pypdfium2.PdfDocument, number: int) -> str:
    try:
        page = document[number]
        try:
            text_page = page.get_textpage()
            try:
                return str(text_page.get_text_bounded())
            finally:
                text_page.close()
        finally:
            page.close()
    except pypdfium2.PdfiumError:  # one bad page does not spoil the others
        return ""
