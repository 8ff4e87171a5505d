"""Decides what became of a page, from its status, headers and bytes.

An error page, a challenge or a log-in form must never be read as what a program says, and a
genuine page must never be taken for one of these. The rules are in health.toml, with examples
of both; what is here is cheap for ordinary pages: the title, the first heading, and the text
only until it is too long to be anything but a page.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crawler.errors import RuleFileError
from crawler.markup import Markup, ends_early
from crawler.values import Health

RULES = Path(__file__).with_name("health.toml")
_PLACES = frozenset({"title", "heading", "text", "html", "url", "header"})
_HTML_BYTES = 131_072  # of a short page, in which "html" rules look


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a page, why, and its title if it is HTML."""

    health: Health
    detail: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent for a page. `header` takes a lower-case name and gives "" for none."""

    status: int
    body: bytes
    url: str  # asked for
    final_url: str  # where the answer came from
    header: Callable[[str], str] = lambda name: ""


@dataclass(frozen=True, slots=True)
class HealthRule:
    """One rule of health.toml; see the comment at its top for what each key means."""

    id: str
    says: str
    health: Health
    where: tuple[str, ...]
    match: re.Pattern[str]
    yes: tuple[str, ...]
    no: tuple[str, ...]
    max_words: int | None = None
    password: bool = False
    unless: re.Pattern[str] | None = None


@cache
def rules() -> tuple[HealthRule, ...]:
    """Return the rules of health.toml, in order; raise `RuleFileError` for a bad one."""
    tables = tomllib.loads(RULES.read_text(encoding="utf-8")).get("rule", [])
    made = tuple(_rule(table) for table in tables)
    if len({rule.id for rule in made}) < len(made):
        raise RuleFileError(f"{RULES.name}: two rules have the same id")
    return made


def _rule(table: dict[str, Any]) -> HealthRule:
    name = f"{RULES.name}, rule {table.get('id', '?')}"
    unknown = table.keys() - {field.name for field in fields(HealthRule)}
    if unknown:
        raise RuleFileError(f"{name}: unknown key {min(unknown)}")
    try:
        rule = HealthRule(
            **{
                **table,
                "health": Health(table["health"]),
                "where": tuple(table["where"]),
                "match": re.compile(table["match"], re.VERBOSE),
                "unless": re.compile(table["unless"], re.VERBOSE) if "unless" in table else None,
                "yes": tuple(table["yes"]),
                "no": tuple(table["no"]),
            }
        )
    except (KeyError, ValueError, TypeError, re.error) as error:
        raise RuleFileError(f"{name}: {error!r}") from error
    if not set(rule.where) <= _PLACES or not rule.yes or not rule.no:
        raise RuleFileError(f"{name}: `where` is not known, or examples are missing")
    return rule


def judge(answer: Answer) -> Verdict:
    """Return the health of a page; `OK` only if this is the page itself."""
    if not 200 <= answer.status < 300:
        return _by_status(answer)
    if not answer.body:
        return Verdict(Health.EMPTY, f"{_host(answer)} sent a page without any bytes")
    kind = sniff(answer.body, answer.header("content-type"))
    if kind == "pdf":
        return Verdict(Health.OK)
    if kind not in ("html", "text"):
        return Verdict(Health.NOT_A_PAGE, f"{_host(answer)} sent {kind} where a page should be")
    if kind == "html" and ends_early(answer.body):
        detail = f"the page of {_host(answer)} breaks off after {len(answer.body):,} bytes"
        return Verdict(Health.TRUNCATED, detail)
    return _by_content(answer)


def _host(answer: Answer) -> str:
    return urlsplit(answer.final_url).netloc


def _by_status(answer: Answer) -> Verdict:
    status = answer.status
    host = _host(answer)
    if status == 304:
        return Verdict(Health.NOT_MODIFIED)
    if status in (404, 410):
        return Verdict(Health.GONE, f"{host} says that there is no such page (status {status})")
    # A challenge comes with 403, 429 or 503, and says more than these.
    if answer.body and status in (401, 403, 429, 503):
        verdict = _by_content(answer)
        if verdict.health is Health.BOT_CHALLENGE:
            return verdict
    if status in (401, 403, 451):
        return Verdict(Health.FORBIDDEN, f"{host} does not let us see the page (status {status})")
    if status == 429:
        return Verdict(Health.RATE_LIMITED, f"{host} says that we ask too often (status 429)")
    if status >= 500:
        return Verdict(Health.SERVER_ERROR, f"{host} failed to answer (status {status})")
    return Verdict(Health.HTTP_ERROR, f"{host} answered with status {status}")


def _by_content(answer: Answer) -> Verdict:
    markup = Markup(answer.body, _charset(answer.header("content-type")))
    title = markup.title
    limit = max((rule.max_words or 0) for rule in rules())
    text, words = markup.text(limit)
    places: dict[str, str] = {
        "title": _folded(title),
        "heading": _folded(markup.heading),
        "text": text.lower(),
        "url": answer.final_url.lower() if answer.final_url != answer.url else "",
    }
    password = b"password" in markup.low and bool(_PASSWORD_FIELD.search(markup.low))
    for rule in rules():
        if rule.max_words is not None and words >= rule.max_words:
            continue
        if rule.password and not password:
            continue
        if rule.unless is not None and rule.unless.search(places["text"]):
            continue
        for place in rule.where:
            if place == "header":
                found = _search_headers(rule, answer)
            elif place == "html":
                head = markup.low[:_HTML_BYTES].decode("latin-1")
                found = rule.match.search(head) is not None
            else:
                found = bool(places[place]) and rule.match.search(places[place]) is not None
            if found:
                return Verdict(rule.health, f"{_host(answer)}: {rule.says} ({rule.id})", title)
    if words == 0:
        return _wordless(answer, markup, title)
    if _sent_to_the_start_page(answer):
        detail = f"{_host(answer)} sent us to its start page instead of the page"
        return Verdict(Health.SOFT_404, detail, title)
    return Verdict(Health.OK, title=title)


def _wordless(answer: Answer, markup: Markup, title: str) -> Verdict:
    if b"<script" in markup.low:
        detail = f"the page of {_host(answer)} has no text until a script fills it"
        return Verdict(Health.NEEDS_JAVASCRIPT, detail, title)
    return Verdict(Health.EMPTY, f"{_host(answer)} sent a page without any words", title)


_PASSWORD_FIELD = re.compile(rb"""<input\b[^>]{0,400}type\s*=\s*["']?password""")
_HEADERS = ("cf-mitigated", "x-amzn-waf-action", "x-datadome", "x-iinfo", "server")
_START_PAGE = re.compile(r"/?(?:(?:index|default|home)(?:\.\w{2,5})?/?)?", re.IGNORECASE)


def _search_headers(rule: HealthRule, answer: Answer) -> bool:
    for name in _HEADERS:
        value = answer.header(name)
        if value and rule.match.search(f"{name}: {value.lower()}"):
            return True
    return False


def _sent_to_the_start_page(answer: Answer) -> bool:
    """Whether a site answered for a page with its start page: a soft 404 without any words."""
    if answer.final_url == answer.url:
        return False
    asked, got = urlsplit(answer.url), urlsplit(answer.final_url)
    same_host = (asked.hostname or "").removeprefix("www.") == (got.hostname or "").removeprefix(
        "www."
    )
    return (
        same_host
        and not got.query
        and _START_PAGE.fullmatch(got.path) is not None
        and _START_PAGE.fullmatch(asked.path) is None
    )


def _folded(text: str) -> str:
    return text.lower().replace("’", "'")


def _charset(content_type: str) -> str:
    match = re.search(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", content_type, re.IGNORECASE)
    return match[1].lower() if match else ""


# First bytes of what is not a page, and what to call it.
_MAGIC = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"RIFF", "an image or media file"),
    (b"PK\x03\x04", "a ZIP archive or Office document"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x00\x00\x00", "a media file"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"OggS", "a media file"),
    (b"ID3", "a media file"),
    (b"wOF", "a font"),
    (b"{\\rtf", "an RTF document"),
)
_TAGS = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|title|meta|div|p|h[1-6]|table|ul|ol|a|span|article"
    rb"|section|main|form|script|br|!--)\b"
)
_NO_PAGE_TYPES = re.compile(r"(?:text|application)/(?:x-)?(?:javascript|css|json)|\+json|image/svg")


def sniff(body: bytes, content_type: str) -> str:
    """Return "html", "text" or "pdf" for what may be read, else what it is, for people.

    The bytes decide; the header only where they do not.
    """
    head = body[:1_024]
    if b"%PDF-" in head:
        return "pdf"
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "html"  # UTF-16
    if _is_binary(head):
        return "a binary file"
    if head.lstrip().startswith((b"<?xml", b"<rss", b"<feed")) and b"<html" not in body[:4_096]:
        return "an XML file"
    kind = content_type.partition(";")[0].strip().lower()
    if _NO_PAGE_TYPES.search(kind):
        return f"data ({kind})"
    if kind in ("text/html", "application/xhtml+xml") or _TAGS.search(body[:4_096].lower()):
        return "html"
    return "text"


def _is_binary(head: bytes) -> bool:
    """Whether there are more control characters than any text has."""
    controls = len(head) - len(
        head.translate(None, bytes([*range(9), 11, *range(14, 27), *range(28, 32)]))
    )
    return controls * 50 > len(head)
