"""Writes docs/licences.md: the licence of each package in requirements.lock. `make licences`.

A package with a licence that docs/licences.toml does not allow, or with none that can be read,
ends it with what to do. A test holds that the file is as this makes it.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.markers import Marker

HERE = Path(__file__).parent
LOCK = HERE.parent / "requirements.lock"
WRITTEN = HERE / "licences.md"
KNOWN = tomllib.loads((HERE / "licences.toml").read_text("utf-8"))
_PINNED = re.compile(r"^([a-z0-9][a-z0-9.-]*)==(\S+)(?: ; ([^\\\n]+))?", re.MULTILINE)
_WORDS = re.compile(r"\s+(?:AND|OR)\s+")
_HEAD = """\
# Licences

VisaWatch stands on these packages, with the versions of `requirements.lock` for CPython 3.11 on
Linux; what only developers need is among them. `make licences` writes this list from the packages'
own words and stops at a licence that asks for more than to be named (or, as the MPL does, to pass
on changes of its own files). `make sbom` writes `build/sbom.json` (CycloneDX) with all of them.

Beside them: the second reader's weights, in `extractors/second`, begin with those of
all-MiniLM-L6-v2 (Apache-2.0), and tldextract brings the Public Suffix List (MPL-2.0).

| package | version | licence |
| --- | --- | --- |
"""


class LicenceError(Exception):
    """A package whose licence is not known, or not allowed."""


def licence(package: str) -> str:
    """The licence of an installed package, in the words of spdx.org. Raises LicenceError."""
    found = KNOWN["packages"].get(package) or _own(package)
    for name in _WORDS.split(found):
        if name not in KNOWN["allowed"]:
            raise LicenceError(
                f"{package}: {name or 'no licence'!r} is not allowed; read its licence file, then "
                "name what it is in docs/licences.toml, or do without the package"
            )
    return found


def _own(package: str) -> str:
    """What a package says of itself: best as an expression, else as a word, else as a class."""
    try:
        said = metadata.metadata(package)
    except metadata.PackageNotFoundError:
        return ""
    if expression := said.get("License-Expression"):
        return str(expression)
    classes = [c.rpartition(" :: ")[2] for c in said.get_all("Classifier") or () if "License" in c]
    words = [str(said.get("License") or "").strip(), *classes]
    spelt = [KNOWN["spelt"].get(word, word) for word in words]
    return next((word for word in spelt if _WORDS.split(word)[0] in KNOWN["allowed"]), words[0])


def text() -> str:
    """The file. Raises LicenceError."""
    return _HEAD + "".join(f"| {name} | {version} | {what} |\n" for name, version, what in rows())


def rows() -> Iterator[tuple[str, str, str]]:
    """Each package's name, version and licence. Raises LicenceError."""
    for name, version, marker in sorted(_PINNED.findall(LOCK.read_text("utf-8"))):
        if not marker or Marker(marker).evaluate():
            yield name, version, licence(name)


if __name__ == "__main__":
    try:
        WRITTEN.write_text(text(), "utf-8")
    except LicenceError as error:
        sys.exit(str(error))
