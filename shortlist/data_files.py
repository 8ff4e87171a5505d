"""Reads the files that a person of the field can edit; a folder of one's own replaces any."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from shortlist.errors import DataError

LARGEST = 1_000_000  # bytes of a file that somebody wrote by hand; ours have a few thousand
_OURS = files("shortlist") / "data"
_T = TypeVar("_T")


def table(name: str, folder: Path | None) -> tuple[str, dict[str, Any]]:
    """A TOML file, by preference that of `folder`: its path and what is in it. Raises DataError."""
    file = _chosen(name, folder)
    return str(file), _parsed(file)


def tables(name: str, folder: Path | None) -> list[tuple[str, dict[str, Any]]]:
    """All TOML files of a subfolder, by name; those of `folder` stand for ours of that name."""
    found: dict[str, Traversable] = {}
    for place in (_OURS / name, *([folder / name] if folder else [])):
        if place.is_dir():
            found.update({f.name: f for f in place.iterdir() if f.name.endswith(".toml")})
    return [(str(found[n]), _parsed(found[n])) for n in sorted(found)]


def text(name: str, folder: Path | None) -> str:
    """A text file, by preference that of `folder`. Raises DataError."""
    file = _chosen(name, folder)
    try:
        return bounded(file)
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: cannot be read as UTF-8 text: {error}") from error


def bounded(file: Traversable | Path) -> str:
    """The text of a file, which may be a device without an end.

    Raises OSError, and ValueError for one that is too large or not UTF-8.
    """
    with file.open("rb") as opened:
        content = opened.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST:,} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("it is no UTF-8 text") from None


def checked(kind: type[_T], values: Mapping[str, Any], where: str) -> _T:
    """The values as a dataclass of this kind. Raises DataError, which names each fault."""
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        raise DataError(f"{where}: {'; '.join(_fault(e) for e in error.errors())}") from error


def _chosen(name: str, folder: Path | None) -> Traversable:
    if folder is not None and not folder.is_dir():
        raise DataError(f"shortlist.folder: there is no folder {folder}")
    mine = folder / name if folder else None
    return mine if mine is not None and mine.is_file() else _OURS / name


def _parsed(file: Traversable) -> dict[str, Any]:
    try:
        return tomllib.loads(bounded(file))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{file}: not valid TOML: {error}") from error


def _fault(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    return f"{place or 'the file'}: {error['msg'].removeprefix('Value error, ')}"
