"""Which addresses may be fetched: http and https, public hosts, and what the user named.

Page text is hostile: a link, a redirect or a DNS answer may point at this machine or its
network (metadata services, admin pages). The URL is checked before every request, and the
addresses its name resolves to are checked in `crawler.resolver`, which is what the connection
uses, so a second, different DNS answer cannot slip through.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}

# Spellings of IPv4 addresses that inet_aton understands beside the dotted quad: 2130706433,
# 0x7f000001, 0177.0.0.1, 127.1. WHATWG URL: a host whose last label is a number is an IPv4
# address in one of them.
_NUMBER_LABEL = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z", re.IGNORECASE)

# Networks that `is_global` calls global although nothing public lives there, or that carry an
# IPv4 address inside (RFC 6052 NAT64, RFC 3056 6to4, RFC 4380 Teredo).
_REFUSED_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in ("192.88.99.0/24", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)


NOT_PUBLIC = "is not a public address; allow_hosts names those that may be fetched"


class Guard:
    """Knows which hosts may be fetched; `allow_hosts` are exempt: each a host or a host:port.

    They are compared with the host as the URL spells it: allowing 127.0.0.1 does not allow
    localhost, nor any other name that leads there.

    >>> Guard().refusal("http://169.254.169.254/latest")
    '169.254.169.254 is not a public address; allow_hosts names those that may be fetched'
    >>> Guard(["127.0.0.1:8000"]).refusal("http://127.0.0.1:8000/") is None
    True
    """

    def __init__(self, allow_hosts: Iterable[str] = ()) -> None:
        self._allowed = frozenset(host.strip().lower().rstrip("/") for host in allow_hosts)

    def refusal(self, url: str) -> str | None:
        """Say why `url` may not be fetched, by what can be seen in it, or None if it may."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            return "the address is not a valid URL"
        if parts.scheme not in _DEFAULT_PORTS:
            return "the address does not begin with http:// or https://"
        if not host:
            return "the address names no host"
        if parts.username is not None or parts.password is not None:
            return f"the address carries a user name or password for {host}"
        if self.allows_host(host, port or _DEFAULT_PORTS[parts.scheme]):
            return None
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            last = host.rstrip(".").rpartition(".")[2]
            if _NUMBER_LABEL.match(last):
                return f"{host} is a number where a host name should be"
            return None if _is_name(host) else "the address names a host that cannot be"
        return None if is_public(address) else f"{host} {NOT_PUBLIC}"

    def allows_host(self, host: str, port: int) -> bool:
        """Whether the user named this host, with or without the port."""
        host = host.lower()
        if not self._allowed:
            return False
        return (
            host in self._allowed
            or f"{host}:{port}" in self._allowed
            or (f"[{host}]:{port}" in self._allowed)
        )

    def allows_answer(self, host: str, port: int, address: str) -> bool:
        """Whether `address`, an answer of the resolver for `host`, may be connected to."""
        if self.allows_host(host, port):
            return True
        return is_public(ipaddress.ip_address(address.partition("%")[0]))


def _is_name(host: str) -> bool:
    """Whether a name can be asked for: Twisted waits in vain for one that cannot."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return len(host) < 254 and not re.search(r"[\s\\]", host)


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is reachable for everybody: no private, shared or special network."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return False  # no honest DNS answer is one
        if address.is_site_local:
            return False
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(
        address in network for network in _REFUSED_NETWORKS if network.version == address.version
    )
