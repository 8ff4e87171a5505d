"""The one way in: the bytes of a page to its policy."""

from __future__ import annotations

from extractors.blocks import Block, html_blocks, text_blocks
from extractors.decode import decode
from extractors.pdf import is_pdf, pdf_blocks, pdf_fault
from extractors.policy import policy_for
from extractors.scope import Asker
from extractors.second import Known, opinions
from extractors.sieve import may_speak_of_visas
from extractors.stated import Statement
from extractors.statements import page_text as text_of
from extractors.statements import statements
from extractors.values import Policy

MAX_BYTES = 10_000_000  # of a page; what comes after is not read


def classify(body: bytes, content_type: str = "text/html", asker: Asker | None = None) -> Policy:
    """The policy that a page states to the program that asks, or to nobody in particular.

    `body` is HTML, plain text or PDF, of any encoding; `content_type` is the HTTP header, with
    its charset if it has one. Never raises: a page that cannot be read states nothing.

    >>> classify(b"<p>We only sponsor J-1 visas.</p>").category
    <Category.J1_ONLY: 'j1_only'>
    >>> page = b"<p>Surgery: J-1 only.</p><p>Neurology: J-1 and H-1B.</p>"
    >>> classify(page, asker=Asker(specialty="Neurology")).category
    <Category.J1_AND_H1B: 'j1_and_h1b'>
    """
    return policy_for([read_page(body, content_type)], asker=asker)[0]


def read_page(
    body: bytes, content_type: str = "text/html", known: Known | None = None
) -> tuple[Statement, ...]:
    """All that a page states, to whomever. Read once, it answers every program that asks.

    `known` is what the second reader has read before (see extractors.second), which saves most of
    the time and changes nothing.
    """
    body = body[:MAX_BYTES]
    if is_pdf(body, content_type):
        return _read(pdf_blocks(body), known)
    page = decode(body, content_type)
    if not may_speak_of_visas(page):
        return ()
    return _read(_blocks(page, content_type), known)


def unreadable(body: bytes, content_type: str = "text/html") -> str:
    """Why a page cannot be read, which is not the same as that it states nothing; "" if it can."""
    body = body[:MAX_BYTES]
    return pdf_fault(body) if is_pdf(body, content_type) else ""


def _read(blocks: list[Block], known: Known | None) -> tuple[Statement, ...]:
    """What both readers find: the rules' statements, then the second reader's opinions."""
    return (*statements(blocks), *opinions(blocks, text_of(blocks), known))


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
