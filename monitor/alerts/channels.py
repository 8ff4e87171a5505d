"""Channels: webhooks and chats that alerts go to, each an apprise URL with its secrets in it.

    jsons://hooks.example/visas         https://hooks.example/visas (the same, as it is known)
    slack://TOKEN/TOKEN/TOKEN           https://hooks.slack.com/services/...

Which services there are, and what their URLs may hold, is in channels.toml.
"""

from __future__ import annotations

import logging
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from crawler.guard import Guard
from monitor.alerts.errors import AddressError

if TYPE_CHECKING:
    from apprise import NotifyBase

LONGEST = 2000  # characters of a URL
CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 20.0  # how long a service may take


@dataclass(frozen=True, slots=True)
class Service:
    """A service that alerts may be posted to; see channels.toml."""

    name: str
    schemes: tuple[str, ...]
    plugin: str
    options: tuple[str, ...] = ()
    extras: bool = False
    self_hosted: bool = False
    native: bool = False
    webhook: bool = False


def is_channel(address: str) -> bool:
    """Whether alerts to this address are posted, and not mailed."""
    return "://" in address


def shown(address: str) -> str:
    """An address as it may be read by others: without a channel's secrets.

    >>> shown("jsons://me:pw@hooks.example:8443/T0ken?-key=1"), shown("slack://T0ken/a/b")
    ('jsons://hooks.example:8443/…', 'slack://…')
    """
    if not is_channel(address):
        return address
    scheme = address.partition("://")[0].lower()
    service = services().get(scheme)
    host = _host(address) if service and service.self_hosted else ""
    return f"{scheme}://{host}/…" if host else f"{scheme}://…"


def channel(url: str, guard: Guard) -> str:
    """The URL of a channel as it is stored. Raises AddressError, without its secrets.

    The `guard` knows which hosts may be posted to; names are looked up when it is done.
    """
    url = canonical(url)
    service = services().get(url.partition("://")[0].lower())
    if service is None:
        scheme, known = url.partition("://")[0], ", ".join(f"{name}://" for name in services())
        raise AddressError(
            f"'{scheme}://' is nothing that alerts are posted to; known are https://, {known}"
        )
    plugin = opened(url)
    if len(plugin) != 1:
        raise AddressError(
            f"{shown(url)} names {len(plugin)} receivers: subscribe each by itself, so that one "
            "which fails has nothing repeated for the others"
        )
    if service.self_hosted:
        host, port = str(plugin.host).strip("[]"), plugin.port or (443 if plugin.secure else 80)
        bracketed = f"[{host}]" if ":" in host else host
        refusal = guard.refusal(f"{'https' if plugin.secure else 'http'}://{bracketed}:{port}/")
        if refusal:
            raise AddressError(f"{shown(url)}: {refusal}")
    return url


def canonical(url: str) -> str:
    """One spelling for what is the same: an http(s) URL in the scheme of its service.

    That is the one which has such addresses, or else a JSON webhook. Raises AddressError.
    """
    url = url.strip()
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        raise AddressError(
            f"not a URL that alerts can be posted to: it must have at most {LONGEST} characters, "
            "all of them ASCII, and no spaces"
        )
    scheme, _, rest = url.partition("://")
    if scheme.lower() in ("http", "https"):
        return _native(url) or _webhook(url)
    return f"{scheme.lower()}://{rest}"


def opened(url: str) -> NotifyBase:
    """The apprise object of a channel's URL. Raises AddressError, without its secrets."""
    service = services()[url.partition("://")[0].lower()]
    plugin = _plugin(service)
    try:
        parts = plugin.parse_url(url)
        made = plugin(**parts, asset=_asset()) if parts else None
    except Exception:  # noqa: BLE001  # each plugin has its own; all say that the URL is wrong
        made = None
    if made is None:
        raise AddressError(
            f"{shown(url)} is not a URL of {service.name} as apprise knows it: see "
            f"{plugin.setup_url}"
        )
    for option in parts["qsd"]:
        if option not in service.options and not (service.extras and option[:1] in "+-:"):
            raise AddressError(f"{shown(url)}: the option '{option[:30]}' is not allowed")
    made.redirects = False  # each of them would have to be checked like the first
    made.socket_connect_timeout, made.socket_read_timeout = CONNECT_SECONDS, ANSWER_SECONDS
    return cast("NotifyBase", made)


@cache
def services() -> dict[str, Service]:
    """The services by the schemes of their URLs."""
    text = (files("monitor.alerts") / "channels.toml").read_text("utf-8")
    found = {}
    for name, table in tomllib.loads(text).items():
        lists = {key: tuple(value) for key, value in table.items() if isinstance(value, list)}
        service = Service(name=name, **{**table, **lists})
        found.update(dict.fromkeys(service.schemes, service))
    return found


def _plugin(service: Service) -> Any:
    """The one class that is needed: asking apprise by URL would load all of its two hundred."""
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it may quote what is secret
    module, name = service.plugin.split(":")
    return getattr(import_module(f"apprise.plugins.{module}"), name)


def _asset() -> Any:
    from apprise import AppriseAsset

    return AppriseAsset(
        app_id="VisaWatch",
        app_desc="VisaWatch",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        http_redirects=False,
        async_mode=False,
    )


def _native(url: str) -> str:
    """The URL in the scheme of the service that has such addresses; empty if none has."""
    for service in dict.fromkeys(services().values()):
        if service.native:
            plugin = _plugin(service)
            parts = plugin.parse_native_url(url)
            if parts:
                return str(plugin(**parts, asset=_asset()).url()).partition("?")[0]
    return ""


def _webhook(url: str) -> str:
    """An http(s) URL as that of a JSON webhook."""
    try:
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise AddressError("not a URL that can be read") from None
    if parts.fragment or not parts.hostname:
        raise AddressError("the URL of a webhook has a host, and no '#'")
    scheme = "jsons" if parts.scheme == "https" else "json"
    extras = urlencode([(f"-{key}", value) for key, value in query], quote_via=quote)
    return f"{scheme}://{parts.netloc}{parts.path}" + (f"?{extras}" if extras else "")


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    return f"{host}:{port}" if port else host
