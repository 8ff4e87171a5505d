"""Who a visitor of the review room is: signed in with a cookie, or at this very machine.

The cookie is a random value, of which the database keeps a hash. A visitor has one before logging
in, too, and gets another one then. A form carries a token that is derived from it, so that no
other site can send one in a visitor's name.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response

from store import users
from store.errors import StoreLocked
from store.records import User, stamp
from web import passwords
from web.site import Site, site_of

IDLE = timedelta(hours=2)  # a session that was left so long is over
LONGEST = timedelta(hours=12)  # however much it is used
SET_BACK = timedelta(minutes=5)  # by which a clock may be set back without anybody's notice
_NOTED_EVERY = timedelta(minutes=1)  # so that not every page is a write

# Log-ins that may fail in this time: by one address with one name, by one address, of one name.
FAILURES_IN = timedelta(minutes=15)
_MOST = {"both": 5, "address": 30, "name": 50}

_log = logging.getLogger(__name__)

LOCAL = "local"  # by whom decisions are at this machine, while there are no users


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody in the review room, or at its door: then `role` is empty.

    `fresh`: the cookie is new, and has to be sent. `local`: there are no users, and this visitor
    is at the machine that serves.
    """

    name: str
    role: str
    cookie: str
    fresh: bool = False
    local: bool = False

    @property
    def form(self) -> str:
        """The token of this visitor's forms."""
        return hmac.new(self.cookie.encode(), b"form", hashlib.sha256).hexdigest()

    def sent(self, token: object) -> bool:
        """Whether a form with this token is this visitor's."""
        return isinstance(token, str) and hmac.compare_digest(token.encode(), self.form.encode())


def visitor_of(request: Request) -> Visitor:
    """Who sends a request. Raises StoreError."""
    site = site_of(request)
    given = request.cookies.get(_cookie_name(request), "")
    cookie = given or secrets.token_urlsafe(32)
    now = site.now()
    with site.reading() as store:
        if not users.exist(store) and is_local(request):
            return Visitor(LOCAL, "admin", cookie, fresh=not given, local=True)
        user = users.signed_in(
            store,
            _hash(cookie),
            stamp(now - LONGEST),
            stamp(now - IDLE),
            stamp(now + SET_BACK),
        )
    if user is None:
        return Visitor("", "", cookie, fresh=not given)
    if (user.seen_at or "") < stamp(now - _NOTED_EVERY):
        _note(site, cookie)
    return Visitor(user.name, user.role, cookie)


def log_in(request: Request, name: str, password: str) -> Visitor | None:
    """Begins a session under a new cookie; None when name or password are wrong.

    Raises TooMany. Takes as long for a name that nobody has.
    """
    site, now = site_of(request), site_of(request).now()
    keys = _keys(request, name)
    with site.writing() as store:
        since, until = stamp(now - FAILURES_IN), stamp(now + SET_BACK)
        counts = {kind: users.failures(store, key, since, until) for kind, key in keys.items()}
        if any(count >= _MOST[kind] for kind, count in counts.items()):
            raise TooMany
        # Counted before it is tried, so that many at once are counted, too.
        users.failed(store, keys.values(), stamp(now), since)
        user = users.find(store, name)
    if not passwords.matches(password, user.password if user else None) or user is None:
        if any(count + 1 == _MOST[kind] for kind, count in counts.items()):
            _log.warning(
                "log-ins from %s are stopped for a while: too many failed", _address(request)
            )
        return None
    cookie = secrets.token_urlsafe(32)
    with site.writing() as store:
        if not _still(users.find(store, name), user):
            return None
        users.forgive(store, keys.values(), stamp(now))
        users.sign_out(store, _hash(request.cookies.get(_cookie_name(request), "")))
        users.forget_sessions(store, stamp(now - LONGEST), stamp(now - IDLE))
        users.sign_in(store, user, _hash(cookie), stamp(now))
    return Visitor(user.name, user.role, cookie, fresh=True)


class TooMany(Exception):
    """Too many log-ins have failed; nothing more is tried for a while."""


def log_out(request: Request, visitor: Visitor) -> None:
    """Ends the visitor's session."""
    with site_of(request).writing() as store:
        users.sign_out(store, _hash(visitor.cookie))


def send_cookie(request: Request, response: Response, visitor: Visitor) -> None:
    """Gives the visitor the cookie; it ends with the browser."""
    response.set_cookie(
        _cookie_name(request),
        visitor.cookie,
        path=f"{site_of(request).settings.prefix}/review",
        secure=needs_https(request),
        httponly=True,
        samesite="lax",
    )


def needs_https(request: Request) -> bool:
    """Whether the cookie is for https alone: everywhere but on plain http at loopback."""
    return request.url.scheme == "https" or not _is_loopback(request.url.hostname)


def is_local(request: Request) -> bool:
    """Whether it comes from this machine, and to it.

    Never where a public name is set: then a proxy, which is at this machine, too, may have sent
    it. Never under another name: then a page of somebody else's may have (DNS rebinding).
    """
    named = urlsplit(site_of(request).settings.base_url).hostname
    return (
        _is_loopback(_address(request))
        and _is_loopback(request.url.hostname)
        and (named is None or _is_loopback(named))
        and not any(name in request.headers for name in ("forwarded", "via", "x-real-ip"))
        and request.scope["http_version"] != "1.0"  # as nginx asks, which may name nobody
    )


def _is_loopback(host: str | None) -> bool:
    try:
        return ipaddress.ip_address((host or "").strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _cookie_name(request: Request) -> str:
    return "__Secure-visawatch" if needs_https(request) else "visawatch"


def _hash(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _keys(request: Request, name: str) -> dict[str, str]:
    address = _address(request)
    who = hashlib.sha256(name.casefold().encode()).hexdigest()  # people type passwords there
    return {"both": f"{address} {who}", "address": address, "name": who}


def _still(now: User | None, before: User) -> bool:
    return now is not None and (now.id, now.password) == (before.id, before.password)


def _note(site: Site, cookie: str) -> None:
    try:
        with site.writing() as store:
            users.seen(store, _hash(cookie), stamp(site.now()))
    except StoreLocked:
        pass  # noted with the next page
