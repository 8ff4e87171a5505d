"""The disk, who may read and write what, and whether a file of the program is missing."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from visawatch.config import readable_by_others, secrets_in
from visawatch.doctor.findings import Finding, Patient, ok, size, wrong

ROOM = 256_000_000  # bytes that are to be free, beside as much as the database takes
_PROBE = 1 << 20  # bytes that are written to see whether there is room
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)
_BESIDE = ("", "-wal", "-shm")


def disk(patient: Patient) -> Iterator[Finding]:
    """Whether there is room where the database is, and the mail if it goes into a folder."""
    database = patient.db.stat().st_size if patient.db.exists() else 0
    folder = patient.db.absolute().parent
    yield _room(folder, ROOM + database)
    mail = _existing(Path(patient.config.mail.maildir))
    elsewhere = not folder.exists() or mail.stat().st_dev != folder.stat().st_dev
    if elsewhere and not patient.config.mail.smtp_url:
        yield _room(mail, ROOM)


def _room(folder: Path, needed: int) -> Finding:
    if not folder.is_dir():
        return wrong("disk", f"there is no folder {folder}", "Make it, or name another with --db.")
    free = shutil.disk_usage(folder).free
    try:
        # A quota or a limit of the process is not in the numbers: it shows when one writes.
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_PROBE))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if error.errno in _FULL:
            return wrong(
                "disk",
                f"{folder} is full: {size(free)} free ({error.strerror})",
                "Free some space, or raise the quota. What was interrupted goes on by itself.",
            )
        if error.errno in _DENIED:
            return wrong(
                "disk",
                f"{folder} may not be written ({error.strerror})",
                f"Run as the user that owns it, or `chown` it; mount it for writing: {folder}",
            )
        return wrong(
            "disk",
            f"{folder}: writing fails ({error.strerror})",
            "Look into the system's log (dmesg); copy what you can with `visawatch backup`.",
        )
    if free < needed:
        return wrong(
            "disk",
            f"{folder} is nearly full: {size(free)} free, and {size(needed)} should be "
            f"({size(ROOM)}, and once the size of the database, as an upgrade may need that)",
            "Free some space: old copies of the database first.",
        )
    return ok("disk", f"{size(free)} free in {folder}")


def access(patient: Patient) -> Iterator[Finding]:
    """Whether this user may read and write the database, and nobody else can read it."""
    closed = True
    for path in _files(patient.db):
        try:
            path.open("r+b").close()
        except OSError as error:
            closed = False
            yield wrong(
                "access",
                f"{path} may not be written ({error.strerror})",
                f"Run as the user that owns it ({_owner(path)}), or `chown` it, `chmod u+rw` it.",
            )
        if readable_by_others(path):
            closed = False
            yield wrong(
                "access",
                f"every user of this machine can read {path}: addresses, hashes of passwords",
                f"chmod o-rwx {path}",
            )
    if closed:
        yield ok("access", f"{patient.db} can be written, and not be read by everybody")


def secrets(patient: Patient) -> Iterator[Finding]:
    """Whether the settings file holds a secret that others can read."""
    file = patient.config_file
    if file is None:
        yield ok("secrets", "there is no settings file")
        return
    held = secrets_in(file)
    if held and readable_by_others(file):
        yield wrong(
            "secrets",
            f"every user of this machine can read {', '.join(held)} in {file}",
            f"chmod o-rwx {file}; then change what others may have read",
        )
    elif held:
        yield ok("secrets", f"not everybody can read {', '.join(held)} in {file}")
    else:
        yield ok("secrets", f"{file} holds no secret")


def files(patient: Patient) -> Iterator[Finding]:
    """Whether the program has all its files, and the rules and the model are what they were."""
    do = (
        "Install VisaWatch anew (`pip install --force-reinstall`, `git checkout` in a source tree)."
    )
    missing = [*_changed_since_installed(), *_second_reader()]
    for what in missing:
        yield wrong("files", what, do)
    from extractors.rulebook import RuleError, rulebook
    from shortlist.errors import DataError
    from shortlist.knowledge import knowledge

    try:
        rules = len(rulebook().rules)
    except (RuleError, OSError) as error:
        yield wrong("files", f"the rules cannot be read: {error}", do)
        return
    try:
        knowledge(patient.config.shortlist.path)
    except (DataError, OSError) as error:
        yield wrong("files", str(error), "Mend the file, or leave it out of shortlist.folder.")
        return
    if not missing:
        yield ok("files", f"{rules} rules, the second reader's model and the season are there")


def _second_reader() -> Iterator[str]:
    from extractors.second import FILES, MODEL

    folder = MODEL.parent
    digest = hashlib.sha256()
    for name in FILES:
        try:
            digest.update((folder / name).read_bytes())
        except OSError as error:
            yield f"the second reader's {folder / name} cannot be read ({error.strerror})"
            return
    if digest.hexdigest()[:12] != (folder / "version.txt").read_text("ascii").strip():
        yield f"the second reader in {folder} is damaged: it is not what its version says"


def _changed_since_installed() -> Iterator[str]:
    """The files that were installed and are not as they were; of a source tree nobody knows."""
    try:
        listed = metadata.files("visawatch") or []
    except metadata.PackageNotFoundError:
        return
    for file in listed:
        if file.hash is None or file.hash.mode != "sha256" or ".dist-info" in str(file):
            continue
        try:
            found = hashlib.sha256(Path(str(file.locate())).read_bytes()).digest()
        except OSError as error:
            yield f"{file.locate()} cannot be read ({error.strerror})"
            continue
        if urlsafe_b64encode(found).decode().rstrip("=") != file.hash.value:
            yield f"{file.locate()} is not as it was installed"


def _files(db: Path) -> list[Path]:
    names = (db.with_name(db.name + ending) for ending in _BESIDE)
    return [path for path in names if path.exists()]


def _existing(folder: Path) -> Path:
    """The folder, or what there is of it."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except KeyError:
        return str(path.stat().st_uid)
