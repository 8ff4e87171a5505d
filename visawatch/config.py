"""Settings: visawatch.toml, the environment (VISAWATCH_MAIL__SMTP_URL ...), and defaults."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import unquote, urlsplit

from msgspec import Meta, ValidationError, convert

_PREFIX = "VISAWATCH_"  # of environment variables
_URLS = (
    ("mail", "smtp_url"),
    ("verify", "imap_url"),
    ("engine", "url"),
)  # which may hold a password


class ConfigError(Exception):
    """A settings file or variable that cannot be used, named with the way out."""


Count = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]


@dataclass(frozen=True, slots=True)
class CrawlSettings:
    """How politely and how far pages are fetched."""

    contact: str = ""
    delay_seconds: NotNegative = 1.0
    per_host: Count = 1
    timeout_seconds: Positive = 30.0
    page_budget: Count = 15
    depth: Annotated[int, Meta(ge=0)] = 3
    max_bytes: Annotated[int, Meta(ge=1000)] = 10_000_000
    allow_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RenderSettings:
    """How pages that need JavaScript are shown, and what that may cost."""

    pages: Annotated[int, Meta(ge=0)] = 500
    seconds: Positive = 60.0
    megabytes: Annotated[int, Meta(ge=400)] = 800
    browser: str = ""
    sandbox: bool = True


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """When a cycle runs, and how sure it has to be."""

    confirm_delay_seconds: NotNegative = 60.0
    withdraw_cycles: Count = 2
    stale_after_cycles: Count = 3
    nightly_at: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "02:00"
    flap_reversals: Count = 3
    flap_days: Count = 14
    flap_stable_cycles: Count = 7
    wave_institutions: Annotated[int, Meta(ge=2)] = 5
    wave_days: Count = 7
    wave_chance: Annotated[float, Meta(gt=0, lt=1)] = 0.0001


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Where alerts go: an SMTP server, or a Maildir when `smtp_url` is empty."""

    smtp_url: str = ""
    sender: str = ""
    maildir: str = "mail"
    maintainers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where the review room and the public pages are served."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8000
    workers: Annotated[int, Meta(ge=1, le=64)] = 2
    base_url: str = ""
    metrics_token: str = ""


@dataclass(frozen=True, slots=True)
class ShortlistSettings:
    """The files of the calendar, the rules of the land, weights and steps."""

    folder: str = ""

    @property
    def path(self) -> Path | None:
        """The folder with files of one's own, if there is one."""
        return Path(self.folder) if self.folder else None


@dataclass(frozen=True, slots=True)
class VerifySettings:
    """How coordinators are asked, and where their answers come in."""

    imap_url: str = ""
    template: str = ""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Where workers are told what to fetch, and how long one that is silent is waited for."""

    url: str = ""
    lease_seconds: Annotated[float, Meta(ge=2, le=600)] = 15.0


@dataclass(frozen=True, slots=True)
class LogSettings:
    """How a process says what it does, on standard error."""

    format: Literal["text", "json"] = "text"


@dataclass(frozen=True, slots=True)
class Config:
    """All settings; the environment wins over the file."""

    crawl: CrawlSettings = CrawlSettings()
    render: RenderSettings = RenderSettings()
    monitor: MonitorSettings = MonitorSettings()
    mail: MailSettings = MailSettings()
    web: WebSettings = WebSettings()
    shortlist: ShortlistSettings = ShortlistSettings()
    verify: VerifySettings = VerifySettings()
    engine: EngineSettings = EngineSettings()
    log: LogSettings = LogSettings()


_SECTIONS: Mapping[str, Any] = get_type_hints(Config)


def load(path: Path | None) -> Config:
    """The settings in the file at `path`, if there is one, and in the environment.

    Raises ConfigError for a file that is not TOML, an unknown key or variable, or a value out
    of range; it names all of them.
    """
    given = _of_file(path) if path else {}
    variables = sorted(name for name in os.environ if name.upper().startswith(_PREFIX))
    for variable in sorted(variables, key=lambda name: "__" in name):  # a single key wins
        _override(given, variable)
    faults: list[str] = []
    sections = {}
    for name, values in given.items():
        if name not in _SECTIONS:
            faults.append(_unknown(name))
        elif not isinstance(values, dict):
            faults.append(f"'{name}': Expected a section, got {values!r:.40}")
        else:
            checked = _checked(name, values, faults)
            sections[name] = _SECTIONS[name](**checked)
    if faults:
        name = " or ".join([*([str(path)] if path else []), *variables])
        raise ConfigError(f"{name}: {'; '.join(faults)}")
    return Config(**sections)


def _of_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode())
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def _override(given: dict[str, Any], variable: str) -> None:
    """Put what a variable says in the place of what the file says."""
    section, _, key = variable[len(_PREFIX) :].lower().partition("__")
    if section not in _SECTIONS:
        raise ConfigError(
            f"unknown variable {variable}: after {_PREFIX} comes a section, two underscores "
            "and a key (docs/configuration.md lists them all)"
        )
    value: Any = os.environ[variable]
    listed = get_origin(_types(section).get(key)) is tuple
    if listed or not key:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise ConfigError(
                f"{variable}: {error}; a list, and a whole section, is written as JSON: "
                '["a.example"]'
            ) from error
    changed: Any = {key: value} if key else value
    before = given.get(section)
    if isinstance(before, dict) and isinstance(changed, dict):
        changed = {**before, **changed}
    given[section] = changed


def _checked(section: str, values: Mapping[str, Any], faults: list[str]) -> dict[str, Any]:
    """The values of a section as their types want them; what is wrong is added to `faults`."""
    types, checked = _types(section), {}
    for key, value in values.items():
        if key not in types:
            faults.append(_unknown(f"{section}.{key}"))
            continue
        try:
            checked[key] = convert(value, types[key], strict=False)  # a variable is text
        except UnicodeError:  # of a variable, which may be any bytes
            faults.append(f"'{section}.{key}': is not UTF-8")
        except ValidationError as error:
            choice = get_args(types[key]) if get_origin(types[key]) is Literal else ()
            others = f", it is {' or '.join(choice)}" if choice else ""
            faults.append(f"'{section}.{key}': {error}{others}")
    return checked


@cache
def _types(section: str) -> Mapping[str, Any]:
    return get_type_hints(_SECTIONS[section], include_extras=True)


def _unknown(key: str) -> str:
    return f"unknown key '{key}' (docs/configuration.md lists them all)"


def exposure(path: Path) -> str:
    """A warning of a settings file that holds a secret and can be read by others; "" if none."""
    held = secrets_in(path)
    if not held or not readable_by_others(path):
        return ""
    return (
        f"every user of this machine can read {', '.join(held)} in {path}: `chmod o-rwx {path}` "
        "keeps it from them; or set it by environment"
    )


def secrets_in(file: Path) -> list[str]:
    """The names of the settings in a file that hold a secret. Raises OSError, ValueError."""
    data = tomllib.loads(file.read_text("utf-8"))
    held = [f"{a}.{b}" for a, b in _URLS if urlsplit(data.get(a, {}).get(b, "")).password]
    return held + ["web.metrics_token"] * bool(data.get("web", {}).get("metrics_token"))


def secrets_of(config: Config) -> frozenset[str]:
    """The passwords and tokens in the settings, as they are written and as they are used."""
    urls = (config.mail.smtp_url, config.verify.imap_url, config.engine.url)
    passwords = {urlsplit(url).password or "" for url in urls}
    return frozenset({*passwords, *map(unquote, passwords), config.web.metrics_token} - {""})


def readable_by_others(path: Path) -> bool:
    """Whether any user of this machine can read a file: it, and all folders above, let them."""
    path = path.resolve()
    return bool(path.stat().st_mode & 0o004) and all(
        folder.stat().st_mode & 0o001 for folder in path.parents
    )
