"""The mail to a coordinator: drafted, for the applicant to read, change and send themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from extractors.values import Stance, Visa
from shortlist.calendar import Season
from shortlist.profile import Profile
from store.records import Program

_NAMES = {Visa.J1: "J-1 visa through ECFMG", Visa.H1B: "H-1B visa"}


@dataclass(frozen=True, slots=True)
class Letter:
    """A draft. `to` is empty where no address is known."""

    to: str
    subject: str
    body: str

    @property
    def link(self) -> str:
        """A `mailto:` address that opens it in a mail program."""
        return f"mailto:{quote(self.to)}?subject={quote(self.subject)}&body={quote(self.body)}"


def draft(
    template: str, program: Program, profile: Profile, season: Season, stances: dict[Visa, Stance]
) -> Letter:
    """The mail to one program, with the questions that its policy leaves to this applicant."""
    text = template
    for name, value in (
        ("{match}", str(season.match)),
        ("{specialty}", program.specialty),
        ("{institution}", program.institution),
        ("{number}", f" (ACGME {program.acgme_id})" if program.acgme_id else ""),
        ("{known}", "I could not learn from your pages what holds for me."),
        ("{questions}", "\n".join(f"- {q}" for q in _questions(profile, season, stances))),
    ):
        text = text.replace(name, value)
    first, _, body = text.partition("\n")
    subject = " ".join(first.removeprefix("Subject:").split())
    return Letter(program.coordinator_email, subject, body.strip() + "\n")


def _questions(profile: Profile, season: Season, stances: dict[Visa, Stance]) -> Iterator[str]:
    start = f"training that begins in {season.match}"
    for visa in profile.visas:
        if visa in _NAMES:
            yield f"Do you sponsor the {_NAMES[visa]} for {start}?"
        elif visa is Visa.EAD:
            yield f"Do you take those who hold an employment authorization card, for {start}?"
    if Visa.H1B in profile.visas and stances.get(Visa.H1B) is not Stance.NOT_SPONSORED:
        yield "If you sponsor the H-1B: by which day must Step 3 be passed?"
        if not profile.in_us:
            yield "If you sponsor the H-1B: also for somebody who is outside the United States?"
    if profile.graduated:
        yield f"I graduated in {profile.graduated}: is there a limit on the years since graduation?"
    if profile.scores:
        scores = ", ".join(f"{name} {score}" for name, score in profile.scores.items())
        yield f"My scores are {scores}: is there a least score?"
    yield "Has any of this changed recently, or will it before interviews?"
