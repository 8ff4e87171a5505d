"""The outermost layer: which hosts are answered, how much is read, which headers go out."""

from __future__ import annotations

import logging

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web import errors
from web.logs import path_shown
from web.site import site_of

LARGEST_BODY = 64_000  # bytes; forms of ours have a tenth of that

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "frame-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Nothing to other sites; but forms of ours say where they come from (Origin).
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_HSTS = "max-age=31536000"

_log = logging.getLogger(__name__)


class Shield:
    """Wraps the whole app; what goes wrong in it becomes a page that tells nothing of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        settings = site_of(Request(scope)).settings
        scope["root_path"] = settings.prefix  # with it, routes match with the prefix and without
        request, answer = Request(scope), _Answer(send, secure=settings.secure)
        if fault := _fault(request):
            await errors.answer(request, fault)(scope, receive, answer)
            return
        try:
            await self._app(scope, _Bounded(receive), answer)
        except Exception as error:
            if answer.started:
                raise
            _log.exception("%s %s", request.method, path_shown(request))
            await errors.answer(request, error)(scope, receive, answer)


class _Answer:
    """Sends an answer on, with the headers that each has."""

    def __init__(self, send: Send, *, secure: bool) -> None:
        self._send, self._secure = send, secure
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if self._secure:
                headers.setdefault("Strict-Transport-Security", _HSTS)
        await self._send(message)


class _Bounded:
    """Reads a request's body on, and no more of it than is allowed."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._read = receive, 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > LARGEST_BODY:
            raise HTTPException(413)
        return message


def _fault(request: Request) -> HTTPException | None:
    """Why a request is not even looked at, if so."""
    allowed = site_of(request).settings.allowed_hosts
    headers = Headers(scope=request.scope)
    # Who asks by another name was led here by a page of theirs (DNS rebinding).
    if allowed and _host(headers.get("host", "")) not in allowed:
        return HTTPException(400, "This site is not served under that name.")
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > LARGEST_BODY:
        return HTTPException(413)
    return None


def _host(header: str) -> str:
    """The name in a Host header, without the port.

    >>> _host("Visas.example:8000"), _host("[::1]:8000")
    ('visas.example', '[::1]')
    """
    name, colon, port = header.rpartition(":")
    return (name if colon and port.isdecimal() else header).lower()
