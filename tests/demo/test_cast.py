"""The cast is consistent, invented, varied, and changes exactly four policies."""

from __future__ import annotations

from pathlib import Path

import pytest

from extractors import Category, Policy, classify
from visawatch.demo import NIGHTS, ExpectedChange, expected, expected_changes, pdf
from visawatch.demo.answers import answer
from visawatch.demo.cast import DemoProgram, Institution, institutions

ROOT = Path(__file__).parents[2]
PROGRAMS = [(site, program) for site in institutions() for program in site.programs]
BASE = "http://demo.example"


def readings() -> list[tuple[Institution, DemoProgram, int]]:
    """Each program in each night in which the page that states its policy can be read."""
    return [
        (site, program, night)
        for site, program in PROGRAMS
        for night in NIGHTS
        if night not in site.outage
        and site.pages[program.read_at[night - 1]].nights[night - 1] != "challenge"
    ]


def read(site: Institution, program: DemoProgram, night: int) -> Policy:
    """What the page that states a program's policy says, after the redirect if it has moved."""
    page = answer(site, program.read_at[night - 1], night, BASE)
    if page.location:
        page = answer(site, page.location.removeprefix(BASE), night, BASE)
    assert page.status == 200
    return classify(page.body, content_type=page.content_type)


@pytest.mark.parametrize(
    ("site", "program", "night"),
    [pytest.param(*case, id=f"{case[1].id}-{case[2]}") for case in readings()],
)
def test_the_page_says_what_the_cast_expects(
    site: Institution, program: DemoProgram, night: int
) -> None:
    policy = read(site, program, night)
    assert policy.category == program.expected[night - 1], [e.quote for e in policy.evidence]
    assert not policy.needs_review


def test_only_an_outage_and_a_challenge_hide_a_policy() -> None:
    hidden = len(PROGRAMS) * len(NIGHTS) - len(readings())
    assert hidden == 4  # three programs of the site that is down, one page with a challenge


def test_exactly_four_policies_change() -> None:
    assert expected_changes() == (
        ExpectedChange("lantern-hill-internal-medicine", 2, "j1_and_h1b", "j1_only"),
        ExpectedChange("quillwater-family-medicine", 2, "no_sponsorship", "j1_only"),
        ExpectedChange("quillwater-emergency-medicine", 3, "j1_and_h1b", "j1_h1b_case_by_case"),
        ExpectedChange("thistledown-geriatric-medicine", 3, "j1_only", "j1_and_h1b"),
    )


def test_a_policy_that_does_not_change_keeps_its_sentences() -> None:
    changed = {(change.program_id, change.night) for change in expected_changes()}
    quotes: dict[str, list[str]] = {}
    for site, program, night in readings():
        found = sorted(evidence.quote for evidence in read(site, program, night).evidence)
        same = found == quotes.setdefault(program.id, found)
        assert same is ((program.id, night) not in changed), found
        quotes[program.id] = found


def test_expected_categories_are_categories() -> None:
    shown = {category for night in NIGHTS for category in expected(night).values()}
    assert shown <= {str(category) for category in Category}
    assert len(shown) >= 7


def test_every_path_of_a_program_is_a_page_of_its_site() -> None:
    for site, program in PROGRAMS:
        paths = {program.website, program.eligibility, site.gme, *program.read_at} - {""}
        assert paths <= set(site.pages), program.id


def test_ids_names_and_addresses_are_unique() -> None:
    assert len({program.id for _, program in PROGRAMS}) == len(PROGRAMS) >= 14
    for name in ("name", "folder", "address"):
        assert len({getattr(site, name) for site in institutions()}) == len(institutions()) >= 6


def test_the_docs_list_the_cast() -> None:
    text = (ROOT / "docs" / "demo.md").read_text(encoding="utf-8")
    for site, program in PROGRAMS:
        assert f"| {site.name} |" in text
        assert f"| `{program.id}` |" in text
        assert program.shows in text


def test_a_pdf_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="41 lines do not fit"):
        pdf.document(["line"] * 41)
