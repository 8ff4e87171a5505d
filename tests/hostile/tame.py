"""What nothing of a page may do where it is shown."""

from __future__ import annotations

from lxml import html

from crawler.plain import CONTROLS

THEIRS = "evil.example"
# Elements that our pages and mails are made of; no other may come out of a page's text.
OURS = frozenset((
    "a", "abbr", "article", "aside", "b", "bdi", "blockquote", "body", "br", "button",
    "caption", "circle", "cite", "code", "datalist", "dd", "defs", "del", "desc", "details",
    "dialog", "div", "dl", "dt", "em", "fieldset", "figcaption", "figure", "footer", "form",
    "g", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html", "i", "iframe",
    "input", "ins", "kbd", "label", "legend", "li", "line", "link", "main", "mark", "meta",
    "nav", "noscript", "ol", "option", "output", "p", "path", "polyline", "pre", "q", "rect",
    "s", "script", "section", "select", "small", "span", "strong", "style", "sub", "summary",
    "sup", "svg", "symbol", "table", "tbody", "td", "template", "text", "textarea", "tfoot",
    "th", "thead", "time", "title", "tr", "u", "ul", "use", "wbr",
))  # fmt: skip
_LINKS = ("href", "src", "action", "formaction", "data", "srcdoc", "poster", "background")


def obeyed(text: str) -> set[str]:
    """The characters of a text that a terminal or a bidirectional layout would obey."""
    return {char for char in text if ord(char) in CONTROLS} - set("\n\r\t")


def assert_tame(page: str, where: str) -> None:
    """A page, a feed's content or a mail holds hostile text as text, and nothing of it besides."""
    assert obeyed(page) == set(), where
    if not page.strip():
        return
    for element in html.document_fromstring(page).iter():
        if not isinstance(element.tag, str):
            continue
        assert element.tag in OURS, (where, element.tag)
        if element.tag in ("script", "style"):
            assert "alert(1)" not in (element.text or ""), where
        for name, value in element.attrib.items():
            assert not name.startswith("on"), (where, name)
            if name in _LINKS:
                link = value.strip().lower()
                assert not link.startswith(("javascript:", "data:", "vbscript:")), (where, value)
                assert not link.split("?")[0].split("#")[0].count(THEIRS), (where, value)
        if element.tag in ("base", "object", "embed"):
            raise AssertionError((where, element.tag))
        if element.tag == "meta":
            assert element.get("http-equiv", "").lower() != "refresh", where
