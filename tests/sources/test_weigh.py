"""Evidence in the store: what stands because of it, how it ages, and who decides."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from saying import answered
from shell import Shell
from watching import NOW, Says

from extractors import Policy, Stance, Visa
from monitor.queue import doubts
from monitor.review import ReviewError, decide_reading
from monitor.timeline import timeline
from sources import Channel, Role, residents
from sources.deciding import accept, reject, settle
from sources.residents import Report
from sources.weigh import sides, weigh
from store import changes, evidence, policies, search
from store.database import Store
from store.search import Wish

J1_ONLY = {"J-1": "sponsored", "H-1B": "not_sponsored"}
BOTH = {"J-1": "sponsored", "H-1B": "sponsored"}


def stands(store: Store) -> Policy:
    return Policy.from_json(policies.standing(store)["marrow-neuro"].policy)


def test_an_answer_counts_once_it_was_read(watched: Store, page_says: Says) -> None:
    page_says("We sponsor J-1 visas only. H-1B visas are not sponsored.")
    number = answered(watched, BOTH)
    assert weigh(watched, NOW) == []
    assert stands(watched).stance(Visa.H1B) is Stance.NOT_SPONSORED

    _, (weighed,) = accept(watched, number, by="ada", now=NOW)
    assert weighed.disputed
    policy = stands(watched)
    assert policy.stance(Visa.H1B) is Stance.SPONSORED
    assert policy.needs_review
    quotes = {e.quote: e for e in policy.evidence}
    page = quotes["H-1B visas are not sponsored."]
    assert page.end - page.start == len(page.quote)
    assert page.start > 0  # as it was read on the page
    assert "Yes to both." in quotes
    (change,) = changes.listed(watched)  # a review item
    assert (change.program_id, change.channel) == ("marrow-neuro", "coordinator")
    assert weigh(watched, NOW) == []  # again: nothing new


def test_search_and_history_know_of_it(watched: Store, page_says: Says) -> None:
    page_says("We sponsor J-1 visas only.")
    accept(watched, answered(watched, BOTH), by="ada", now=NOW + timedelta(hours=1))
    assert search.find(watched, Wish(category="j1_and_h1b"), limit=9)[1] == ["marrow-neuro"]
    last = timeline(watched, "marrow-neuro").entries[-1]
    assert (last.began, last.channel) == ("other_channels", "coordinator")  # type: ignore[union-attr]


def test_a_finding_settles_it_until_somebody_says_otherwise_again(
    watched: Store, page_says: Says
) -> None:
    page_says("We sponsor J-1 visas only.")
    accept(watched, answered(watched, BOTH), by="ada", now=NOW)
    truth = Policy(((Visa.J1, Stance.SPONSORED), (Visa.H1B, Stance.SPONSORED)))
    later = NOW + timedelta(days=1)
    settle(watched, "marrow-neuro", truth, by="ada", note="asked by phone", now=later)
    assert not stands(watched).needs_review
    assert doubts(watched, 9) == []
    told = sides(watched, "marrow-neuro", later)
    roles = {(s.evidence.channel, s.role) for s in told.sides if s.visa is Visa.H1B}
    assert roles == {
        (Channel.MAINTAINER, Role.DECIDES),
        (Channel.COORDINATOR, Role.AGREES),
        (Channel.WEBSITE, Role.SET_ASIDE),
    }
    newer = answered(watched, J1_ONLY, at="2026-12-02T09:00:00Z")
    _, (weighed,) = accept(watched, newer, by="ada", now=NOW + timedelta(days=5))
    assert weighed.disputed
    assert stands(watched).stance(Visa.H1B) is Stance.SPONSORED  # the finding decides


def test_a_maintainer_may_accept_what_was_weighed(watched: Store, page_says: Says) -> None:
    page_says("We sponsor J-1 visas only.")
    accept(watched, answered(watched, BOTH), by="ada", now=NOW)
    later = NOW + timedelta(hours=1)
    decide_reading(watched, "marrow-neuro", "accepted", by="ada", now=later)
    weigh(watched, later)
    assert stands(watched).stance(Visa.H1B) is Stance.SPONSORED
    assert not stands(watched).needs_review


def test_an_answer_is_history_a_season_later(watched: Store, page_says: Says) -> None:
    page_says("We sponsor J-1 visas only. H-1B visas are not sponsored.")
    accept(watched, answered(watched, BOTH), by="ada", now=NOW)
    next_season = NOW.replace(year=2027, month=6, day=2)
    assert len(weigh(watched, next_season)) == 1
    assert stands(watched).stance(Visa.H1B) is Stance.NOT_SPONSORED
    assert policies.standing(watched)["marrow-neuro"].origin == "read"


def test_what_was_read_wrongly_is_put_right_or_rejected(watched: Store, page_says: Says) -> None:
    page_says("We sponsor J-1 visas only.")
    wrong, useless = answered(watched, {}), answered(watched, BOTH)
    with pytest.raises(ReviewError, match="nothing was read in it"):
        accept(watched, wrong, by="ada", now=NOW)
    with pytest.raises(ReviewError, match="who decides"):
        reject(watched, useless, by=" ", now=NOW)
    reject(watched, useless, by="ada", now=NOW)
    right = Policy(((Visa.J1, Stance.SPONSORED), (Visa.H1B, Stance.CONDITIONAL)))
    accept(watched, wrong, by="ada", now=NOW, policy=right)
    assert stands(watched).stance(Visa.H1B) is Stance.CONDITIONAL
    assert evidence.waiting(watched) == []


def test_a_program_whose_pages_were_never_read_has_what_others_say(watched: Store) -> None:
    accept(watched, answered(watched, BOTH), by="ada", now=NOW)
    assert stands(watched).stances == ((Visa.J1, Stance.SPONSORED), (Visa.H1B, Stance.SPONSORED))
    assert policies.standing(watched)["marrow-neuro"].cycle_id is None


def test_the_command_line(shell: Shell, watched: Store, page_says: Says) -> None:
    page_says("We sponsor J-1 visas only.")
    number = answered(watched, BOTH)
    (waits,) = shell("verify", "queue", "--json").json
    assert (waits["id"], waits["channel"], waits["category"]) == (
        number,
        "coordinator",
        "j1_and_h1b",
    )
    done = shell("--now", "2026-11-28T10:00:00Z", "verify", "accept", str(number), "--by", "ada")
    assert "1 policy is another by what other sources say, 1 of them disputed" in done.err
    assert "Yes to both." in shell("sources", "show", "marrow-neuro").out
    settled = shell(
        "--now", "2026-11-28T11:00:00Z", "sources", "settle", "marrow-neuro", "--by", "ada",
        "--j1", "sponsored", "--h1b", "not_sponsored", "--note", "called the office",
    )  # fmt: skip
    assert "set aside by a maintainer's finding" in settled.out
    (shown,) = shell(
        "--now", "2026-11-28T12:00:00Z", "sources", "show", "marrow-neuro", "--json"
    ).json
    assert shown["category"] == "j1_only"
    assert shown["disputed"] == []
    assert "no program 'nowhere'" in shell("sources", "show", "nowhere", status=1).err
    assert "no evidence 99" in shell("verify", "reject", "99", status=1).err
    shell("verify", "accept", "1", "--j1", "sponsored", status=2)


@pytest.mark.parametrize(
    "command",
    [
        "sources import FILE --by ada",
        "sources report marrow-neuro --visa H-1B --season 2026 --reporter bo",
    ],
)
def test_what_is_said_and_what_it_comes_to_are_one_step(
    command: str, watched: Store, page_says: Says, shell: Shell, tmp_path: Path
) -> None:
    """A command that ends between them has done neither, and does both when it is run again."""
    file = tmp_path / "freida.csv"
    file.write_text("acgme_id,visas\n1802400001,J-1; H-1B visa\n")
    words = command.replace("FILE", str(file)).split()
    page_says("We sponsor J-1 visas only. H-1B visas are not sponsored.")
    residents.report(watched, Report("marrow-neuro", 2026, Visa.H1B), "al", NOW)
    before, stood = "\n".join(watched.db.iterdump()), stands(watched)

    watched.db.execute(
        "CREATE TRIGGER broken BEFORE INSERT ON policies WHEN NEW.origin = 'fused'"
        " BEGIN SELECT raise(ABORT, 'broken'); END"
    )
    with pytest.raises(sqlite3.IntegrityError, match="broken"):
        shell("--now", "2026-11-28T10:00:00Z", *words)
    watched.db.execute("DROP TRIGGER broken")
    assert "\n".join(watched.db.iterdump()) == before

    shell("--now", "2026-11-28T10:00:00Z", *words)
    assert stands(watched) != stood
