"""Bounds the head of an answer: its status line, its headers, and informational answers before it.

Twisted keeps every header line of an answer and answers of status 1xx have no end: a server
could fill memory, and keep the crawl's one thread busy, for as long as the time limit lets it.
"""

from __future__ import annotations

from typing import Any

from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
)
from scrapy.crawler import Crawler
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure
from twisted.web._newclient import (
    HEADER,
    STATUS,
    RequestNotSent,
    RequestTransmissionFailed,
    ResponseNeverReceived,
)

MAX_HEAD_BYTES = 256_000  # about what browsers take


class HeadTooLarge(Exception):
    """The server sent more than `MAX_HEAD_BYTES` before its body."""


class KeptConnectionBroke(ResponseNeverReceived):
    """A connection that had been kept after an answer was closed before the next one began.

    Servers close what is idle, and may do so while a request is on its way.
    """


class _BoundedProtocol(_LenientHTTP11ClientProtocol):
    """One connection; counts what comes while no body does."""

    _head_bytes = 0
    _kept = False  # it has brought an answer before

    def request(self, request: Any) -> Deferred[Any]:
        kept, self._kept = self._kept, True
        answer: Deferred[Any] = super().request(request)
        return answer.addErrback(_of_kept) if kept else answer

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)  # type: ignore[no-untyped-call]
        if getattr(self._parser, "state", None) not in (STATUS, HEADER):
            self._head_bytes = 0
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self._giveUp(Failure(HeadTooLarge()))  # type: ignore[no-untyped-call]


def _of_kept(failure: Failure) -> Failure:
    """What became of a request on a kept connection: no byte came, or another failure."""
    unheard = (RequestNotSent, RequestTransmissionFailed, ResponseNeverReceived)
    if not isinstance(failure.value, unheard):
        return failure
    reasons = getattr(failure.value, "reasons", [])
    if any(isinstance(reason.value, CancelledError) for reason in reasons):
        return failure  # we gave it up ourselves
    return Failure(KeptConnectionBroke(reasons))  # type: ignore[no-untyped-call]


class _BoundedFactory(_LenientHTTP11ClientFactory):
    noisy = False

    def buildProtocol(self, addr: Any) -> _BoundedProtocol:
        return _BoundedProtocol(self._quiescentCallback)  # type: ignore[no-untyped-call]


class BoundedHandler(HTTP11DownloadHandler):
    """Scrapy's handler for http and https, with bounded heads, that sends each request once."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pool._factory = _BoundedFactory
        # Twisted would ask again at once when a kept connection breaks, whatever the host's pace:
        # the retry middleware does it in its time.
        self._pool.retryAutomatically = False
