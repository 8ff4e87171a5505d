"""The second reader, its windows, and who decides where the two readers differ."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from extractors import Stance, Visa, classify, page_text, read_page
from extractors.agree import Accord, Ground, Opinion, accord
from extractors.blocks import html_blocks
from extractors.second import FILES, MODEL, STANCES, VISAS, Chances, chances_of
from extractors.statements import page_text as text_of
from extractors.windows import Window, windows

ROOT = Path(__file__).resolve().parents[2]


def windows_of(page: str) -> list[Window]:
    blocks = html_blocks(page)
    return windows(blocks, text_of(blocks))


def test_the_version_is_that_of_the_model() -> None:
    digest = hashlib.sha256(b"".join((MODEL.parent / name).read_bytes() for name in FILES))
    assert (MODEL.parent / "version.txt").read_text("ascii").strip() == digest.hexdigest()[:12]


def test_a_list_is_one_window_with_what_it_stands_under() -> None:
    (window,) = windows_of("<h3>Visas</h3><p>We take:</p><ul><li>J-1</li><li>No H-1B</li></ul>")
    assert window.under.endswith("We take:")
    assert window.text == "- J-1\n- No H-1B"
    assert len(window.spans) == 2


def test_those_who_are_spoken_to_apart_have_windows_apart() -> None:
    page = "<p>Residents come on a J-1. Fellows may have an H-1B.</p>"
    assert [window.scope.level for window in windows_of(page)] == ["residency", "fellowship"]


def test_what_is_far_from_any_visa_is_in_no_window() -> None:
    page = "<p>We take the J-1.</p>" + "<p>The lake is cold.</p>" * 5
    (window,) = windows_of(page)
    assert window.text.count("lake") <= 1
    assert windows_of("<p>The lake is cold.</p>") == []


def test_it_reads_what_no_rule_knows_and_quotes_it() -> None:
    said = b"We give a home to J-1 physicians. H-1B petitions are a bridge too far for us."
    body = b"<h2>Visas</h2><p>" + said + b"</p>"
    stances = {s.visa: s for s in read_page(body) if s.chances}
    assert stances[Visa.J1].stance is Stance.SPONSORED
    assert stances[Visa.H1B].stance is Stance.NOT_SPONSORED
    text = page_text(body)
    for statement in stances.values():
        assert statement.quote == text[statement.start : statement.end] != ""
        assert sum(statement.chances) == pytest.approx(1, abs=0.01)
        assert len(statement.chances) == len(STANCES)


def test_a_window_that_is_known_is_not_read_again() -> None:
    page = b"<h2>Visas</h2><p>We sponsor J-1 visas.</p>"
    known: dict[bytes, Chances] = {}
    stated = read_page(page, known=known)
    assert stated == read_page(page)
    (window,) = known
    no_visas = (0.0, 0.0, 0.0, 1.0, 0.0)
    known[window] = (no_visas, no_visas)
    told = {s.visa: s.stance for s in read_page(page, known=known) if s.chances}
    assert told == dict.fromkeys(VISAS, Stance.NOT_SPONSORED)
    assert len(known) == 1


def test_a_known_window_has_the_same_heading_and_words() -> None:
    known: dict[bytes, Chances] = {}
    for page in (
        b"<h2>All are welcome.</h2><p>We sponsor J-1 visas.</p>",
        b"<h2>No visas</h2><p>We sponsor J-1 visas.</p>",
        b"<h2>All are welcome.</h2><p>We sponsor J-1 visas now.</p>",
        b"<p>All are welcome.</p><p>We sponsor J-1 visas.</p>",
    ):
        read_page(page, known=known)
    assert len(known) == 4
    read_page(b"<h2>All are welcome.</h2><div>We sponsor <b>J1</b> visas.</div>", known=known)
    assert len(known) == 4


def test_it_tells_nobody_what_it_reads(tmp_path: Path) -> None:
    """Its runtime would file that in the home folder, and send it to its maker."""
    script = "from extractors.second import chances_of; print(chances_of('', 'J-1 visas only.'))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_a_page_without_a_visa_is_not_read_twice() -> None:
    assert read_page(b"<p>Our residents enjoy the city and its lakes.</p>") == ()


def opinion(stance: Stance, chance: float) -> Opinion:
    return Opinion(stance, chance, ())


SURE = 0.999
NO, YES, NOTHING = Stance.NOT_SPONSORED, Stance.SPONSORED, Stance.UNSTATED


@pytest.mark.parametrize(
    ("ground", "rules", "second", "want"),
    [
        (Ground.EXPLICIT, YES, opinion(YES, SURE), Accord.AGREES),
        (Ground.EXPLICIT, YES, opinion(YES, 0.6), Accord.AGREES),
        (Ground.EXPLICIT, YES, opinion(NO, SURE), Accord.DECIDES),
        (Ground.EXPLICIT, YES, opinion(NO, 0.94), Accord.DOUBTS),
        (Ground.EXPLICIT, YES, opinion(NOTHING, SURE), Accord.DECIDES),
        (Ground.EXPLICIT, Stance.CONDITIONAL, opinion(YES, SURE), Accord.DOUBTS),
        (Ground.LEANT, YES, opinion(NOTHING, 0.6), Accord.DECIDES),
        (Ground.LEANT, YES, opinion(Stance.CONFLICTING, 0.94), Accord.DOUBTS),
        (Ground.NAMED, NOTHING, opinion(YES, 0.6), Accord.DECIDES),
        (Ground.NAMED, NOTHING, opinion(YES, 0.49), Accord.DOUBTS),
        (Ground.NOT_NAMED, NOTHING, opinion(NO, SURE), Accord.DECIDES),
        (Ground.NOT_NAMED, NOTHING, opinion(NO, 0.89), Accord.DOUBTS),
        (Ground.NOT_NAMED, NOTHING, None, Accord.ALONE),
        (Ground.CONFLICT, Stance.CONFLICTING, opinion(YES, SURE), Accord.DECIDES),
    ],
)
def test_who_decides(ground: Ground, rules: Stance, second: Opinion | None, want: Accord) -> None:
    assert accord(ground, rules, second) is want


def test_a_visa_that_no_sentence_names_is_not_decided_on() -> None:
    policy = classify(b"<p>We sponsor the J-1. Apply through ERAS only.</p>")
    assert policy.stance(Visa.H1B) is NOTHING


def test_what_rules_found_said_in_so_many_words_stands() -> None:
    policy = classify(b"<p>We sponsor J-1 visas only.</p><p>Pick up your pager on day one.</p>")
    assert {policy.stance(visa) for visa in VISAS} == {YES, NO}


def test_news_and_titles_of_pages_are_in_no_window() -> None:
    news = (
        "<p>The lottery for H-1B visas opens in May.</p><p><a href='/h1b'>More on the H-1B</a></p>"
    )
    assert windows_of(news) == []
    (window,) = windows_of(f"<p>We sponsor the J-1.</p>{news}")
    assert window.text == "We sponsor the J-1."


def test_a_link_heads_nothing_and_the_foot_of_a_page_answers_nothing() -> None:
    foot = "<p>&copy; Corrow Hill Hospital 10</p>"
    assert windows_of(f"<h2>More on the H-1B</h2>{foot}") == []
    assert (
        windows_of(f"<h2>More on the H-1B</h2><p>We are a hospital of ten floors.</p>{foot}") == []
    )
    (window,) = windows_of(f"<h2>About the H-1B</h2><p>We sponsor it.</p>{foot}")
    assert (window.under, window.text) == ("About the H-1B", "We sponsor it.")


def test_a_header_without_rows_says_nothing() -> None:
    table = "<table><tr><th>Visa</th><th>Sponsored</th></tr></table>"
    policy = classify(f"<h1>Eligibility</h1>{table}<p>We like it here.</p>".encode())
    assert policy.stances == ()


def test_one_sentence_does_not_contradict_itself() -> None:
    said = "We are unable to sponsor J-1 visas; H-1B visas are sponsored."
    policy = classify(f"<h1>Visas</h1><p>{said}</p>".encode())
    assert [policy.stance(visa) for visa in VISAS] == [NO, YES]


def test_every_processor_reads_alike() -> None:
    # Where int8 products are summed in 16 bits, the second of these was 0.96 (see training.export).
    heading, text = (
        "Visas",
        ("We give a home to J-1 physicians.\nH-1B petitions are a bridge too far for us."),
    )
    j1, h1b = chances_of(heading, text)
    assert j1[STANCES.index(Stance.SPONSORED)] == pytest.approx(0.75, abs=0.03)
    assert h1b[STANCES.index(Stance.NOT_SPONSORED)] == pytest.approx(0.85, abs=0.03)
