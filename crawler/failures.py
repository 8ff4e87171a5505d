"""What an exception of the downloader means for the page, in a sentence for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from OpenSSL import SSL
from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from scrapy.utils.httpobj import urlparse_cached
from service_identity.exceptions import VerificationError
from twisted.internet import error as twisted_error
from twisted.python.failure import Failure
from twisted.web.client import ResponseFailed

from crawler.guard import NOT_PUBLIC
from crawler.heads import MAX_HEAD_BYTES, HeadTooLarge, KeptConnectionBroke
from crawler.refusal import Refused
from crawler.values import Health

# RFC 9110 lets an idempotent request be repeated when the connection broke. A timeout is not
# one of these: the host is slow, and asking it again makes it slower.
BROKEN_CONNECTION = (
    DownloadConnectionRefusedError,
    ResponseDataLossError,
    ResponseFailed,
    twisted_error.ConnectionDone,
    twisted_error.ConnectionLost,
)


def explain(error: BaseException, request: Request) -> Refused:
    """Return the health of a request that failed with `error`, and what to tell people."""
    if isinstance(error, Refused):
        return error
    host = urlparse_cached(request).netloc
    if isinstance(error, CannotResolveHostError):
        return _unresolved(urlparse_cached(request).hostname or "")
    if isinstance(error, DownloadTimeoutError | twisted_error.TimeoutError):
        seconds = request.meta.get("download_timeout")
        return Refused(Health.TIMEOUT, f"{host} did not answer in full within {seconds:g} seconds")
    if isinstance(error, DownloadCancelledError):
        return Refused(Health.TOO_LARGE, f"{host} sent more bytes than the limit allows")
    if isinstance(error, ResponseDataLossError):
        return Refused(Health.TRUNCATED, f"the connection to {host} ended before the page did")
    for cause in _causes(error):
        if isinstance(cause, HeadTooLarge):
            detail = f"{host} sent more than {MAX_HEAD_BYTES:,} bytes of headers"
            return Refused(Health.TOO_LARGE, detail)
        if isinstance(cause, SSL.Error | VerificationError | twisted_error.CertificateError):
            return Refused(
                Health.TLS_ERROR, f"no secure connection to {host}: {_tls_reason(cause)}"
            )
    if isinstance(error, DownloadConnectionRefusedError):
        return Refused(Health.UNREACHABLE, f"{host} refused the connection")
    if isinstance(error, ResponseFailed) or _is_broken(error):
        return Refused(Health.UNREACHABLE, f"{host} closed the connection without an answer")
    reason = str(error) or type(error).__name__
    return Refused(Health.UNREACHABLE, f"{host} could not be reached: {reason}")


def is_broken_connection(error: BaseException) -> bool:
    """Whether the connection broke in a way that another attempt may mend."""
    lasting = SSL.Error | VerificationError | HeadTooLarge
    if any(isinstance(cause, lasting) for cause in _causes(error)):
        return False
    return isinstance(error, BROKEN_CONNECTION) or _is_broken(error)


def was_kept_connection(error: BaseException) -> bool:
    """Whether it broke as kept connections do, so that the server may have seen no request."""
    return any(isinstance(cause, KeptConnectionBroke) for cause in (error, *_causes(error)))


def _is_broken(error: BaseException) -> bool:
    return any(isinstance(cause, BROKEN_CONNECTION) for cause in _causes(error))


def _unresolved(host: str) -> Refused:
    from twisted.internet import reactor

    # Our resolver, if a crawl is running: it knows which answers it kept to itself.
    refused: dict[str, str] = getattr(getattr(reactor, "nameResolver", None), "refused", {})
    if host in refused:
        detail = f"{host} leads to {refused[host]}, which {NOT_PUBLIC}"
        return Refused(Health.FORBIDDEN_ADDRESS, detail)
    return Refused(Health.UNREACHABLE, f"no address is known for the host {host}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, what caused it, and the reasons that Twisted lists inside."""
    while error is not None:
        yield error
        for reason in getattr(error, "reasons", None) or ():
            if isinstance(reason, Failure) and reason.value is not None:
                yield reason.value
        error = error.__cause__


def _tls_reason(error: Any) -> str:
    """Say what OpenSSL said: "certificate verify failed"."""
    if isinstance(error, SSL.Error) and error.args and error.args[0]:
        return ", ".join(str(part[-1]) for part in error.args[0] if part)
    if isinstance(error, VerificationError):
        return "the certificate is for another host"
    return str(error) or "the handshake failed"
