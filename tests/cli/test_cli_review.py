"""Reviews, over a real site whose pages change between the cycles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from loopback import Site
from shell import Shell

from store import verdicts
from store.database import Store

IDS = ("accepted", "dismissed", "corrected", "pondered")
CORRECTION = ("correct", "--j1", "sponsored", "--h1b", "conditional")


def page(*sentences: str) -> str:
    return f"<title>Visas</title><h1>Visas</h1><p>{' '.join(sentences)}</p>"


BOTH = page("We sponsor J-1 and H-1B visas.")
ONLY_J1 = page("We sponsor J-1 visas.", "We do not sponsor H-1B visas.")
NONE = page("We do not sponsor visas.")


class World:
    """Programs whose pages all lost the H-1B in the second cycle; each has an open change."""

    def __init__(self, shell: Shell, site: Site) -> None:
        self.shell, self.site = shell, site
        shell.watch({program_id: site.url(f"/{program_id}") for program_id in IDS})
        for content in (BOTH, ONLY_J1):
            self.show(*IDS, content=content)
            self.crawl()

    def show(self, *program_ids: str, content: str) -> None:
        """What the pages of some programs say from now on."""
        for program_id in program_ids:
            self.site.page(f"/{program_id}", content)

    def crawl(self) -> int:
        """Runs a cycle, and gives the number of changes that it flagged."""
        found = self.shell.crawl(self.site.host)["changes"]
        assert isinstance(found, int)
        return found

    def review(self, program_id: str, *decision: str, status: int = 0) -> str:
        """Decides on the first change of a program; gives what is said of it."""
        number = self.changes(program_id)[0]["id"]
        return self.shell("review", str(number), *decision, status=status).err

    def changes(self, program_id: str) -> list[dict[str, Any]]:
        return [c for c in self.shell.changes() if c["program_id"] == program_id]

    def policy(self, program_id: str) -> dict[str, Any]:
        return self.shell.policies()[program_id]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Site() as site:
        yield World(Shell(tmp_path_factory.mktemp("review")), site)


def test_an_accepted_change_stands(world: World) -> None:
    said = world.review("accepted", "accept", "--by", "ada", "--note", "rang them up")
    assert "accepted stands as J-1 only" in said
    assert [c["status"] for c in world.changes("accepted")] == ["accepted"]
    assert world.policy("accepted")["category"] == "j1_only"


def test_a_dismissed_change_leaves_the_policy_from_before(world: World) -> None:
    assert "stands as J-1 and H-1B" in world.review("dismissed", "dismiss", "--by", "ada")
    assert [c["status"] for c in world.changes("dismissed")] == ["dismissed"]
    policy = world.policy("dismissed")
    assert (policy["category"], policy["health"]) == ("j1_and_h1b", "ok")
    assert world.crawl() == 0  # the page still says so: that is not news
    assert world.policy("dismissed") == {**policy, "as_of": world.policy("dismissed")["as_of"]}


def test_a_correction_stands_until_the_statement_changes(world: World) -> None:
    condition = ("--condition", "H-1B:step3_passed:2027-02-01")
    said = world.review("corrected", *CORRECTION, *condition, "--by", "ada")
    assert "stands as J-1, H-1B case by case" in said
    corrected = {
        "category": "j1_h1b_case_by_case",
        "stances": {"J-1": "sponsored", "H-1B": "conditional"},
        "conditions": [{"visa": "H-1B", "kind": "step3_passed", "by": "2027-02-01"}],
    }
    assert world.policy("corrected").items() >= corrected.items()

    world.show("corrected", content=ONLY_J1.replace("<p>", "<p>Welcome, and good luck. "))
    assert world.crawl() == 0  # other words around the same statement
    assert world.policy("corrected").items() >= corrected.items()

    world.show("corrected", content=NONE)
    assert world.crawl() == 1
    change = world.changes("corrected")[-1]
    assert change["before"].items() >= corrected.items()
    assert (change["after"]["category"], change["status"]) == ("no_sponsorship", "open")
    assert world.policy("corrected")["category"] == "no_sponsorship"


def test_every_decision_on_a_change_is_kept_and_the_last_one_stands(world: World) -> None:
    decisions = (("dismiss",), CORRECTION, ("accept",), ("dismiss",))
    number = world.changes("pondered")[0]["id"]
    for day, decision in enumerate(decisions, start=1):
        world.shell.options = ["--now", f"2027-01-0{day}T09:30:00+01:00"]
        world.review("pondered", *decision, "--by", f"ada{day}", "--note", f"day {day}")
    world.shell.options = []
    with Store(world.shell.db) as store:
        kept = verdicts.of_change(store, number)
    assert [(r.verdict, r.by, r.note, r.at) for r in kept] == [
        ("dismissed", "ada1", "day 1", "2027-01-01T08:30:00Z"),
        ("corrected", "ada2", "day 2", "2027-01-02T08:30:00Z"),
        ("accepted", "ada3", "day 3", "2027-01-03T08:30:00Z"),
        ("dismissed", "ada4", "day 4", "2027-01-04T08:30:00Z"),
    ]
    history = world.shell("programs", "show", "pondered", "--json").json[0]["history"]
    assert [(h["origin"], h["category"]) for h in history] == [
        ("read", "j1_and_h1b"),
        ("read", "j1_only"),
        ("dismissed", "j1_and_h1b"),
        ("corrected", "j1_h1b_case_by_case"),
        ("read", "j1_only"),
        ("dismissed", "j1_and_h1b"),
    ]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("999", "accept"), 1, "no change 999"),
        (("first", "accept"), 2, "'first' is not a valid integer"),
        (("1", "accept", "--by", " "), 1, "who decides?"),
        (("1", "forget"), 2, "No such command 'forget'"),
        (("1", "correct", "--j1", "sponsored"), 2, "Missing option '--h1b'"),
        (("1", "correct", "--j1", "maybe", "--h1b", "unstated"), 2, "'maybe' is not one of"),
        (("1", *CORRECTION, "--condition", "H-1B:luck"), 2, "kinds are"),
        (("1", *CORRECTION, "--condition", "B-2:step3_passed"), 2, "not VISA:KIND[:BY]"),
        (("1", *CORRECTION, "--condition", "step3_passed"), 2, "not VISA:KIND[:BY]"),
    ],
)
def test_a_decision_that_cannot_be_filed_says_why(
    world: World, arguments: tuple[str, ...], status: int, said: str
) -> None:
    with Store(world.shell.db) as store:
        before = verdicts.of_change(store, 1)
    assert said in world.shell("review", *arguments, status=status).err
    with Store(world.shell.db) as store:
        assert verdicts.of_change(store, 1) == before
