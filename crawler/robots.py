"""robots.txt: fetched once per origin and crawl, before anything else of that origin.

RFC 9309 decides what an answer means (section 2.3.1): 2xx are rules; 4xx means that there are
none, so everything is allowed; 5xx and an unreachable server mean that everything is
disallowed, for which pages get the health of that failure. 429 is not "there are none" but
"not now", and is treated as a failure too (as Google does). Redirects are followed; where they
never end there are no rules.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from protego import Protego
from scrapy import Request
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached

from crawler.failures import explain
from crawler.refusal import Refused
from crawler.urls import join
from crawler.values import Health

_PRIORITY = 1_000
MAX_BYTES = 512_000  # RFC 9309, 2.5: at least the first 500 KiB must be read
_MAX_CRAWL_DELAY = 60.0  # seconds; not in RFC 9309, but a wish that costs us little
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_AGENT = {"user-agent", "useragent", "user agent"}  # as Protego reads them
_OTHERS = "User-agent: others"


def read_rules(raw: bytes, token: str) -> Protego:
    """The rules of a robots.txt, whatever its bytes, as far as they concern us or everybody.

    Its encoding is UTF-8 (RFC 9309), or what its byte order mark says, as some editors write it.
    """
    encoding = "utf-16" if raw.startswith(UTF16) else "utf-8-sig"
    text = raw[:MAX_BYTES].decode(encoding, errors="replace")
    lines = text.splitlines()
    if len(raw) > MAX_BYTES:
        lines = lines[:-1]  # half a line may say the opposite of the whole
    return Protego.parse("\n".join(_for_us(line, token) for line in lines))


def _for_us(line: str, token: str) -> str:
    """A line of a robots.txt, less the names of other robots.

    Protego keeps a copy of a group's rules for each robot that the group names: 10,000 names above
    10,000 rules, which are half of what is read, would take all of the memory.
    """
    line = line.partition("#")[0].strip()
    name = _robot(line)
    if name is None:
        return line
    plain = name.replace("*", "")  # Protego knows no patterns here
    if name != "*" and not (plain and token.lower().startswith(plain)):
        return _OTHERS
    return f"User-agent: {plain or '*'}"


def _robot(line: str) -> str | None:
    """The robot that a line names, None if it names none: "User-agent: x", "User agent x" ..."""
    field, colon, value = line.partition(":")
    if colon and field.strip().lower() in _AGENT:
        return value.strip().lower()
    if colon and not value[:1].strip():
        return None  # another field, spelt with a colon
    words = line.lower().split()
    for count in (1, 2):
        if " ".join(words[:count]) in _AGENT:
            return " ".join(words[count:])
    return None


@dataclass(frozen=True, slots=True)
class Rules:
    """What one robots.txt says; `parsed` is None when there are no rules."""

    parsed: Protego | None = None
    refusal: Refused | None = None


class Robots:
    """The robots.txt of every origin."""

    def __init__(
        self,
        token: str,
        user_agent: str,
        timeout: float,
        on_known: Callable[[str, float], None],
    ) -> None:
        self._token = token
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": "gzip, deflate"}
        self._timeout = timeout
        self._on_known = on_known  # called with the host's name and its Crawl-delay
        self._rules: dict[str, Rules] = {}

    @staticmethod
    def is_one(request: Request) -> bool:
        """Whether a request is for a robots.txt, or for where one has moved to."""
        return "robots" in request.meta

    def first(self, request: Request) -> Request | None:
        """Return the request for the robots.txt that must be read before `request`, if any."""
        origin = origin_of(request)
        if origin in self._rules or self.is_one(request):
            return None
        return Request(
            f"{origin}/robots.txt",
            headers=self._headers,
            callback=self._arrived,
            errback=self._failed,
            meta={"robots": origin, "download_timeout": self._timeout},
            priority=_PRIORITY,
        )

    def refusal(self, request: Request) -> Refused | None:
        """Return why the request's robots.txt keeps us away, or None if it does not."""
        rules = self._rules.get(origin_of(request))
        if rules is None:
            return None
        if rules.refusal is not None:
            return rules.refusal
        if rules.parsed is None or rules.parsed.can_fetch(request.url, self._token):
            return None
        host = urlparse_cached(request).netloc
        return Refused(Health.ROBOTS, f"the robots.txt of {host} does not allow this page")

    def sitemaps(self, origin: str) -> tuple[str, ...]:
        """Return the addresses of the sitemaps that an origin's robots.txt names."""
        rules = self._rules.get(origin)
        if rules is None or rules.parsed is None:
            return ()
        return tuple(join(f"{origin}/", address) for address in rules.parsed.sitemaps)

    def _arrived(self, response: Response) -> None:
        origin: str = response.meta["robots"]
        host = origin.partition("://")[2]
        status = response.status
        if status == 429 or status >= 500:
            health = Health.RATE_LIMITED if status == 429 else Health.SERVER_ERROR
            refusal = Refused(
                health,
                f"the robots.txt of {host} answered with status {status}, "
                "so nothing else was asked of it",
                status,
            )
            self._settle(origin, Rules(refusal=refusal))
        elif 200 <= status < 300:
            self._settle(origin, Rules(parsed=read_rules(response.body, self._token)))
        else:
            self._settle(origin, Rules())

    def _failed(self, failure: Any) -> None:
        origin: str = failure.request.meta["robots"]
        refused = explain(failure.value, failure.request)
        if refused.health is Health.REDIRECT_LOOP:
            # RFC 9309, 2.3.1.2: too many redirects may be taken as "there is none".
            self._settle(origin, Rules())
            return
        detail = f"its robots.txt could not be read, so nothing else was asked: {refused.detail}"
        self._settle(origin, Rules(refusal=Refused(refused.health, detail, refused.status)))

    def _settle(self, origin: str, rules: Rules) -> None:
        self._rules[origin] = rules
        delay = 0.0
        if rules.parsed is not None:
            delay = min(float(rules.parsed.crawl_delay(self._token) or 0.0), _MAX_CRAWL_DELAY)
        self._on_known(urlsplit(origin).hostname or "", delay)


def origin_of(request: Request) -> str:
    """Return `scheme://host:port` of a request, as its URL spells it."""
    parts = urlparse_cached(request)
    return f"{parts.scheme}://{parts.netloc}"
