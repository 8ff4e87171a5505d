"""What eligibility pages are called, and which links of a page may lead to one.

The names are in names.toml, with examples. A link is scored by its text and its address, a page
by its title, headings and address; the score says how much it looks like a page that states who
may apply and with which visa.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from crawler.errors import RuleFileError
from crawler.urls import canonical, join

if TYPE_CHECKING:
    from parsel import Selector

NAMES = Path(__file__).with_name("names.toml")
_MAX_BYTES = 2_000_000  # of a page that is parsed for links
_MAX_LINKS = 2_000
_MAX_TEXT = 200  # characters of a link's text, a title or a heading
_SEPARATORS = re.compile(r"[\s_/\-+.,:;|–—·•()\[\]\"'’]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# What no link is followed to, whatever it is called. PDFs are followed.
_NO_PAGE = re.compile(
    r"\.(?:jpe?g|png|gif|webp|svg|ico|bmp|tiff?|css|js|json|xml|rss|atom|zip|gz|tar|rar|7z|exe|dmg"
    r"|docx?|xlsx?|pptx?|mp[34]|m4[av]|avi|mov|wmv|webm|wav|ogg|woff2?|ttf|eot|ics|vcf)\Z",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Name:
    """One name of names.toml: what a page may be called, and how much that says."""

    id: str
    score: float
    match: re.Pattern[str]
    yes: tuple[str, ...]
    no: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A link that may be followed: its canonical address and its text."""

    url: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What discovery wants to know of a page."""

    title: str
    headings: tuple[str, ...]
    links: tuple[Link, ...]


@cache
def names() -> tuple[Name, ...]:
    """Return the names of names.toml; raise `RuleFileError` for a bad one."""
    known = {field.name for field in fields(Name)}
    made: dict[str, Name] = {}
    for table in tomllib.loads(NAMES.read_text(encoding="utf-8")).get("name", []):
        where = f"{NAMES.name}, name {table.get('id', '?')}"
        try:
            name = Name(
                **{
                    **table,
                    "match": re.compile(table["match"], re.VERBOSE),
                    "yes": tuple(table["yes"]),
                    "no": tuple(table["no"]),
                }
            )
        except (KeyError, TypeError, re.error) as error:
            raise RuleFileError(f"{where}: {error!r}; known keys are {sorted(known)}") from error
        if name.id in made or not name.yes or not name.no:
            raise RuleFileError(f"{where}: the id is not unique, or examples are missing")
        made[name.id] = name
    return tuple(made.values())


def words_of(text: str) -> str:
    """Return text as the names are written: lower case, words with single spaces between.

    >>> words_of("How to Apply: FAQ & Visa-Policy")
    'how to apply faq and visa policy'
    """
    text = text[:_MAX_TEXT].replace("&", " and ")
    return _SEPARATORS.sub(" ", text).strip().lower()


def words_of_url(url: str) -> str:
    """Return the words of a URL's path and query.

    >>> words_of_url("https://gme.example.edu/HowToApply/visa_policy.html")
    'how to apply visa policy html'
    """
    parts = urlsplit(url)
    path = unquote(f"{parts.path} {parts.query}")[-_MAX_TEXT:]
    return words_of(_CAMEL.sub(" ", path).replace("%", " ").replace("=", " "))


@lru_cache(maxsize=50_000)
def score(words: str) -> float:
    """Return how much these words name an eligibility page; below 0: rather something else."""
    return sum(name.score for name in names() if name.match.search(words))


def score_link(link: Link) -> float:
    """Return how much a link looks like one to an eligibility page."""
    return score(words_of(link.text)) + score(words_of_url(link.url)) / 2


def score_page(url: str, reading: Reading) -> float:
    """Return how much a page looks like an eligibility page."""
    headings = max((score(words_of(heading)) for heading in reading.headings), default=0.0)
    return score(words_of(reading.title)) + headings + score(words_of_url(url)) / 2


def read(body: bytes, url: str, charset: str = "") -> Reading:
    """Return the title, headings and links of an HTML page; of anything else, nothing."""
    if b"<" not in body[:4_096]:
        return Reading("", (), ())
    from parsel import Selector  # for who looks for pages only

    page = Selector(body=body[:_MAX_BYTES], type="html", encoding=charset or "utf-8")
    base = join(url, page.xpath("string(//base/@href)").get(""))
    return Reading(
        title=_text(page.xpath("(//title)[1]//text()").getall()),
        headings=tuple(
            _text(heading.xpath(".//text()").getall())
            for heading in page.xpath("(//h1 | //h2)[position() <= 20]")
        ),
        links=tuple(_links(page, base or url)),
    )


def _links(page: Selector, base: str) -> Iterable[Link]:
    found: dict[str, str] = {}
    for anchor in page.xpath("(//a[@href] | //area[@href])")[:_MAX_LINKS]:
        element: Any = anchor.root
        href = element.get("href", "").strip()
        if href.startswith(("#", "mailto:", "tel:", "javascript:")):
            continue
        url = canonical(join(base, href))
        if not url.startswith(("http://", "https://")) or _NO_PAGE.search(urlsplit(url).path):
            continue
        text = _text(element.itertext()) or element.get("title", "") or element.get("alt", "")
        if len(text) > len(found.get(url, "")) or url not in found:
            found[url] = text
    for url, text in found.items():
        yield Link(url, text)


def _text(pieces: Iterable[str]) -> str:
    return " ".join(" ".join(pieces).split())[:_MAX_TEXT]
