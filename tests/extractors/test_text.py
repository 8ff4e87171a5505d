"""Bytes to text, text to blocks, blocks to sentences."""

import pytest

from extractors import classify, page_text
from extractors.blocks import BlockKind, html_blocks, text_blocks
from extractors.dates import due
from extractors.decode import decode
from extractors.reading_text import reading_text
from extractors.sentences import sentence_spans
from extractors.sieve import may_speak_of_visas

TEXT = "J‑1 “visas” only — café"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (TEXT.encode(), "text/html"),
        (TEXT.encode(), "text/html; charset=iso-8859-1"),  # a header that is wrong
        (b"\xef\xbb\xbf" + TEXT.encode(), "text/html; charset=utf-16"),
        (TEXT.encode("utf-16"), "text/html"),
        (TEXT.encode("utf-16-le"), "text/html"),
        (TEXT.encode("utf-16-be"), "text/html"),
        (TEXT.encode("gb18030"), "text/html; charset=gb18030"),
        (TEXT.encode(), "text/html; charset=no-such"),
        (TEXT.encode(), "text/html; charset=unicode_escape"),
    ],
)
def test_text_comes_out_right(body: bytes, content_type: str) -> None:
    assert decode(body, content_type) == TEXT


def test_a_page_that_lies_about_utf8_loses_nothing() -> None:
    mixed = "J-1 \u201conly\u201d caf\u00e9 ".encode("cp1252") + "naïve".encode()
    assert decode(mixed, "text/html; charset=utf-8") == "J-1 “only” café naïve"


def test_the_meta_charset_is_used() -> None:
    page = '<meta http-equiv="Content-Type" content="text/html; charset=windows-1252">“J-1”'
    assert decode(page.encode("cp1252")).endswith("“J-1”")


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Graduates of U.S. schools may apply.", 1),
        ("We train in the U.S. We sponsor J-1 visas.", 2),
        ("We do not sponsor H-1B. J-1 visas are fine.", 2),
        ("Dr. Roe, M.D., leads us, e.g. on Mondays.", 1),
        ("See No. 3 of the list. It helps!", 2),
        ("Q. Which visas? A. J-1.", 2),
        ("1. We sponsor J-1 visas. 2. We do not sponsor H-1B visas.", 2),
        ("J-1 visas (ECFMG.) are fine. “No H-1B.” That is all.", 3),
        ("Call 555.1234 or see example.org for more.", 1),
    ],
)
def test_sentences_end_where_they_end(text: str, sentences: int) -> None:
    assert len(sentence_spans(text)) == sentences, sentence_spans(text)


@pytest.mark.parametrize("written", ["J1", "J-1", "J 1", "J–1", "J‑1", "J−1", "Jl", "JI", "J-I"])
def test_every_spelling_of_the_j1(written: str) -> None:
    assert "J-1" in reading_text(f"We take {written} visas.").text


@pytest.mark.parametrize(
    "written", ["H1B", "H-1B", "H1-B", "H1b", "H-1b", "H 1B", "H–1B", "H18", "HI-B", "H1", "H-1"]
)
def test_every_spelling_of_the_h1b(written: str) -> None:
    assert "H-1B" in reading_text(f"We take {written} visas.").text


def test_a_reading_text_maps_back_to_the_page() -> None:
    raw = "We\u00a0sponsor J\u20111\u00ad visas only."
    text = reading_text(raw)
    assert text.text == "We sponsor J-1 only."
    assert raw[text.origin[text.text.index("only")]] == "o"


def test_blocks_know_what_they_stand_under() -> None:
    page = "<h2>Visas</h2><p>We accept:</p><ul><li>J-1<ul><li>ECFMG</li></ul></li></ul><p>End.</p>"
    blocks = html_blocks(page)
    assert [b.text for b in blocks] == ["Visas", "We accept:", "J-1", "ECFMG", "End."]
    assert blocks[2].kind is BlockKind.ITEM
    assert blocks[2].under == ("Visas", "We accept:")
    assert blocks[3].under == ("Visas", "We accept:", "J-1")


def test_a_line_break_inside_a_sentence_is_a_space() -> None:
    assert page_text(b"<p>We sponsor only<br>J-1 visas.<br>Apply early.</p>") == (
        "We sponsor only J-1 visas.\nApply early."
    )


def test_an_element_ends_where_it_does_whatever_stands_in_it() -> None:
    page = "<h2>Our visas<main><li>J-1</li></main>for residents</h2>H-1B"
    texts = [block.text for block in html_blocks(page)]
    assert texts == ["Our visas", "J-1", "for residents", "H-1B"]


def test_plain_text_is_read_by_its_lines() -> None:
    blocks = text_blocks("Visas\n\nWe sponsor J-1\nvisas only.\n- Three letters\n- A photo\n")
    assert [b.text for b in blocks] == [
        "Visas",
        "We sponsor J-1 visas only.",
        "- Three letters",
        "- A photo",
    ]
    assert classify(b"We sponsor <J-1> visas.", "text/plain").evidence[0].quote.startswith("We")


@pytest.mark.parametrize(
    "page",
    [
        "<b>v</b>isa",
        "J<!-- x -->-1",
        "J&#8209;1 only",
        "J-<wbr>1",
        "H<sub>1</sub>B",
        "vi&shy;sa",
        "v\u200bisa",
        "U.S. citi<i>zens</i> only",
        "perma&#110;ent residents only",
        "green&nbsp;card",
    ],
)
def test_the_sieve_sees_through_markup(page: str) -> None:
    assert may_speak_of_visas(page)


@pytest.mark.parametrize(
    "page",
    [
        "<p class='visa'>March 1</p>",
        "<script>var visa = 'J-1';</script><p>Hello</p>",
        "<style>.h1b{}</style><h1>Hello</h1>",
        "<p>Apply by January 15. The 21st of July, 11 am.</p>",
    ],
)
def test_the_sieve_holds_back_what_cannot_speak_of_visas(page: str) -> None:
    assert not may_speak_of_visas(page)


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("by February 1, 2027", "2027-02-01"),
        ("before 02/01/2027", "2027-02-01"),
        ("on 1 Feb 2027", "2027-02-01"),
        ("by 2027-02-01", "2027-02-01"),
        ("by Feb. 1st", "Feb. 1st"),
        ("before the rank list deadline", "before the rank list deadline"),
        ("February 31, 2027", "February 31, 2027"),
        ("it may be passed at 5 pm", None),
    ],
)
def test_dates(text: str, by: str | None) -> None:
    assert due(text) == by


def test_a_short_line_heads_what_follows_but_a_menu_does_not() -> None:
    line = "<p>We sponsor the J-1.</p>"
    assert html_blocks(f"<p>Surgery</p>{line}")[-1].under == ("Surgery",)
    menu = "<br>".join(["Home", "Medicine", "Pediatrics", "Surgery"])
    assert html_blocks(f"<div>{menu}</div>{line}")[-1].under == ()


def test_a_date_of_posting_heads_nothing() -> None:
    page = "<h2>Visas</h2><p>Posted by webteam on May 3, 2026</p><p>We sponsor the J-1.</p>"
    assert html_blocks(page)[-1].under == ("Visas",)


def test_a_menu_beside_the_page_is_no_label_of_it() -> None:
    menu = "<td>Home<br>Surgery<br>News: a resident came on a J-1.</td>"
    page = f"<table><tr>{menu}<td>Welcome.<p>We do not sponsor visas.</td></tr></table>"
    assert "We do not sponsor visas." in [block.text for block in html_blocks(page)]
    row = "<table><tr><td>Visas</td><td>J-1 only</td></tr></table>"
    assert html_blocks(row)[-1].text == "Visas: J-1 only"


def test_the_end_of_a_column_does_not_head_the_next() -> None:
    page = (
        "<table><tr><td>Home<br>Surgery</td><td><p>We sponsor the J-1.<p>Welcome.</td></tr></table>"
    )
    assert [b.under for b in html_blocks(page) if "J-1" in b.text] == [()]
