"""The one way in: the bytes of a page to its policy."""

from __future__ import annotations

from extractors.blocks import Block, html_blocks, text_blocks
from extractors.decode import decode
from extractors.pdf import is_pdf, pdf_blocks
from extractors.policy import policy_of
from extractors.sieve import may_speak_of_visas
from extractors.statements import page_text as text_of
from extractors.statements import statements
from extractors.values import Policy

MAX_BYTES = 10_000_000  # of a page; what comes after is not read


def classify(body: bytes, content_type: str = "text/html") -> Policy:
    """The policy that a page states. `body` is HTML, plain text or PDF, of any encoding.

    `content_type` is the HTTP header, with its charset if it has one. Never raises: a page
    that cannot be read states nothing.

    >>> classify(b"<p>We only sponsor J-1 visas.</p>").category
    <Category.J1_ONLY: 'j1_only'>
    """
    body = body[:MAX_BYTES]
    if is_pdf(body, content_type):
        return _read(pdf_blocks(body))
    page = decode(body, content_type)
    if not may_speak_of_visas(page):
        return Policy()
    return _read(_blocks(page, content_type))


def page_text(body: bytes, content_type: str = "text/html") -> str:
    """The normalised text of a page, which the spans of `Evidence` refer to."""
    body = body[:MAX_BYTES]
    if is_pdf(body, content_type):
        return text_of(pdf_blocks(body))
    return text_of(_blocks(decode(body, content_type), content_type))


def _blocks(page: str, content_type: str) -> list[Block]:
    if content_type.partition(";")[0].strip().lower() == "text/plain":
        return text_blocks(page)
    return html_blocks(page)


def _read(blocks: list[Block]) -> Policy:
    return policy_of(statements(blocks), blocks, text_of(blocks))
