"""What goes into a crawl (a `Plan` of `Target`s) and what comes out of it (a `Fetch` per page)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """What became of a page: `OK` and `NOT_MODIFIED` are the page, all others are not."""

    OK = "ok"
    NOT_MODIFIED = "not_modified"  # 304: the bytes of the last snapshot still stand
    GONE = "gone"  # 404 or 410
    SOFT_404 = "soft_404"  # 200, but the page says that there is no such page
    BOT_CHALLENGE = "bot_challenge"  # "checking your browser", a captcha
    LOGIN_WALL = "login_wall"  # a sign-in form where the page was
    FORBIDDEN = "forbidden"  # 401, 403, 451
    ROBOTS = "robots"  # robots.txt forbids it
    RATE_LIMITED = "rate_limited"  # 429, or 503 with a Retry-After longer than we wait
    SERVER_ERROR = "server_error"  # 5xx
    HTTP_ERROR = "http_error"  # any other status that is not 2xx
    UNREACHABLE = "unreachable"  # no address, no connection, reset
    TLS_ERROR = "tls_error"  # the certificate or the handshake failed
    TIMEOUT = "timeout"
    TRUNCATED = "truncated"  # the connection ended before the body did
    EMPTY = "empty"  # no body, or a body without any words
    TOO_LARGE = "too_large"  # more bytes than `max_bytes`
    DECOMPRESSION_BOMB = "decompression_bomb"  # few bytes that unpack into too many
    UNREADABLE = "unreadable"  # a PDF that its parser cannot read, or not within its limits
    NOT_A_PAGE = "not_a_page"  # neither HTML, text nor PDF, whatever its header says
    NEEDS_JAVASCRIPT = "needs_javascript"  # an empty shell that a script would fill
    REDIRECT_LOOP = "redirect_loop"
    FORBIDDEN_ADDRESS = "forbidden_address"  # not http(s), or a private address not allowed

    @property
    def is_page(self) -> bool:
        """Whether the page itself was seen, so that what it says may be read."""
        return self in (Health.OK, Health.NOT_MODIFIED)

    @property
    def summary(self) -> str:
        """The word that policies show: `ok`, `unreachable`, `blocked` or `gone`."""
        if self.is_page:
            return "ok"
        if self in (Health.GONE, Health.SOFT_404):
            return "gone"
        if self in _BLOCKED:
            return "blocked"
        return "unreachable"


_BLOCKED = frozenset(
    {
        Health.BOT_CHALLENGE,
        Health.LOGIN_WALL,
        Health.FORBIDDEN,
        Health.ROBOTS,
        Health.RATE_LIMITED,
        Health.NEEDS_JAVASCRIPT,
        Health.FORBIDDEN_ADDRESS,
    }
)


@dataclass(frozen=True, slots=True)
class KnownPage:
    """A page to fetch, with what its last answer gave for a conditional request.

    `sha256` is the hash of the bytes that whoever asks has of it already, in hexadecimal: if they
    come again, they need not be handed on. When the page is gone, its target's site is searched
    for others, if `search_when_gone` is set. `rendered` says that it needed a browser when it was
    last seen: so it is shown in one again, whatever comes from its server.
    """

    url: str
    etag: str | None = None
    last_modified: str | None = None
    search_when_gone: bool = True
    rendered: bool = False
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """One program, or one institution's GME office, to crawl.

    `pages` are fetched as they are. Pages are looked for from `site_urls` when `discover` is
    set, and also when one of `pages` turns out to be gone. A page that several targets share is
    fetched once.
    """

    key: str
    site_urls: tuple[str, ...] = ()
    pages: tuple[KnownPage, ...] = ()
    discover: bool = False


@dataclass(frozen=True, slots=True)
class RenderLimits:
    """What showing pages that need JavaScript may cost, and with which browser."""

    pages: int = 500  # shown in one crawl; 0: none is
    seconds: float = 60.0  # for one page, with all that its scripts ask for
    megabytes: int = 800  # of memory, for a browser with one page
    browser: str = ""  # its path; lacking that, the Chromium that is found
    sandbox: bool = True  # Chromium's own


@dataclass(frozen=True, slots=True)
class Limits:
    """How politely, how far and how long a crawl goes."""

    delay_seconds: float = 1.0  # between two requests to one host
    per_host: int = 1  # requests at a time to one host
    timeout_seconds: float = 30.0  # for one request, from connecting to its last byte
    page_budget: int = 15  # pages fetched to discover one target's pages
    depth: int = 3  # links followed from a site's start page
    max_bytes: int = 10_000_000  # of a body, after decompression
    retries: int = 2  # after a 5xx, a 429 or a broken connection
    retry_after_seconds: float = 120.0  # the longest Retry-After that is waited for
    contact: str = ""  # an e-mail address or URL, named in the user agent
    allow_hosts: tuple[str, ...] = ()  # private or loopback hosts that may be fetched
    render: RenderLimits = RenderLimits()


@dataclass(frozen=True, slots=True)
class Plan:
    """A crawl: its targets and its limits."""

    targets: tuple[Target, ...]
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Fetch:
    """One page as the crawl met it.

    `url` is the address asked for, `final_url` where the answer came from, and
    `moved_permanently` says that every redirect between them was a 301 or 308. `body` holds
    the decoded bytes (no Content-Encoding) when `health` is `OK`, else nothing; where `rendered`
    is set, they are the page as its scripts left it in a browser. They are left out when they are
    the ones that the plan knew of (`same`). `detail` is a
    sentence for people that names what was wrong. `score` is how much a discovered page looks
    like an eligibility page (0 when it was asked for); `discovered` says how it came about.
    """

    targets: tuple[str, ...]
    url: str
    final_url: str
    health: Health
    detail: str = ""
    status: int | None = None
    body: bytes | None = None
    content_type: str = ""
    etag: str | None = None
    last_modified: str | None = None
    moved_permanently: bool = False
    discovered: bool = False
    score: float = 0.0
    title: str = ""
    rendered: bool = False
    same: bool = False
