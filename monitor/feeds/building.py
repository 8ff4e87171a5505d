"""Which feeds there are, and what is in them."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from monitor.alerts.composing import home
from monitor.alerts.message import one_line, rendered
from monitor.alerts.planning import Subject
from monitor.alerts.wording import headline, item
from monitor.diff import touched
from monitor.feeds.atom import Entry, Feed
from monitor.groups import grouped
from store import changes, cycles, outbox, programs
from store.database import Store
from store.records import Change, Program

LONGEST = 50  # entries of one feed

_BEFORE_ALL = "2000-01-01T00:00:00Z"  # when a feed changed last that nothing was ever told in
_STANDING = {
    "open": "not reviewed yet",
    "accepted": "confirmed by a maintainer",
    "corrected": "corrected by a maintainer",
    "dismissed": "dismissed: the policy from before stands",
}


def feeds(store: Store, *, base_url: str = "") -> list[Feed]:
    """All feeds: `all.atom`, then one of each institution and of each watched program.

    Told are critical and major changes, the newest `LONGEST` of each feed: open ones, marked as
    not reviewed yet, confirmed and corrected ones, and dismissed ones, which say so, as a reader
    may have seen them before. In `all.atom` and those of institutions, what one page says for
    many programs is one entry. Without a change in the store, two calls give equal feeds.

    Raises MailError for a base_url of no use.
    """
    return list(_Builder(store, home(base_url)).build())


def file_name(name: str) -> str:
    """A name as a file name, safe in every file system, and another for every other name.

    >>> file_name("larkspur-im"), file_name("Mercy / St. Ann's")
    ('larkspur-im', 'mercy-st-ann-s-b6514c81')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")
    if slug and slug == name:
        return slug
    return f"{slug or 'x'}-{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"


class _Builder:
    def __init__(self, store: Store, base_url: str) -> None:
        self._store, self._home = store, base_url
        self._known: dict[tuple[int, ...], Entry] = {}  # most are in three feeds
        self._programs: dict[str, tuple[Program, bool]] = {}
        self._subjects = [self._subject(c) for c in changes.newest(store, LONGEST)]
        first = cycles.first(store)
        self._begun = first.started_at if first else _BEFORE_ALL
        # RFC 4151: a name that we may give out, and a year in which we might. Not the port.
        host = urlsplit(base_url).hostname or ""
        plain = re.fullmatch(r"[a-z0-9][a-z0-9.-]*", host)
        self._tag = f"tag:{host if plain else 'visawatch.invalid'},2026:"

    def build(self) -> Iterable[Feed]:
        yield self._feed("all.atom", "Visa policies: all changes", self._subjects)
        watched = programs.listed(self._store)
        for institution in sorted({program.institution for program in watched}):
            theirs = [s for s in self._subjects if s.program.institution == institution]
            title = f"Visa policies: {one_line(institution)}"
            yield self._feed(f"institution/{file_name(institution)}.atom", title, theirs)
        for program in watched:
            own = [s for s in self._subjects if s.program.program_id == program.program_id]
            title = f"Visa policy: {one_line(program.institution)}, {one_line(program.specialty)}"
            yield self._feed(f"program/{file_name(program.program_id)}.atom", title, own)

    def _feed(self, path: str, title: str, subjects: Sequence[Subject]) -> Feed:
        by_id = {subject.change.id: subject for subject in subjects}
        groups = grouped(
            (s.change for s in subjects), {s.program.program_id: s.program for s in subjects}
        )
        # A change of one program is the newest of its group; ids rise with time.
        groups.sort(key=lambda group: group[0].id, reverse=True)
        entries = [self._entry([by_id[change.id] for change in g]) for g in groups[:LONGEST]]
        return Feed(
            path=path,
            id=f"{self._tag}feeds/{path.removesuffix('.atom')}",
            title=title,
            updated=max((entry.updated for entry in entries), default=self._begun),
            entries=tuple(entries),
            home=self._home,
        )

    def _entry(self, group: Sequence[Subject]) -> Entry:
        numbers = tuple(subject.change.id for subject in group)
        if numbers not in self._known:
            self._known[numbers] = self._told(group)
        return self._known[numbers]

    def _told(self, group: Sequence[Subject]) -> Entry:
        change, shown = group[0].change, item(group, self._home)
        status = change.status
        decided = [r.at for s in group for r in changes.reviews(self._store, s.change.id)]
        title = {"open": "Not reviewed yet: ", "dismissed": "Dismissed: "}.get(status, "")
        return Entry(
            id=f"{self._tag}{'change' if len(group) == 1 else 'group'}/{change.id}",
            title=title + one_line(headline(group), 200),
            published=change.detected_at,
            updated=max([change.detected_at, *decided]),
            html=rendered("entry.html", {"item": shown, "standing": _STANDING[status]}),
            link=shown.link,
            categories=(change.severity, status),
        )

    def _subject(self, change: Change) -> Subject:
        if change.program_id not in self._programs:
            self._programs[change.program_id] = outbox.program(self._store, change.program_id)
        program, watched = self._programs[change.program_id]
        told = outbox.told(self._store, change)
        return Subject(told, program, watched, touched(told.before, told.after))
