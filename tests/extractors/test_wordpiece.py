"""Text as the numbers of word pieces, held to what the package says that it is taken from."""

from __future__ import annotations

import pytest

from extractors.wordpiece import WordPieces

_PIECES = """
[PAD] [UNK] [CLS] [SEP] visa ##s we sponsor j - 1 h ##1 ##b and . , ? ! ' ’ “ $ + | ~ ^ no
resident ##ident res ##i ##d ##e ##n ##t 中 文 cafe naive σ ς ss ß i e é u.s u s b http : /
example _ & 18 h1b ( ) ## # a ##a 🙂 § – £ €
"""
PIECES = _PIECES.split()
MOST = 16


@pytest.mark.parametrize(
    ("under", "text", "pieces", "second"),
    [  # what tokenizers 0.23.3 makes of these, with the same pieces
        ("", "We sponsor J-1 visas.", "we sponsor j - 1 visa ##s . [SEP]", 0),
        ("Visas", "No.", "visa ##s [SEP] no . [SEP]", 3),
        ("", "H1B and\tJ-1\r\nvisas\x00\ufffd", "h1b and j - 1 visa ##s [SEP]", 0),
        (
            "",
            "CAF\xc9 na\xefve \u03a3\u0391\u03a3 \u03a3\u03a3 \u03c2",
            "cafe naive [UNK] [UNK] \u03c2 [SEP]",
            0,
        ),
        ("", "\u4e2d\u6587visa", "\u4e2d \u6587 visa [SEP]", 0),
        ("", "resident RESIDENTS re\u017fident", "resident resident ##s [UNK] [SEP]", 0),
        ("", 100 * "a", "a ##a ##a ##a ##a ##a ##a ##a ##a ##a ##a ##a ##a ##a [SEP]", 0),
        ("", 101 * "a", "[UNK] [SEP]", 0),
        ("", "h\xadone J\u20111 j\u20131 h\u200b1b", "[UNK] j [UNK] 1 j \u2013 1 h1b [SEP]", 0),
        (
            "",
            "\u201cNo,\u201d we sponsor\u2026 \xa31 \u20ac1 $1 +1 \xa71",
            "\u201c no , [UNK] we sponsor [UNK] \xa3 ##1 \u20ac ##1 $ 1 + [SEP]",
            0,
        ),
        ("", "U.S. b_u & http://example/?", "u . s . b _ u & http : / / example / [SEP]", 0),
        ("", "\xdf \u1e9e \u0130 \u0131", "\xdf \xdf i [UNK] [SEP]", 0),
        ("", "\U0001f642 visa\U0001f642visa", "\U0001f642 [UNK] [SEP]", 0),
        ("", "\u3000visa\xa0visa\u2028visa\x85visa\x0bvisa\x1fvisa", "visa visa [UNK] [SEP]", 0),
        ("", "# ## ##s a#a", "# # # # # s a # a [SEP]", 0),
        (" ", "visa", "[SEP] visa [SEP]", 2),
        ("", "", "[SEP]", 0),
        ("\u200b", "j", "[SEP] j [SEP]", 2),
        ("", "\ud55c\uad6d visa", "[UNK] visa [SEP]", 0),
        (
            9 * "visa ",
            3 * "visas ",
            "visa visa visa visa visa visa visa [SEP] visa ##s visa ##s visa ##s [SEP]",
            7,
        ),
        (
            3 * "visa ",
            9 * "visas ",
            "visa visa visa [SEP] visa ##s visa ##s visa ##s visa ##s visa ##s [SEP]",
            11,
        ),
        (
            9 * "visa ",
            9 * "visa ",
            "visa visa visa visa visa visa [SEP] visa visa visa visa visa visa visa [SEP]",
            8,
        ),
        (
            30 * "visa ",
            30 * "visa ",
            "visa visa visa visa visa visa [SEP] visa visa visa visa visa visa visa [SEP]",
            8,
        ),
        (
            "",
            20 * "visas ",
            "visa ##s visa ##s visa ##s visa ##s visa ##s visa ##s visa ##s [SEP]",
            0,
        ),
    ],
)
def test_pieces_are_those_that_the_reader_was_taught_with(
    under: str, text: str, pieces: str, second: int
) -> None:
    ids, types = WordPieces(PIECES).encode(under, text, MOST)
    assert " ".join(PIECES[number] for number in ids) == f"[CLS] {pieces}"
    assert types == [0] * (len(ids) - second) + [1] * second


def test_a_page_cannot_end_a_window() -> None:
    ids, _ = WordPieces(PIECES).encode("", "visa [SEP] visa", MOST)
    assert [PIECES[number] for number in ids].count("[SEP]") == 1


def test_a_vocabulary_without_a_mark_is_none() -> None:
    with pytest.raises(ValueError, match=r"no \[UNK\]"):
        WordPieces(["visa"])
