"""The DNS resolver of the crawl: cached, IPv4 and IPv6, and deaf to private answers.

Twisted connects to the very addresses that come out of here, literal ones included, so this is
the place that no redirect, odd spelling or rebinding name gets around.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scrapy.resolver import CachingHostnameResolver
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IResolutionReceiver,
)
from zope.interface import implementer  # type: ignore[import-untyped]  # has no stubs
from zope.interface.declarations import provider  # type: ignore[import-untyped]  # has no stubs

from crawler.guard import Guard


@provider(IResolutionReceiver)
class _PublicOnly:
    """Passes on the answers that the guard allows, and remembers the others."""

    def __init__(self, receiver: Any, resolver: GuardedResolver, host: str, port: int) -> None:
        self._receiver = receiver
        self._resolver = resolver
        self._host = host
        self._port = port

    def resolutionBegan(self, resolution: IHostResolution) -> None:
        self._receiver.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:
        if self._resolver.guard.allows_answer(self._host, self._port, address.host):
            self._receiver.addressResolved(address)
        else:
            self._resolver.refused[self._host] = address.host

    def resolutionComplete(self) -> None:
        self._receiver.resolutionComplete()


@implementer(IHostnameResolver)
class GuardedResolver(CachingHostnameResolver):
    """Scrapy's caching resolver, which hands on public and allowed addresses only.

    The cache below holds all answers: what is allowed depends on the port too, so it is decided
    anew for each connection. `refused` maps a host to a refused answer, so that a failed
    connection can be explained.
    """

    def __init__(self, reactor: Any, cache_size: int, guard: Guard) -> None:
        super().__init__(reactor, cache_size)
        self.guard = guard
        self.refused: dict[str, str] = {}

    @classmethod
    def from_crawler(cls, crawler: Any, reactor: Any) -> GuardedResolver:
        """Build it from the settings DNSCACHE_ENABLED, DNSCACHE_SIZE and ALLOW_HOSTS."""
        settings = crawler.settings
        size = settings.getint("DNSCACHE_SIZE") if settings.getbool("DNSCACHE_ENABLED") else 0
        return cls(reactor, size, Guard(settings.getlist("ALLOW_HOSTS")))

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """See `IHostnameResolver.resolveHostName`."""
        guarded: Any = _PublicOnly(resolutionReceiver, self, hostName, portNumber)
        return super().resolveHostName(
            guarded, hostName, portNumber, addressTypes, transportSemantics
        )
