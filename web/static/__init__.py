"""The files that pages load: read once, and named by their content, so that they never age."""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is served; `hashed` is its name with a part of its SHA-256 in it."""

    hashed: str
    content_type: str
    body: bytes


def _file(name: str, body: bytes) -> File:
    stem, _, ending = name.partition(".")
    digest = hashlib.sha256(body).hexdigest()[:16]
    kind = mimetypes.types_map.get(f".{ending}", "application/octet-stream")
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    return File(f"{stem}.{digest}.{ending}", kind, body)


FILES = {
    path.name: _file(path.name, path.read_bytes())
    for path in files(__name__).iterdir()
    if path.name.endswith((".css", ".js", ".svg"))
}
BY_HASHED = {file.hashed: file for file in FILES.values()}
