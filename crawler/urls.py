"""URLs: joined, made canonical for comparison, and told apart by site."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

if TYPE_CHECKING:
    from tldextract import TLDExtract

# Parameters that say where a visitor came from or who they are, never which page it is.
_TRACKING = re.compile(
    r"utm_\w+|gclid|gclsrc|dclid|fbclid|msclkid|mc_[ce]id|_ga|_gl|_hs\w+|igshid|yclid|vero_id"
    r"|phpsessid|jsessionid|aspsessionid\w*|sessionid|session_id|cfid|cftoken|sid",
    re.IGNORECASE,
)
_SESSION_IN_PATH = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/?;]*", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def join(base: str, reference: str) -> str:
    """Return the address that `reference` means on the page `base`, without its fragment.

    >>> join("https://gme.example.edu/a/b", "../apply#how")
    'https://gme.example.edu/apply'
    """
    try:
        joined = urljoin(base, _CONTROL.sub("", reference.strip()))
        return urlunsplit(urlsplit(joined)._replace(fragment=""))
    except ValueError:
        return ""


def canonical(url: str) -> str:
    """Return the form of a URL by which pages are compared, and discovered ones are asked for.

    Fragment, default port, tracking parameters and session ids go; the host is lower case.

    >>> canonical("HTTPS://GME.Example.edu:443/apply;jsessionid=1F?utm_source=x&page=2#top")
    'https://gme.example.edu/apply?page=2'
    """
    try:
        parts = urlsplit(url.strip())
        netloc = parts.netloc.lower()
    except ValueError:
        return url
    scheme = parts.scheme.lower()
    default = {"http": ":80", "https": ":443"}.get(scheme)
    if default:
        netloc = netloc.removesuffix(default)
    path = _SESSION_IN_PATH.sub("", parts.path) or "/"
    query = parts.query
    if query:
        pairs = parse_qsl(query, keep_blank_values=True)
        kept = [(name, value) for name, value in pairs if not _TRACKING.fullmatch(name)]
        # Only rewritten where something goes: some servers mind how a query is spelled.
        query = query if len(kept) == len(pairs) else urlencode(kept)
    return urlunsplit((scheme, netloc, path, query, ""))


def host_of(url: str) -> str:
    """Return the name of a URL's host; empty if it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def site_root(url: str) -> str:
    """Return the start page of a URL's site: `https://gme.example.edu/`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}/"


def site_of(url: str) -> str:
    """Return what two pages of one institution share.

    The registrable domain by the Public Suffix List, which is bundled and never fetched, or
    host:port where there is none (IP addresses, localhost).

    >>> site_of("https://gme.medicine.example.edu/apply")
    'example.edu'
    >>> site_of("http://127.0.0.1:8000/apply")
    '127.0.0.1:8000'
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return ""
    return _registrable(host) or parts.netloc.lower()


@cache
def _registrable(host: str) -> str:
    known = _suffixes().extract_str(host)
    if known.top_domain_under_public_suffix or known.ipv4 or known.ipv6 or "." not in host:
        return known.top_domain_under_public_suffix
    return ".".join(host.rstrip(".").split(".")[-2:])  # the list's default rule: *


@cache
def _suffixes() -> TLDExtract:
    from tldextract import TLDExtract  # takes a seventh of a second, and only discovery needs it

    return TLDExtract(suffix_list_urls=(), cache_dir=None)
