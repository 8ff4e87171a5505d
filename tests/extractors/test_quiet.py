"""What is folded before BeautifulSoup comes out as the same text, and changes no policy."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.classify import make_page
from benchmarks.labelled import as_html, passages
from extractors.blocks import html_blocks
from extractors.policy import policy_for
from extractors.prune import prune
from extractors.quiet import QUIET
from extractors.statements import page_text, statements
from extractors.values import Policy

PAGES = sorted((Path(__file__).parent / "pages").glob("*.html"))
PROSE = "<p>Our residents care for patients in clinic and on the wards, with close teaching.</p>"
ITEMS = "<ul><li>Research</li><li>1. Electives</li><li>Simulation: weekly</li></ul>"
FAR = (PROSE + ITEMS) * 4


PIECES = (Path(__file__).parent / "pieces.txt").read_text("utf-8").splitlines()
PAGES_OF_PIECES = st.lists(st.sampled_from([*PIECES, PROSE, ITEMS, FAR]), max_size=40).map("".join)


def read(page: str, *, folded: bool) -> tuple[str, Policy]:
    blocks = html_blocks(page, folded=folded)
    text = page_text(blocks)
    return text, policy_for([statements(blocks)])[0]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_whole_pages_read_the_same(path: Path) -> None:
    page = path.read_text("utf-8", "replace")
    assert read(page, folded=True) == read(page, folded=False)


@pytest.mark.parametrize("seed", range(6))
def test_made_pages_read_the_same(seed: int) -> None:
    page = make_page(seed, statement=True).decode()
    assert prune(page, folded=False).count("<") > 5 * prune(page).count("<")  # it does fold
    assert read(page, folded=True) == read(page, folded=False)


def test_passages_between_stretches_of_prose_read_the_same() -> None:
    for passage in passages():
        page = f"<h2>Life here</h2>{FAR}<h2>Applying</h2>{as_html(passage.text)}{FAR}"
        assert read(page, folded=True) == read(page, folded=False), passage.id


def test_items_far_below_a_heading_with_a_visa_are_not_folded() -> None:
    page = f"<h2>H-1B visas</h2>{FAR}<p>We do not sponsor them.</p>"
    assert QUIET not in prune(page)


@settings(max_examples=300, deadline=None)
@given(PAGES_OF_PIECES)
def test_any_page_reads_the_same(page: str) -> None:
    assert read(page, folded=True) == read(page, folded=False)
