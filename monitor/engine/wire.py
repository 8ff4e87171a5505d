"""What goes through the engine, as bytes: units of work, and pages. JSON, validated; no pickle.

A page's bytes go beside its JSON, compressed as the store keeps them. Another version of what
is said here has another `WIRE`, and is refused by name (`Versions`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import zstandard
from pydantic import TypeAdapter, ValidationError

from crawler import Fetch, Limits, Target
from extractors import RULES_VERSION, Statement
from monitor.engine.errors import EngineError
from monitor.reads import ReadFetch
from store.snapshots import Packed

WIRE = 2
_LARGEST = 100_000_000  # bytes of a body, whatever its size is said to be
_decompress = zstandard.ZstdDecompressor().decompress


@dataclass(frozen=True, slots=True)
class Versions:
    """What writer and workers must have alike. `program` is the version of VisaWatch."""

    program: str
    wire: int = WIRE
    rules: str = RULES_VERSION

    def __str__(self) -> str:
        return f"visawatch {self.program}, wire {self.wire}, rules {self.rules}"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of work: what is to be fetched of one host."""

    host: str
    targets: tuple[Target, ...]

    @property
    def urls(self) -> set[str]:
        """The known pages."""
        return {page.url for target in self.targets for page in target.pages}


@dataclass(frozen=True, slots=True)
class _Head:
    """A page without its bytes."""

    fetch: Fetch
    size: int = 0
    sha256: str = ""
    stated: tuple[dict[str, Any], ...] = ()


_units, _heads, _limits = TypeAdapter(Unit), TypeAdapter(_Head), TypeAdapter(Limits)


def dump(value: Unit | Limits) -> bytes:
    """A unit, or the limits of a crawl, as bytes."""
    return json.dumps(_brief(value)).encode()


def unit(data: bytes) -> Unit:
    """The unit that `dump` wrote. Raises EngineError."""
    found: Unit = _checked(_units, data, "a unit of work")
    return found


def limits(data: bytes) -> Limits:
    """The limits that `dump` wrote. Raises EngineError."""
    found: Limits = _checked(_limits, data, "the limits of a crawl")
    return found


def dump_page(page: ReadFetch) -> tuple[bytes, bytes]:
    """A page as two parts: what is known of it, and its compressed bytes."""
    plain = Fetch(**{name: getattr(page, name) for name in Fetch.__slots__})
    packed = page.packed
    if packed is None:
        return json.dumps(_brief(_Head(plain))).encode(), b""
    stated = tuple(statement.to_json() for statement in page.stated)
    head = _Head(replace(plain, body=None), packed.size, packed.sha256.hex(), stated)
    return json.dumps(_brief(head)).encode(), packed.compressed


def page(head: bytes, compressed: bytes) -> ReadFetch:
    """The page that `dump_page` wrote. Raises EngineError."""
    found: _Head = _checked(_heads, head, "a page")
    values = {name: getattr(found.fetch, name) for name in Fetch.__slots__}
    if not found.sha256:
        return ReadFetch(**{**values, "body": None})
    try:
        body = _decompress(compressed, max_output_size=min(found.size, _LARGEST) or 1)
        stated = tuple(Statement.from_json(one) for one in found.stated)
    except (zstandard.ZstdError, KeyError, ValueError, TypeError) as error:
        raise _foreign(f"a page ({found.fetch.url})", str(error)) from error
    digest = hashlib.sha256(body).digest()
    if digest.hex() != found.sha256:
        raise _foreign(f"a page ({found.fetch.url})", "its bytes have another hash")
    packed = Packed(digest, len(body), compressed)
    return ReadFetch(**{**values, "body": body}, packed=packed, stated=stated)


def _brief(value: Any) -> Any:
    """A dataclass as JSON has it, without what is as it is by default."""
    if is_dataclass(value):
        named = ((field, getattr(value, field.name)) for field in fields(value))
        return {field.name: _brief(held) for field, held in named if held != field.default}
    return [_brief(one) for one in value] if isinstance(value, tuple) else value


def _checked(adapter: TypeAdapter[Any], data: bytes, what: str) -> Any:
    try:
        return adapter.validate_python(json.loads(data))
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise _foreign(what, f"{where}: {fault['msg']}") from error
    except ValueError as error:
        raise _foreign(what, str(error)) from error


def _foreign(what: str, why: str) -> EngineError:
    return EngineError(
        f"the engine holds something that is not {what} of this version: {why}. "
        "Give VisaWatch a Redis database of its own"
    )
