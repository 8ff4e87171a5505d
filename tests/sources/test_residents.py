"""Residents' reports: when they count, how many are taken, and what is kept of who sent them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from shell import Shell
from watching import NOW

from extractors import Stance, Visa
from sources.residents import PER_DAY, Report, ReportError, TooMany, report
from sources.weigh import sides, weigh
from store import evidence
from store.database import Store
from store.errors import NotFound

HELD = Report("marrow-neuro", 2026, Visa.H1B)


def test_one_report_is_not_enough_and_two_of_one_person_are_one(watched: Store) -> None:
    report(watched, HELD, "203.0.113.7", NOW)
    assert report(watched, HELD, " 203.0.113.7 ", NOW) is None
    report(watched, Report("marrow-neuro", 2027, Visa.H1B), "203.0.113.7", NOW)
    assert weigh(watched, NOW) == []
    report(watched, HELD, "203.0.113.8", NOW)
    (weighed,) = weigh(watched, NOW)
    assert weighed.policy.stance(Visa.H1B) is Stance.SPONSORED
    assert weighed.policy.needs_review  # residents never have the last word


def test_a_maintainer_may_stand_for_one(watched: Store, shell: Shell) -> None:
    number = report(watched, HELD, "ann", NOW)
    done = shell("--now", "2026-11-28T10:00:00Z", "verify", "accept", str(number), "--by", "ada")
    assert "1 policy is another" in done.err


def test_nothing_of_the_person_is_kept_but_a_hash_that_ends_with_its_salt(watched: Store) -> None:
    report(watched, HELD, "Ann Example 203.0.113.7", NOW)
    assert b"203.0.113.7" not in b"".join(str(line).encode() for line in watched.db.iterdump())
    assert "Ann" not in "".join(watched.db.iterdump())
    first = evidence.of_programs(watched)["marrow-neuro"][0].who
    later = NOW + timedelta(days=800)
    report(watched, Report("marrow-neuro", 2029, Visa.H1B), "Ann Example 203.0.113.7", later)
    assert [row["season"] for row in watched.rows("SELECT season FROM salts")] == [2029]
    assert evidence.of_programs(watched)["marrow-neuro"][1].who != first


def test_one_person_reports_only_so_often(watched: Store) -> None:
    for visa in list(Visa)[:PER_DAY]:
        report(watched, Report("marrow-neuro", 2026, visa), "ann", NOW)
    more = Report("marrow-im", 2026, Visa.H1B)
    with pytest.raises(TooMany):
        report(watched, more, "ann", NOW)
    report(watched, more, "bob", NOW)
    report(watched, more, "ann", NOW + timedelta(days=1, hours=1))


@pytest.mark.parametrize(
    ("made", "reporter", "error"),
    [
        (Report("marrow-neuro", 2028, Visa.H1B), "ann", ReportError),
        (Report("marrow-neuro", 1999, Visa.H1B), "ann", ReportError),
        (Report("marrow-neuro", 2026, Visa.H1B, "dreamt"), "ann", ReportError),
        (HELD, " ", ReportError),
        (Report("nowhere", 2026, Visa.H1B), "ann", NotFound),
    ],
)
def test_what_cannot_be_is_refused(
    watched: Store, made: Report, reporter: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        report(watched, made, reporter, NOW)
    assert evidence.of_programs(watched) == {}


def test_the_command(shell: Shell, watched: Store) -> None:
    line = ["sources", "report", "marrow-neuro", "--visa", "H-1B", "--season", "2026"]
    now = ["--now", "2026-11-28T10:00:00Z"]
    assert "filed as 1" in shell(*now, *line, "--reporter", "ann").err
    assert "said so before" in shell(*now, *line, "--reporter", "ann").err
    assert "1 policy is another" in shell(*now, *line, "--reporter", "bob").err
    told = sides(watched, "marrow-neuro", NOW)
    assert told.policy.stance(Visa.H1B) is Stance.SPONSORED
    shown = shell("sources", "show", "marrow-neuro").out
    assert all(side.evidence.who not in shown for side in told.sides)
