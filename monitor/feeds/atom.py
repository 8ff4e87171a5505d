"""An Atom feed (RFC 4287) as values, and as bytes."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree  # type: ignore[import-untyped]  # has no stubs

from monitor.alerts.message import readable

_ATOM = "http://www.w3.org/2005/Atom"
_NONCHARACTERS = {0xFFFE: None, 0xFFFF: None}  # which XML cannot hold, beside control characters


@dataclass(frozen=True, slots=True)
class Entry:
    """One story; `html` is a fragment whose page text is escaped already."""

    id: str
    title: str
    published: str  # ISO 8601, UTC, as all times here
    updated: str
    html: str
    link: str = ""  # to where it was read; only http(s)
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed and where it is: `path` is relative to the feeds' folder, as `all.atom`."""

    path: str
    id: str
    title: str
    updated: str
    entries: tuple[Entry, ...]  # newest first
    home: str = ""  # the site's address; empty: links to the feed itself are left out

    @property
    def address(self) -> str:
        """Where the feed is read, if it is known."""
        return f"{self.home}/feeds/{self.path}" if self.home else ""


def rendered(feed: Feed) -> bytes:
    """The feed's document: for the same feed, the same bytes."""
    root = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})
    root.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
    _add(root, "id", feed.id)
    _add(root, "title", feed.title)
    _add(root, "updated", feed.updated)
    _add(_add(root, "author"), "name", "VisaWatch")
    _add(root, "generator", "VisaWatch")
    if feed.home:
        _add(root, "link", rel="self", type="application/atom+xml", href=feed.address)
        _add(root, "link", rel="alternate", type="text/html", href=f"{feed.home}/")
    for entry in feed.entries:
        _entry(root, entry)
    etree.indent(root)
    document: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _entry(root: etree._Element, entry: Entry) -> None:
    element = _add(root, "entry")
    _add(element, "id", entry.id)
    _add(element, "title", entry.title)
    _add(element, "published", entry.published)
    _add(element, "updated", entry.updated)
    for category in entry.categories:
        _add(element, "category", term=category)
    if entry.link:
        _add(element, "link", rel="alternate", href=entry.link)
    _add(element, "content", entry.html, type="html")


def _add(parent: etree._Element, name: str, text: str = "", **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, f"{{{_ATOM}}}{name}")
    if text:
        element.text = _clean(text)
    for key, value in attributes.items():
        element.set(key, _clean(value))
    return element


def _clean(text: str) -> str:
    return readable(text).translate(_NONCHARACTERS)
