"""What belongs together in a mail: an institution's changes are one section, a wave is one.

The sections come in the order in which they matter: the most severe first, a wave before an
institution, then what concerns more programs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.alerts.planning import Subject
from monitor.groups import rank, stories

Story = Sequence[Subject]  # what one sentence says of one or more programs (see monitor.groups)


@dataclass(frozen=True, slots=True)
class Section:
    """One entry of a mail, its most severe stories first.

    `wave` says what the wave is that its stories are part of; it is empty for an institution's.
    """

    stories: tuple[Story, ...]
    wave: str = ""

    @property
    def subjects(self) -> list[Subject]:
        """All of its changes."""
        return [subject for story in self.stories for subject in story]

    @property
    def severity(self) -> str:
        """That of its most severe change."""
        return self.stories[0][0].change.severity


def sections(subjects: Iterable[Subject], waves: Mapping[int, str]) -> list[Section]:
    """The sections of a mail; `waves` says what each wave is, by its number.

    A wave of which only one institution is told is told as that institution's.
    """
    by_id = {subject.change.id: subject for subject in subjects}
    programs = {s.program.program_id: s.program for s in by_id.values()}
    told = [
        [by_id[change.id] for change in story]
        for turn in dict.fromkeys(s.again and s.again.turn for s in by_id.values())
        for story in stories(
            (s.change for s in by_id.values() if (s.again and s.again.turn) == turn), programs
        )
    ]
    reached: dict[int | None, set[str]] = defaultdict(set)
    for story in told:
        reached[story[0].change.wave_id].add(story[0].program.institution)
    made: dict[int | str, list[Story]] = {}
    for story in told:
        wave, place = story[0].change.wave_id, story[0].program.institution
        shared = wave is not None and wave in waves and len(reached[wave]) > 1
        made.setdefault(wave if shared and wave is not None else place, []).append(story)
    found = [
        Section(tuple(sorted(told, key=_weight)), waves[key] if isinstance(key, int) else "")
        for key, told in made.items()
    ]
    return sorted(found, key=lambda s: (rank(s.severity), not s.wave, _weight(s.subjects)))


def _weight(story: Story) -> tuple[int, int, int]:
    """What leads: the most severe, then what concerns more programs, then what came first."""
    return rank(story[0].change.severity), -len(story), story[0].change.id
