"""Settings: visawatch.toml, the environment (VISAWATCH_MAIL__SMTP_URL ...), and defaults."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

_PREFIX = "VISAWATCH_"  # of environment variables
_URLS = (
    ("mail", "smtp_url"),
    ("verify", "imap_url"),
    ("engine", "url"),
)  # which may hold a password


class ConfigError(Exception):
    """A settings file or variable that cannot be used, named with the way out."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CrawlSettings(_Section):
    """How politely and how far pages are fetched."""

    contact: str = ""
    delay_seconds: float = Field(default=1.0, ge=0)
    per_host: int = Field(default=1, ge=1)
    timeout_seconds: float = Field(default=30, gt=0)
    page_budget: int = Field(default=15, ge=1)
    depth: int = Field(default=3, ge=0)
    max_bytes: int = Field(default=10_000_000, ge=1000)
    allow_hosts: tuple[str, ...] = ()


class RenderSettings(_Section):
    """How pages that need JavaScript are shown, and what that may cost."""

    pages: int = Field(default=500, ge=0)
    seconds: float = Field(default=60, gt=0)
    megabytes: int = Field(default=800, ge=400)
    browser: str = ""
    sandbox: bool = True


class MonitorSettings(_Section):
    """When a cycle runs, and how sure it has to be."""

    confirm_delay_seconds: float = Field(default=60, ge=0)
    withdraw_cycles: int = Field(default=2, ge=1)
    stale_after_cycles: int = Field(default=3, ge=1)
    nightly_at: str = Field(default="02:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    flap_reversals: int = Field(default=3, ge=1)
    flap_days: int = Field(default=14, ge=1)
    flap_stable_cycles: int = Field(default=7, ge=1)
    wave_institutions: int = Field(default=5, ge=2)
    wave_days: int = Field(default=7, ge=1)
    wave_chance: float = Field(default=0.0001, gt=0, lt=1)


class MailSettings(_Section):
    """Where alerts go: an SMTP server, or a Maildir when `smtp_url` is empty."""

    smtp_url: str = ""
    sender: str = ""
    maildir: str = "mail"
    maintainers: tuple[str, ...] = ()


class WebSettings(_Section):
    """Where the review room and the public pages are served."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    workers: int = Field(default=2, ge=1, le=64)
    base_url: str = ""
    metrics_token: str = ""


class ShortlistSettings(_Section):
    """The files of the calendar, the rules of the land, weights and steps."""

    folder: str = ""

    @property
    def path(self) -> Path | None:
        """The folder with files of one's own, if there is one."""
        return Path(self.folder) if self.folder else None


class VerifySettings(_Section):
    """How coordinators are asked, and where their answers come in."""

    imap_url: str = ""
    template: str = ""


class EngineSettings(_Section):
    """Where workers are told what to fetch, and how long one that is silent is waited for."""

    url: str = ""
    lease_seconds: float = Field(default=15, ge=2, le=600)


class LogSettings(_Section):
    """How a process says what it does, on standard error."""

    format: Literal["text", "json"] = "text"


class Config(BaseSettings):
    """All settings; the environment wins over the file."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    crawl: CrawlSettings = CrawlSettings()
    render: RenderSettings = RenderSettings()
    monitor: MonitorSettings = MonitorSettings()
    mail: MailSettings = MailSettings()
    web: WebSettings = WebSettings()
    shortlist: ShortlistSettings = ShortlistSettings()
    verify: VerifySettings = VerifySettings()
    engine: EngineSettings = EngineSettings()
    log: LogSettings = LogSettings()


def load(path: Path | None) -> Config:
    """The settings in the file at `path`, if there is one, and in the environment.

    Raises ConfigError for a file that is not TOML, an unknown key or variable, or a value out
    of range.
    """

    class FromFile(Config):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            if path is None:
                return (env_settings,)
            return (env_settings, TomlConfigSettingsSource(settings_cls, path))

    variables = sorted(name for name in os.environ if name.upper().startswith(_PREFIX))
    for variable in variables:
        section = variable[len(_PREFIX) :].partition("__")[0].lower()
        if section not in Config.model_fields:
            raise ConfigError(
                f"unknown variable {variable}: after {_PREFIX} comes a section, two underscores "
                "and a key (docs/configuration.md lists them all)"
            )
    name = " or ".join([*([str(path)] if path else []), *variables])
    try:
        return FromFile()
    except ValidationError as error:
        faults = "; ".join(_fault(e["loc"], e["type"], e["msg"]) for e in error.errors())
        raise ConfigError(f"{name}: {faults}") from error
    except SettingsError as error:
        raise ConfigError(
            f"{', '.join(variables)}: {error.__cause__}; a list, and a whole section, is written "
            'as JSON: ["a.example"]'
        ) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{name}: not valid TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{name}: cannot be read: {error.strerror}") from error


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


def _fault(location: tuple[int | str, ...], kind: str, message: str) -> str:
    key = ".".join(str(part) for part in location)
    if kind == "extra_forbidden":
        return f"unknown key '{key}' (docs/configuration.md lists them all)"
    return f"'{key}': {message}"
