"""Statements know whom they speak of, and each program that asks hears its own."""

from __future__ import annotations

import json

import pytest

from extractors import (
    Asker,
    Category,
    Policy,
    Stance,
    Statement,
    Visa,
    classify,
    policy_for,
    read_page,
)

IM = Asker("residency", "Internal Medicine")
SURGERY = Asker("residency", "General Surgery")
NEUROLOGY = Asker("residency", "Neurology")
CARDIOLOGY = Asker("fellowship", "Cardiovascular Disease")
NEPHROLOGY = Asker("fellowship", "Nephrology")


def read(asker: Asker, *paragraphs: str) -> Policy:
    page = "".join(p if p.startswith("<") else f"<p>{p}</p>" for p in paragraphs)
    return classify(page.encode(), asker=asker)


TABLE = (
    "<table><tr><th>Department</th><th>J-1</th><th>H-1B</th></tr>"
    "<tr><td>Internal Medicine</td><td>Yes</td><td>Yes</td></tr>"
    "<tr><td>General Surgery</td><td>Yes</td><td>No</td></tr>"
    "<tr><td>Oral Surgery</td><td>No</td><td>No</td></tr></table>"
)


def test_a_table_of_departments_answers_each_for_itself() -> None:
    statements = read_page(TABLE.encode())
    answers = {
        asker.specialty: policy_for([statements], asker=asker)[0].category
        for asker in (IM, SURGERY, NEUROLOGY, Asker(specialty="Oral Surgery"))
    }
    assert list(answers.values()) == [
        Category.J1_AND_H1B,
        Category.J1_ONLY,
        Category.UNSTATED,
        Category.NO_SPONSORSHIP,
    ]


@pytest.mark.parametrize(
    "text",
    [
        "We sponsor the J-1 for residents and the H-1B for fellows. Fellows may hold a J-1.",
        "Our residency sponsors J-1 visas only. Our fellowships sponsor J-1 and H-1B visas.",
    ],
)
def test_residents_and_fellows_are_told_apart(text: str) -> None:
    assert read(IM, text).stance(Visa.H1B) is not Stance.SPONSORED
    assert read(IM, text).stance(Visa.J1) is Stance.SPONSORED
    assert read(CARDIOLOGY, text).category is Category.J1_AND_H1B


def test_a_department_speaks_for_its_fellowships() -> None:
    text = "The Department of Medicine sponsors J-1 and H-1B visas."
    assert read(NEPHROLOGY, text).category is Category.J1_AND_H1B
    assert read(SURGERY, text).category is Category.UNSTATED


def test_another_fellowship_is_not_the_asker() -> None:
    text = "Our cardiology fellowship does not sponsor H-1B visas."
    assert read(NEPHROLOGY, text).category is Category.UNSTATED
    assert read(CARDIOLOGY, text).stance(Visa.H1B) is Stance.NOT_SPONSORED


def test_sections_speak_of_their_heading() -> None:
    page = (
        "<h1>Visas</h1><h2>Internal Medicine</h2><p>We sponsor J-1 and H-1B visas.</p>"
        "<h2>Surgery</h2><p>We sponsor J-1 visas only.</p>"
    )
    assert read(IM, page).category is Category.J1_AND_H1B
    assert read(SURGERY, page).category is Category.J1_ONLY


def test_the_exception_beats_the_rule() -> None:
    text = (
        "All programs of the hospital sponsor J-1 visas only.",
        "Neurology also sponsors H-1B visas.",
    )
    assert read(IM, *text).category is Category.J1_ONLY
    assert read(NEUROLOGY, *text).category is Category.J1_AND_H1B


def test_those_left_out_are_told_the_opposite() -> None:
    text = "H-1B visas are sponsored in all departments except Neurology."
    assert read(IM, text).stance(Visa.H1B) is Stance.SPONSORED
    assert read(NEUROLOGY, text).stance(Visa.H1B) is Stance.NOT_SPONSORED


def test_another_rule_refers_to_it() -> None:
    text = ("Medicine: J-1 only.", "Transitional year: same as Medicine.")
    assert read(Asker("residency", "Transitional Year"), *text).category is Category.J1_ONLY


def test_history_does_not_count_against_now() -> None:
    policy = read(IM, "In the past we sponsored H-1B visas. We now sponsor J-1 visas only.")
    assert policy.category is Category.J1_ONLY
    assert not policy.needs_review


def test_the_latest_season_wins() -> None:
    text = ("2026 Match: H-1B visas are sponsored.", "2027 Match: H-1B visas are not sponsored.")
    assert read(IM, *text).stance(Visa.H1B) is Stance.NOT_SPONSORED


def test_what_begins_with_a_season_beats_what_is_undated() -> None:
    text = (
        "We do not sponsor H-1B visas.",
        "Beginning with the 2027 Match, we will sponsor H-1B visas.",
    )
    assert read(IM, *text).stance(Visa.H1B) is Stance.SPONSORED


def test_equals_that_disagree_conflict() -> None:
    text = ("Internal Medicine sponsors H-1B.", "Internal Medicine does not sponsor H-1B.")
    policy = read(IM, *text)
    assert policy.stance(Visa.H1B) is Stance.CONFLICTING
    assert len({e.quote for e in policy.evidence if e.visa is Visa.H1B}) == 2


def test_other_programs_are_other_programs() -> None:
    text = "Other programs at this hospital sponsor H-1B visas; we do not sponsor H-1B visas."
    assert read(IM, text).stance(Visa.H1B) is Stance.NOT_SPONSORED


def test_statements_survive_json() -> None:
    page = TABLE + "<p>Until 2025 residents could hold an H-1B with Step 3. Fellows: J-1.</p>"
    for statement in read_page(page.encode()):
        again = Statement.from_json(json.loads(json.dumps(statement.to_json())))
        assert again == statement


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Obstetrics and Gynecology", "OB/GYN residents"),
        ("Physical Medicine and Rehabilitation", "the PM&R residency"),
        ("Medicine-Pediatrics", "the Med-Peds program"),
        ("Emergency Medicine", "EM residents"),
        ("Family Medicine (Worcester)", "the family medicine program"),
        ("Radiology-Diagnostic", "the Radiology residency"),
        ("Pulmonary Disease and Critical Care Medicine", "pulmonary and critical care fellows"),
        ("Hematology and Oncology", "Hem/Onc fellows"),
    ],
)
def test_specialties_go_by_many_names(name: str, text: str) -> None:
    said = f"H-1B visas are sponsored for {text}."
    assert read(Asker(specialty=name), said).stance(Visa.H1B) is Stance.SPONSORED
    assert read(Asker(specialty="Urology"), said).stance(Visa.H1B) is Stance.UNSTATED
