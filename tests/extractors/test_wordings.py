"""Ways of saying it in which the place of a sentence, and not only its words, decides."""

import pytest

from benchmarks.labelled import as_html
from extractors import Asker, Visa, classify

YES, NO, MAYBE, NOTHING = "sponsored", "not_sponsored", "conditional", "unstated"


@pytest.mark.parametrize(
    ("passage", "level", "specialty", "j1", "h1b"),
    [
        # The heading says whom it is about.
        ("# Postdoctoral scholars\nVisa sponsorship: J-1.", "", "", NOTHING, NOTHING),
        # The line of a picture stands between a question and its answer.
        (
            "Does ECFMG sponsor your interns for a J-1?\n[Photo: the roof garden]\nIt does.",
            "", "", YES, NOTHING,
        ),
        # Two lists, each with its heading.
        (
            "# Visas we can sponsor\n- H-1B\n# Visas we cannot sponsor\n- J-1",
            "", "", NO, YES,
        ),
        # A label and its value, each a line.
        ("Visa sponsorship\nNot available\nParking\nFree", "", "", NO, NO),
        # A heading for those that no other heading names.
        ("# J-1\nYes.\n# Other visas\nNo.", "", "", YES, NO),
        ("J-1: yes.\n# Any other visa\nNo.", "", "", YES, NO),
        ("# J-1\nYes.\n# H-1B\nYes.\n# Other visas\nNo.", "", "", YES, YES),
        ("# Other visas\nNo.\n# J-1\nYes.", "", "", YES, NO),
        # The row of now, below those of years.
        (
            "Year | J-1 | H-1B\n2024 | yes | no\n2025 | yes | no\nThis season | yes | yes",
            "", "", YES, YES,
        ),
        # "Neither" is those named for others.
        (
            "Surgery and Pathology accept J-1 and H-1B; Neurology accepts neither.",
            "", "Neurology", NO, NO,
        ),
        ("Fellows: no H-1B. Residents: yes.", "residency", "", NOTHING, YES),
        # The "only" is the sponsor's, not the visa's.
        ("We sponsor J-1 visas, through ECFMG only.", "", "", YES, NOTHING),
        # A hedge that sounds like a refusal.
        ("J-1 sponsorship is offered. H-1B sponsorship is ordinarily not available.",
         "", "", YES, MAYBE),
        # What happens to those who are late.
        (
            "When must Step 3 be passed for an H-1B?\nBy April 1, 2027, or we cannot file.",
            "", "", NOTHING, YES,
        ),
        # What nobody needs is no refusal.
        ("Visa | Approved by\nJ-1 | no further approval\nH-1B | the DIO must approve",
         "", "", YES, MAYBE),
        # A heading that turns away.
        ("# Reasons for rejection\n- No letters\n- H-1B would be needed", "", "", NOTHING, NO),
        # A dependant's visa is not the trainee's.
        ("J-1: Y\nJ-2: N", "", "", YES, NOTHING),
    ],
)  # fmt: skip
def test_a_sentence_is_read_in_its_place(
    passage: str, level: str, specialty: str, j1: str, h1b: str
) -> None:
    policy = classify(as_html(passage).encode(), asker=Asker(level, specialty))
    assert [str(policy.stance(visa)) for visa in (Visa.J1, Visa.H1B)] == [j1, h1b]
