"""The HTML of a mail to what its sender wrote: without what they quote, and what nobody sees."""

from __future__ import annotations

from lxml import etree  # type: ignore[import-untyped]

from extractors import page_text
from extractors.prune import as_browsers_read
from sources.errors import LetterError

_QUOTED_CLASSES = frozenset({"gmail_quote", "yahoo_quoted"})
_QUOTED_IDS = frozenset({"divRplyFwdMsg", "appendonsend"})
_ALL_BELOW = "divRplyFwdMsg"  # Outlook: the quoted mail follows beside it
_DOOMED = "doomed"


def text(html: str) -> str:
    """The words of an HTML mail, a line for each block. Raises LetterError.

    >>> text("<p>Yes, both.</p><blockquote>Which visas?</blockquote><p hidden>J-1 only")
    'Yes, both.'
    """
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True)
    try:
        root = etree.fromstring(as_browsers_read(html).encode("utf-8", "replace"), parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        return ""
    if any("depth" in entry.message for entry in parser.error_log):
        raise LetterError("its HTML is nested too deep; read it yourself")
    if root is None:
        return ""
    for element in [e for e in root.iter(etree.Element) if _is_quoted(e)]:
        if element.get("id") == _ALL_BELOW and element.tag != _DOOMED:
            for below in element.itersiblings(etree.Element):
                below.tag, below.tail = _DOOMED, None
        element.tag = _DOOMED
    etree.strip_elements(root, _DOOMED, with_tail=False)
    for row in root.iter("tr"):
        row.tag = "div"
        for cell in [c for c in row if c.tag in ("td", "th")][:-1]:
            cell.tail = ": "  # `H-1B: No`, as people write it
    etree.strip_tags(root, "td", "th", "table", "tbody", "thead", "tfoot")
    page = etree.tostring(root, encoding="utf-8", method="html")
    return page_text(page, "text/html; charset=utf-8")


def _is_quoted(element: etree._Element) -> bool:
    return (
        element.tag == "blockquote"
        or element.get("id") in _QUOTED_IDS
        or not _QUOTED_CLASSES.isdisjoint(element.get("class", "").split())
    )
