"""The connection to Redis: checked when it is made, and patient when the server is away."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from monitor.engine.errors import EngineError, RunOver
from monitor.engine.server import Server, faults, server_of

PATIENCE_SECONDS = 300.0  # for a server that is away, or full
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0  # seconds between two tries
_FORM = "write redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], rediss:// for TLS, or unix://PATH"
# Answers of a server that will be able to later: full, its disk full, loading, failing over.
_LATER = ("OOM ", "MISCONF ", "LOADING ", "READONLY ", "MASTERDOWN ", "BUSY ", "TRYAGAIN ")

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(slots=True)
class Link:
    """A Redis client that waits for its server to come back.

    Every command that is given to it may run twice, when the answer to the first was lost.
    """

    redis: Any
    shown: str  # the address, without a password
    patience: float = PATIENCE_SECONDS
    gives_up: Callable[[], bool] = field(default=lambda: False)  # e.g. when asked to stop

    def do(self, command: Callable[[Any], T]) -> T:
        """Run a command on the client. Raises EngineError; RunOver for a stream that is gone."""
        began, pause, told = time.monotonic(), _SHORTEST_PAUSE, False
        while True:
            try:
                result = command(self.redis)
            except Exception as error:
                why = _passing(error)
                if why is None:
                    raise _said(self.shown, error) from error
                if self.gives_up() or time.monotonic() - began > self.patience:
                    raise EngineError(f"{self.shown} does not answer: {why}") from error
                if not told:
                    log.warning("%s does not answer, waiting for it: %s", self.shown, why)
                    told = True
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            if told:
                log.warning("%s answers again", self.shown)
            return result

    def script(self, text: str) -> Callable[..., Any]:
        """A Lua script, to be called inside `do` with keys and args."""
        script: Callable[..., Any] = self.redis.register_script(text)
        return script

    def close(self) -> None:
        """Close its connections."""
        self.redis.close()


def connect(url: str, *, gives_up: Callable[[], bool] = lambda: False) -> Link:
    """The link to the server at `url`, which was seen to be of use. Raises EngineError."""
    link, server = reach(url, gives_up=gives_up)
    for fault in faults(server):
        said = f"{link.shown} {fault.found}: {fault.do}"
        if fault.fatal:
            link.close()
            raise EngineError(said)
        log.warning("%s", said)
    return link


def reach(url: str, *, gives_up: Callable[[], bool]) -> tuple[Link, Server]:
    """The link to the server at `url`, whatever it is like. Raises EngineError."""
    try:
        import redis
    except ImportError:
        raise EngineError(
            "an engine needs Redis's client, which is not installed: "
            "`pip install 'visawatch[engine]'` installs it"
        ) from None
    shown = _shown(url)
    try:
        # RESP2, whose answers are the same for all versions of servers; 1 s is the longest BLOCK.
        client = redis.Redis.from_url(
            url, protocol=2, socket_timeout=10, socket_connect_timeout=5, health_check_interval=30
        )
    except ValueError as error:
        raise EngineError(f"{shown} is no address of an engine ({error}): {_FORM}") from None
    try:
        server = server_of(client.info())
    except redis.exceptions.AuthenticationError as error:
        raise EngineError(
            f"{shown} wants another user or password ({error}): give them in the address, better "
            "by environment (VISAWATCH_ENGINE__URL)"
        ) from None
    except redis.exceptions.RedisError as error:
        raise EngineError(
            f"no Redis server answers at {shown} ({error}): start one, or correct the address"
        ) from None
    return Link(client, shown, gives_up=gives_up), server


def _passing(error: Exception) -> str | None:
    """Why a command failed, if it may be given again later."""
    import redis

    if isinstance(error, redis.exceptions.AuthenticationError):
        return None
    if isinstance(error, redis.exceptions.ConnectionError | redis.exceptions.TimeoutError):
        return str(error)
    if isinstance(error, redis.exceptions.OutOfMemoryError):
        return "its memory is full"
    if isinstance(error, redis.exceptions.RedisError) and str(error).startswith(_LATER):
        return str(error)
    return None


def _said(shown: str, error: Exception) -> Exception:
    import redis

    if isinstance(error, redis.exceptions.RedisError):
        kind = RunOver if "NOGROUP" in str(error) else EngineError
        return kind(f"{shown}: {error}")
    return error


def _shown(url: str) -> str:
    """The address without what may be a secret."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return "the engine" if "@" in url else repr(url)
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        return f"{scheme}://{host}{parts.path}"
    except ValueError:
        return f"{scheme}://{rest.rpartition('@')[2]}"
