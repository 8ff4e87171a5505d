"""What the API answers with. The docstrings and descriptions are its documentation."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from extractors.conditions import ConditionKind
from extractors.values import Category, Stance, Visa
from monitor.compare import ChangeKind, Severity
from monitor.timeline import Began
from sources import Channel, Role

Health = Literal["ok", "unreachable", "blocked", "gone", "never_seen"]
Status = Literal["open", "accepted", "dismissed", "corrected"]
Verdict = Literal["accepted", "dismissed", "corrected"]
Moment = Annotated[str, Field(description="ISO 8601, UTC", examples=["2026-11-25T02:00:00Z"])]


class Model(BaseModel):
    """A value of the API; it is never changed."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


Item = TypeVar("Item", bound=Model)


class Stretch(Model, Generic[Item]):
    """A stretch of a list. `next` is the cursor of the following one; null: this is the last."""

    items: list[Item]
    next: str | None


class Counted(Stretch[Item], Generic[Item]):
    """A stretch of a list of which `total` is the whole number."""

    total: int


class Condition(Model):
    """A condition on one visa; `by` is a date, or the page's words for one."""

    visa: Visa
    kind: ConditionKind
    by: str | None = None


class Evidence(Model):
    """The words that prove one stance.

    `quote` stands at `start` to `end` of the text of the page at `url`, which was read at
    `fetched_at` and had the SHA-256 `snapshot`; `rules` are those that read it so.
    """

    visa: Visa
    stance: Stance
    quote: str
    start: int
    end: int
    rules: list[str]
    url: str | None = None
    fetched_at: Moment | None = None
    snapshot: str | None = None


class Policy(Model):
    """What a program says of visas. A visa that is not among the stances is unstated.

    `needs_review`: a person should read the quotes before anybody relies on it. `confidence` is
    the share of passages of this kind that are read rightly.
    """

    category: Category
    stances: dict[Visa, Stance]
    conditions: list[Condition]
    confidence: float
    needs_review: bool
    evidence: list[Evidence]


class Decision(Model):
    """What became of a change; `by` says whether a maintainer decided, or the program took it back
    before anybody had looked."""

    verdict: Verdict
    by: Literal["maintainer", "program"]
    at: Moment


class Program(Model):
    """A program, and the policy that stands for it; null when none of its pages was read yet.

    `reviewed` is the decision by which the policy stands; null: it was read automatically, and no
    person has confirmed it. `as_of` is when its pages were last seen to say so, `health` how they
    were the last time, `stale` that they could not be read for several nights. `inherited_from`
    is the institution whose office of graduate medical education says so.
    """

    program_id: str
    institution_id: int
    institution: str
    specialty: str
    level: str
    city: str
    state: str
    policy: Policy | None
    reviewed: Decision | None
    since: Moment | None = Field(description="when this policy began to stand")
    as_of: Moment | None
    health: Health
    detail: str = Field(description="what is wrong with its pages, if anything, in words")
    stale: bool
    inherited_from: str | None
    website_url: str
    eligibility_url: str
    acgme_id: str


class Stood(Model):
    """A policy that stood from `at` to `until` (null: it stands), and how it `began`."""

    type: Literal["policy"] = "policy"
    season: int = Field(description="the year of the Match")
    at: Moment
    until: Moment | None
    began: Began
    channel: str
    change: int | None = Field(description="the change it began with, or was decided on")
    reviewed: Decision | None
    inherited_from: str | None
    policy: Policy


class Flagged(Model):
    """A change that was flagged."""

    type: Literal["change"] = "change"
    season: int
    at: Moment
    change: int
    kind: ChangeKind
    severity: Severity
    status: Status
    summary: str
    decision: Decision | None


class Unread(Model):
    """A page that could not be read from `at` to `until` (null: it still cannot)."""

    type: Literal["unread"] = "unread"
    season: int
    at: Moment
    until: Moment | None
    url: str
    health: str
    detail: str
    cycles: int
    stale: bool


class ProgramInFull(Program):
    """A program with the ways to ask it, and its history, oldest first."""

    coordinator_email: str
    gme_url: str
    timeline: list[Annotated[Stood | Flagged | Unread, Field(discriminator="type")]]


class Side(Model):
    """What one source says of one visa, and its `role` in what stands.

    `at` and `season` (the year of the Match) say of when it is; `link` leads to where it says so.
    """

    visa: Visa
    stance: Stance
    channel: Channel
    role: Role
    at: Moment
    season: int
    quote: str
    link: str


class Sides(Model):
    """What each source says of a program, what weighs most first; none when only its pages speak.

    On the visas in `disputed` sources that count disagree, and no maintainer has decided yet.
    """

    items: list[Side]
    disputed: list[Visa]


class Institution(Model):
    """A sponsoring hospital or system, and how many of its programs are watched."""

    institution_id: int
    name: str
    gme_url: str
    programs: int


class Change(Model):
    """A flagged difference between the policy that stood and the new one.

    It is certain only once `status` is no longer `open`; after a dismissal `before` stands.
    """

    change_id: int
    program_id: str
    institution_id: int
    institution: str
    specialty: str
    kind: ChangeKind
    severity: Severity
    status: Status
    detected_at: Moment
    channel: str = Field(
        description="who has it so: website, or maintainer, coordinator, institution, freida, "
        "resident"
    )
    summary: str
    url: str | None
    decision: Decision | None
    before: Policy
    after: Policy


class Span(Model):
    """A stretch of words that both texts have, or only the later or the earlier one."""

    op: Literal["equal", "insert", "delete"]
    text: str


class ChangeInFull(Change):
    """A change with its words: what was said before and after, compared."""

    words: list[Span]


class Cell(Model):
    """How many programs of a specialty have a category; null: no page of them was read yet."""

    specialty: str
    category: Category | None
    programs: int


class Word(Model):
    """A word of policies, as people read it, and what it means."""

    name: str
    words: str
    meaning: str


class State(Model):
    """A state or territory by its two letters."""

    code: str
    name: str


class Words(Model):
    """A closed list."""

    items: list[Word]


class Cells(Model):
    """A table of specialties and categories; what is not there is none."""

    items: list[Cell]


class Choices(Model):
    """What the watched programs can be asked for by."""

    states: list[State]
    specialties: list[str]
    levels: list[str]


class Problem(Model):
    """What was wrong with a request (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    faults: list[str] = Field(default=[], description="each parameter that is wrong, and why")
