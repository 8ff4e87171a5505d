"""What belongs together is told once: an institution, a wave; and what matters leads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from alerts_bench import BOTH, J1_ONLY, NOW, PAGE, REWORDED, Bench, html_of, policy
from alerts_bench import text_of as text_as_sent

from extractors.conditions import ConditionKind
from extractors.values import Condition, Stance, Visa
from monitor.alerts import notes
from store import changes, waves
from store.records import Change, Mail, Program, stamp

SITE = "https://visawatch.example"
DATED = [
    policy(
        Stance.SPONSORED,
        Stance.SPONSORED,
        f"Step 3 must be passed by {by}.",
        Condition(Visa.H1B, ConditionKind.STEP3_PASSED, by),
    )
    for by in ("2027-02-01", "2027-03-01")
]


def office(bench: Bench, institution: str, count: int) -> list[str]:
    """So many programs of an institution, by id."""
    ids = [f"{institution.split()[0].lower()}-{n}" for n in range(count)]
    for number, program_id in enumerate(ids, 1):
        bench.add_program(Program(program_id, institution, f"Specialty {number}"))
    return ids


def change_all(
    bench: Bench,
    ids: list[str],
    before: dict[str, Any] = BOTH,
    after: dict[str, Any] = J1_ONLY,
    *,
    severity: str = "critical",
    kind: str = "policy_changed",
) -> list[int]:
    """A night in which these programs changed; gives the changes' numbers."""
    with bench.store.writing():
        cycle = bench.store.write("INSERT INTO cycles (started_at) VALUES (?)", (stamp(NOW),))
        flagged = [
            changes.flag(
                bench.store,
                Change(0, i, cycle, kind, severity, "open", before, after, stamp(NOW), PAGE),
            )
            for i in ids
        ]
    return [change.id for change in flagged if change is not None]


def join_wave(bench: Bench, numbers: list[int]) -> None:
    with bench.store.writing():
        cycle = changes.get(bench.store, numbers[0]).cycle_id
        waves.join(bench.store, waves.begin(bench.store, "H-1B", "less", cycle), numbers)


def text_of(mail: Mail) -> str:
    return text_as_sent(mail).replace("\r\n", "\n")


def subscribe_from_the_first(bench: Bench, address: str, **wish: str) -> None:
    """To the changes that were flagged already, too."""
    one = bench.subscribe(address, **wish)
    with bench.store.writing():
        bench.store.write("UPDATE subscriptions SET after_change = 0 WHERE id = ?", (one.id,))


def mailed(bench: Bench, **wish: str) -> Mail:
    subscribe_from_the_first(bench, "ana@a.example", **wish)
    assert bench.enqueue(NOW + timedelta(days=7), base_url=SITE) == 1
    return bench.mails()[0]


def test_an_offices_rule_is_one_entry_that_names_its_programs(bench: Bench) -> None:
    change_all(bench, office(bench, "Fernway Hospital", 40))
    mail = mailed(bench)
    assert mail.subject == "VisaWatch: Fernway Hospital (40 programs) no longer sponsors H-1B"
    for part in (text_of(mail), html_of(mail)):
        assert part.count("no longer sponsors H-1B</bdi></h2>") <= 1
        assert part.count("We sponsor J-1 visas only; we do not sponsor H-1B.") == 1
        assert "Specialty 1, Specialty 2," in part.replace("\n", " ")
        assert "Specialty 13" not in part
        assert "28 more" in part.replace("\n", " ")
        assert f"{SITE}/changes/1" in part
    assert text_of(mail).count("no longer sponsors H-1B") == 1


@pytest.mark.parametrize(("count", "named"), [(13, 13), (14, 12)])
def test_one_name_is_never_left_out_to_say_that_there_is_one_more(
    bench: Bench, count: int, named: int
) -> None:
    change_all(bench, office(bench, "Fernway Hospital", count))
    text = text_of(mailed(bench)).replace("\n", " ")
    assert f"Specialty {named}" in text
    assert (f"and {count - named} more" in text) == (count != named)


def test_an_institution_is_one_heading_and_what_matters_leads(bench: Bench) -> None:
    ids = office(bench, "Fernway Hospital", 3)
    change_all(bench, ids[:1], BOTH, REWORDED, severity="minor", kind="wording_changed")
    change_all(bench, ids[1:2], *DATED, severity="major")
    change_all(bench, ["lakeside-fm"], *DATED, severity="major")
    change_all(bench, ids[2:])
    mail = mailed(bench, frequency="weekly", severity="minor")
    assert mail.subject == (
        "VisaWatch weekly digest: Fernway Hospital, Specialty 3 no longer sponsors H-1B, and 3 more"
    )
    text = text_of(mail)
    top, _, rest = text.partition("=" * 66)
    assert top.split("\n\n") == [
        "4 changes at 2 institutions, weekly digest",
        "CRITICAL\n  * Fernway Hospital, Specialty 3 no longer sponsors H-1B, and 2 more changes",
        "MAJOR\n  * Lakeside Health, Family Medicine changed its conditions for H-1B",
        "",
    ]
    order = [line.removeprefix("Severity:  ") for line in rest.split("\n") if "Severity" in line]
    assert order == ["critical", "major", "minor", "major"]


def test_of_many_changes_of_one_institution_three_are_told_whole(bench: Bench) -> None:
    for number, program_id in enumerate(office(bench, "Fernway Hospital", 20)):
        after = policy(Stance.SPONSORED, Stance.NOT_SPONSORED, f"No H-1B (page {number}).")
        change_all(bench, [program_id], BOTH, after)
    mail = mailed(bench)
    text = text_of(mail)
    assert mail.subject.endswith("Specialty 1 no longer sponsors H-1B, and 19 more")
    assert text.count("Severity:") == 3
    assert text.count("\n- Fernway Hospital, Specialty ") == 12
    assert f"- and 5 more: {SITE}/changes?week=2026-W48" in text
    assert f"{SITE}/changes?week=2026-W48" in html_of(mail)


def national_rule(bench: Bench, institutions: int) -> None:
    """So many institutions give up the H-1B, the last ones by a condition only."""
    numbers = []
    for number in range(institutions):
        ids = office(bench, f"Moor{number} Clinic", 1 + number % 3)
        after = policy(Stance.SPONSORED, Stance.NOT_SPONSORED, f"Moor{number} sponsors no H-1B.")
        major = number == 0
        numbers += (
            change_all(bench, ids, *DATED, severity="major")
            if major
            else change_all(bench, ids, BOTH, after)
        )
    join_wave(bench, numbers)


def test_a_wave_is_one_entry_with_its_list_the_most_severe_first(bench: Bench) -> None:
    national_rule(bench, 6)
    change_all(bench, ["harborview-im"])
    mail = mailed(bench)
    told = "12 programs of 6 institutions cut back on H-1B, 2026-11-25"
    assert mail.subject == f"VisaWatch: {told}, and 1 more"
    text = text_of(mail)
    assert text.index(told) < text.index("Harborview")
    assert text.count(told) == html_of(mail).count(f"<h2{STYLE}>{told}") + 1 == 2
    lines = [line for line in text.split("\n") if line.startswith("- ")]
    assert len(lines) == 6
    assert lines[0] == "- Moor2 Clinic (3 programs) no longer sponsors H-1B"
    assert lines[-1] == "- Moor0 Clinic, Specialty 1 changed its conditions for H-1B (major)"
    for number in range(1, 6):
        for part in (text, html_of(mail)):
            assert f"Moor{number} sponsors no H-1B." in part
    assert text.count("Severity:") == 1  # of the one that is no part of it


STYLE = ' style="margin:0 0 4px;font-size:19px;line-height:1.35;"'


def test_a_long_wave_is_cut_and_says_where_the_rest_is(bench: Bench) -> None:
    national_rule(bench, 20)
    text = text_of(mailed(bench))
    assert sum(line.startswith("- Moor") for line in text.split("\n")) == 12
    assert f"- and 9 more: {SITE}/changes?week=2026-W48" in text


def test_of_a_wave_that_was_asked_for_in_part_one_institution_is_told_as_ever(
    bench: Bench,
) -> None:
    national_rule(bench, 6)
    mail = mailed(bench, institution="Moor2 Clinic")
    assert mail.subject == "VisaWatch: Moor2 Clinic (3 programs) no longer sponsors H-1B"
    assert "Moor1" not in text_of(mail)


def test_a_mail_about_a_page_that_is_gone_puts_no_words_into_its_mouth(bench: Bench) -> None:
    bench.flag(after=BOTH, kind="page_gone", severity="major")
    mail = mailed(bench)
    text = text_of(mail)
    assert "After, the page says:\n    (the page is gone; the policy last known stands)" in text
    assert text.count("We sponsor J-1 and H-1B visas for our residents.") == 1
    assert html_of(mail).count("We sponsor J-1 and H-1B visas for our residents.") == 1


def test_a_program_that_is_there_twice_is_named_with_its_level(bench: Bench) -> None:
    for level in ("residency", "fellowship"):
        bench.add_program(Program(f"fern-{level}", "Fernway Hospital", "Neurology", level=level))
    bench.add_program(Program("fern-im", "Fernway Hospital", "Pathology", level="residency"))
    change_all(bench, ["fern-residency", "fern-fellowship", "fern-im"])
    assert "Neurology (residency), Neurology (fellowship), Pathology" in text_of(mailed(bench))


def test_a_chat_gets_a_wave_as_one_entry_too(bench: Bench) -> None:
    national_rule(bench, 20)
    subscribe_from_the_first(bench, "jsons://hooks.example/visas")
    assert bench.enqueue(base_url=SITE) == 1
    title, text, data = notes.parts(bench.mails()[0])
    told = "39 programs of 20 institutions cut back on H-1B, 2026-11-25"
    assert title == f"VisaWatch: {told}"
    lines = text.splitlines()
    assert lines[0] == f"{told} (critical)"
    assert lines[1] == "- Moor2 Clinic (3 programs) no longer sponsors H-1B"
    assert lines[9] == f"- and 17 more: {SITE}/changes?week=2026-W48"
    assert len(text) <= notes.LONGEST
    assert len(data["changes"]) == 39
