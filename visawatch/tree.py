"""A folder of files that we write anew again and again, and whose readers never see half of one."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import click

LIST = ".visawatch.json"  # which files of the folder are ours
_PART = ".part"  # the end of the name of a file that is being written


def replace_all(folder: Path, files: Mapping[str, bytes]) -> tuple[int, int]:
    """Makes the folder hold exactly these files of ours; gives how many were written and removed.

    The names are relative paths with slashes. A file with the same bytes is left as it is; every
    other is put into its place whole. Files that are not ours are never touched: what we wrote
    is listed in the folder, before it is written, so that a run that was killed is tidied up by
    the next one. Raises ClickException for one in our way, and OSError.
    """
    ours = _listed(folder)
    for name in files:
        path = folder / name
        if name not in ours and path.exists() and path.read_bytes() != files[name]:
            raise click.ClickException(
                f"{path} is there and was not written by VisaWatch: nothing was exported. "
                "Move it away, or name another folder."
            )
    folder.mkdir(parents=True, exist_ok=True)
    _list(folder, ours | set(files))
    written = sum([_put(folder / name, data) for name, data in sorted(files.items())])
    gone = [folder / name for name in ours - set(files)]
    removed = sum([_remove(path) for path in sorted(gone)])
    for name in ours | set(files):
        _remove(_part(folder / name))
    for parent in sorted({path.parent for path in gone if path.parent != folder}):
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()
    _list(folder, set(files))
    return written, removed


def _put(path: Path, data: bytes) -> bool:
    """Writes a file, unless it has these bytes; whoever reads it has the old or the new one."""
    if path.is_file() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    part = _part(path)
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return True


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}{_PART}")


def _remove(path: Path) -> bool:
    if not path.is_file():
        return False
    path.unlink()
    return True


def _list(folder: Path, names: set[str]) -> None:
    _put(folder / LIST, (json.dumps(sorted(names), indent=1) + "\n").encode())


def _listed(folder: Path) -> set[str]:
    """The files that we wrote; a list that is damaged, or names one elsewhere, names none."""
    try:
        names = json.loads((folder / LIST).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return set()
    paths = [PurePosixPath(str(name)) for name in names] if isinstance(names, list) else []
    return {str(p) for p in paths if p.parts and not p.is_absolute() and ".." not in p.parts}
