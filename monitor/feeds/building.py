"""Which feeds there are, and what is in them."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from urllib.parse import urlsplit

from monitor.alerts.composing import home
from monitor.alerts.message import one_line, rendered
from monitor.alerts.planning import Subject
from monitor.alerts.wording import headline, item
from monitor.diff import touched
from monitor.feeds.atom import Entry, Feed
from monitor.groups import stories
from store import changes, cycles, news, outbox, programs, verdicts
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


def feed(store: Store, path: str, *, base_url: str = "") -> Feed | None:
    """The one of `feeds` with this path, without the others; None when there is none.

    Raises MailError for a base_url of no use.
    """
    return _Builder(store, home(base_url)).one(path)


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


def program_path(program: Program) -> str:
    """Where the feed of a program is, in the folder of feeds."""
    return f"program/{file_name(program.program_id)}.atom"


def institution_path(name: str) -> str:
    """Where the feed of an institution is, in the folder of feeds."""
    return f"institution/{file_name(name)}.atom"


def _named(store: Store, path: str) -> tuple[str, str]:
    """Whose feed a path is: a program's id, or an institution's name; the other one is empty."""
    folder, _, name = path.removesuffix(".atom").partition("/")
    # Most ids are what their files are called. Of the others, and of names, all are looked through.
    if folder == "program" and file_name(name) == name and programs.listed(store, [name]):
        return name, ""

    def paths() -> dict[str, tuple[str, str]]:
        ids, names = programs.names(store)
        found = {institution_path(name): ("", name) for name in names}
        return found | {f"program/{file_name(i)}.atom": (i, "") for i in ids}

    return store.once("paths of feeds", paths).get(path, ("", ""))


class _Builder:
    def __init__(self, store: Store, base_url: str) -> None:
        self._store, self._home = store, base_url
        self._known: dict[tuple[int, ...], Entry] = {}  # most are in three feeds
        first = cycles.first(store)
        self._begun = first.started_at if first else _BEFORE_ALL
        # RFC 4151: a name that we may give out, and a year in which we might. Not the port.
        host = urlsplit(base_url).hostname or ""
        plain = re.fullmatch(r"[a-z0-9][a-z0-9.-]*", host)
        self._tag = f"tag:{host if plain else 'visawatch.invalid'},2026:"

    def build(self) -> Iterable[Feed]:
        """All feeds."""
        subjects = self._subjects(None)
        yield self._all(subjects)
        watched = programs.listed(self._store)
        for institution in sorted({program.institution for program in watched}):
            yield self._of_institution(
                institution, [s for s in subjects if s.program.institution == institution]
            )
        for program in watched:
            yield self._of_program(
                program, [s for s in subjects if s.program.program_id == program.program_id]
            )

    def one(self, path: str) -> Feed | None:
        """One feed."""
        if path == "all.atom":
            return self._all(self._newest())
        program_id, name = _named(self._store, path)
        if program_id:
            program = programs.get(self._store, program_id)
            return self._of_program(program, self._subjects([program_id]))
        if name:
            # Those of its programs that were removed as well, as in `build`.
            return self._of_institution(name, self._subjects(programs.ids_of(self._store, name)))
        return None

    def _newest(self) -> list[Subject]:
        """Those of the newest `LONGEST` stories of all, and perhaps some more.

        A story is told in the place of its oldest change, and is all in one night of one
        institution: the nights are read one by one, from the newest change on.
        """
        found: list[Subject] = []
        for ids in news.nights(self._store, LONGEST):
            if len(found) >= LONGEST and len(self._stories(found, before=ids[0])) >= LONGEST:
                break
            found += self._told_of(changes.some(self._store, ids))
        return found

    def _stories(self, subjects: Sequence[Subject], before: int = 0) -> list[tuple[Change, ...]]:
        """The stories of these, newest first; those that are newer than a change."""
        told = stories(
            (s.change for s in subjects), {s.program.program_id: s.program for s in subjects}
        )
        # A change of one program is the newest of its story; ids rise with time.
        newest = sorted(told, key=lambda story: story[0].id, reverse=True)
        return [story for story in newest if story[0].id > before]

    def _subjects(self, only: Collection[str] | None) -> list[Subject]:
        return self._told_of(news.newest(self._store, LONGEST, only))

    def _all(self, subjects: Sequence[Subject]) -> Feed:
        return self._feed("all.atom", "Visa policies: all changes", subjects)

    def _of_institution(self, name: str, subjects: Sequence[Subject]) -> Feed:
        title = f"Visa policies: {one_line(name)}"
        return self._feed(institution_path(name), title, subjects)

    def _of_program(self, program: Program, subjects: Sequence[Subject]) -> Feed:
        title = f"Visa policy: {one_line(program.institution)}, {one_line(program.specialty)}"
        return self._feed(program_path(program), title, subjects)

    def _feed(self, path: str, title: str, subjects: Sequence[Subject]) -> Feed:
        by_id = {subject.change.id: subject for subject in subjects}
        told = self._stories(subjects)
        entries = [self._entry([by_id[change.id] for change in s]) for s in told[:LONGEST]]
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
            self._known[numbers] = self._made(group)
        return self._known[numbers]

    def _made(self, group: Sequence[Subject]) -> Entry:
        change, shown = group[0].change, item(group, self._home)
        status = change.status
        decided = [r.at for s in group for r in verdicts.of_change(self._store, s.change.id)]
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

    def _told_of(self, found: Sequence[Change]) -> list[Subject]:
        programs = outbox.programs_of(self._store, {change.program_id for change in found})
        return [
            Subject(told, *programs[told.program_id], touched(told.before, told.after))
            for told in outbox.all_told(self._store, found)
        ]
