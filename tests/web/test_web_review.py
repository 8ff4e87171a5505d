"""The review room without JavaScript: its queue, its screens and its forms."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from hostile import SHOWN, hostile
from serving import PASSWORD, Serve, words

from monitor.status import statuses
from store import changes, policies, verdicts, waves
from store.database import Store

NOTE = "a page for last year"


def category(database: Path, program_id: str) -> str:
    """What stands for a program."""
    with Store(database) as store:
        found = {s.program.program_id: s.policy for s in statuses(store)}[program_id]
    assert found is not None
    return str(found.category)


def test_the_queue_has_what_waits_by_institution(users: Path, serve: Serve) -> None:
    ben = serve(users).enter("ben", PASSWORD)
    page = ben.page("/review")
    groups = [words(h) for h in page.xpath("//section[@class='group']/h2")]
    assert groups[0].startswith("Lantern Hill Medical Center")
    assert len(page.cssselect(".entry")) == 4
    assert "(J-1 and H-1B → J-1 only)" in words(page)
    only = ben.page("/review?q=quillwater+family")
    assert [words(e) for e in only.cssselect(".entry")] == ["Family Medicine"]
    assert "No change is like that" in words(ben.page("/review?severity=minor&assigned=ada"))


def test_a_change_is_on_one_screen(users: Path, serve: Serve) -> None:
    page = serve(users).enter("ben", PASSWORD).page("/review/1")
    text = words(page)
    for said in (
        "(J-1 and H-1B → J-1 only)",
        "Only J-1 visas are sponsored; the program no longer sponsors H-1B visas.",
        "J-1 and H-1B visas are sponsored for residents who need one.",
        "decides: H-1B not sponsored",
        "2026-11-22 J-1 and H-1B stood from here",
    ):
        assert said in text
    gone = page.xpath("//h2[.='Word by word']/following::p[1]//del")
    assert words(gone[0]) == "J-1 and H-1B"
    assert page.xpath("//a[@rel='next']/@href") == ["/review/2"]
    assert page.xpath("//a[@rel='prev']") == []


def test_the_page_as_it_was_is_text_with_the_statement_marked(users: Path, serve: Serve) -> None:
    ben = serve(users).enter("ben", PASSWORD)
    frames = ben.page("/review/1").xpath("//iframe")
    assert all(frame.get("sandbox") == "" for frame in frames)
    marked = [
        [words(mark) for mark in ben.page(frame.get("src").split("#")[0]).xpath("//mark")]
        for frame in frames
    ]
    assert marked == [
        ["J-1 and H-1B visas are sponsored for residents who need one."],
        ["Only J-1 visas are sponsored; the program no longer sponsors H-1B visas."],
    ]
    for wrong in ("0" * 64, "..", "x" * 64):
        assert ben.client.get(f"/review/1/page/after/{wrong}").status_code == 404


def test_nothing_of_a_page_that_means_harm_is_more_than_text(users: Path, serve: Serve) -> None:
    hostile(users)
    ben = serve(users).enter("ben", PASSWORD)
    page = ben.page(ben.page("/review/5").xpath("//iframe")[-1].get("src").split("#")[0])
    assert [words(mark) for mark in page.xpath("//mark")] == [SHOWN]
    assert "Deep down." in words(page)
    assert {tag.tag for tag in page.iter()} == {
        *("html", "head", "meta", "title", "style", "body", "main", "h1", "p", "mark")
    }


def test_decisions_lead_on_and_can_be_undone(users: Path, serve: Serve) -> None:
    ben = serve(users).enter("ben", PASSWORD)
    answer = ben.send("/review/1", "/review/1/decision", verdict="accepted")
    assert (answer.status_code, answer.headers["location"]) == (303, "/review/2?done=1")
    assert "Change 1" in words(ben.page("/review/2?done=1").cssselect(".done")[0])
    assert ben.send("/review/2", "/review/2/decision", verdict="dismissed").status_code == 422
    ben.send("/review/2", "/review/2/decision", verdict="dismissed", note=NOTE)
    assert category(users, "quillwater-family-medicine") == "no_sponsorship"
    said = words(ben.page("/review/2"))
    assert f"dismissed by ben, 2026-11-24 12:00 UTC: {NOTE}" in said
    assert ben.send("/review/2", "/review/2/undo").headers["location"] == "/review/2"
    assert category(users, "quillwater-family-medicine") == "j1_only"
    assert "undone by ben" in words(ben.page("/review/2"))


def test_a_correction_stands_and_teaches(users: Path, serve: Serve) -> None:
    ben = serve(users).enter("ben", PASSWORD)
    fields = {
        "verdict": "corrected",
        "stance:J-1": "sponsored",
        "stance:H-1B": "conditional",
        "condition:H-1B:step3_passed": "1",
        "by:H-1B:step3_passed": "2027-02-01",
        "example": "1",
    }
    assert ben.send("/review/1", "/review/1/decision", **fields).status_code == 303
    assert category(users, "lantern-hill-internal-medicine") == "j1_h1b_case_by_case"
    (line,) = ben.get("/review/examples.jsonl").text.splitlines()
    example = json.loads(line)
    assert example["stances"] == {"J-1": "sponsored", "H-1B": "conditional"}
    assert {"visa": "H-1B", "kind": "step3_passed", "by": "2027-02-01"} in example["conditions"]
    assert "Only J-1 visas are sponsored" in example["passage"]
    wrong = ben.send("/review/2", "/review/2/decision", **{**fields, "stance:J-1": "perhaps"})
    assert wrong.status_code == 422
    assert "Nothing was done" in wrong.text


def test_a_correction_of_a_first_reading_teaches_too(users: Path, serve: Serve) -> None:
    ben = serve(users).enter("ben", PASSWORD)
    page, program = "/review/readings/lantern-hill-surgery", "lantern-hill-surgery"
    fields = {"verdict": "corrected", "stance:J-1": "sponsored", "stance:H-1B": "conditional"}
    assert not [f for f in ben.page(page).forms if f.action.endswith("/example")]
    early = ben.client.post(
        f"{page}/example", data={"form": ben.page(page).forms[0].fields["form"]}
    )
    assert (early.status_code, "was not corrected" in early.text) == (422, True)
    assert ben.send(page, f"{page}/decision", **fields).status_code == 303
    assert category(users, program) == "j1_h1b_case_by_case"
    assert ben.get("/review/examples.jsonl").text == ""
    for _ in range(2):
        assert ben.send(page, f"{page}/example").headers["location"] == page
    (line,) = ben.get("/review/examples.jsonl").text.splitlines()
    assert json.loads(line)["stances"] == {"J-1": "sponsored", "H-1B": "conditional"}
    assert json.loads(line)["passage"]
    ben.send(page, f"{page}/decision", **fields, example="1", note="asked again")
    assert len(ben.get("/review/examples.jsonl").text.splitlines()) == 2


def test_the_second_of_two_sees_what_the_first_has_decided(users: Path, serve: Serve) -> None:
    served = serve(users)
    ada, ben = (served.enter(name, PASSWORD) for name in ("ada", "ben"))
    form = next(f for f in ben.page("/review/1").forms if f.action == "/review/1/decision")
    ada.send("/review/1", "/review/1/decision", verdict="dismissed", note=NOTE)
    late = ben.client.post(form.action, data={**dict(form.fields), "verdict": "accepted"})
    assert late.status_code == 409
    assert "Somebody was faster" in late.text
    assert "<b>dismissed</b> by ada" in late.text
    assert NOTE in late.text
    with Store(users) as store:
        assert [r.by for r in verdicts.of_change(store, 1)] == ["ada"]


def test_what_is_said_of_a_change_is_shown(users: Path, serve: Serve) -> None:
    ben = serve(users).enter("ben", PASSWORD)
    token = dict(ben.page("/review/1").forms[0].fields)["form"]

    def say(kind: str, text: str) -> int:
        fields = {"form": token, "kind": kind, "text": text}
        return ben.client.post("/review/1/remark", data=fields).status_code

    assert say("comment", "<b>asked</b> them") == 303
    assert say("assign", "ADA") == 303
    assert say("snooze", "2026-12-24") == 303
    assert [say("comment", " "), say("assign", "eve"), say("snooze", "soon"), say("x", "")] == [
        422,
        404,
        422,
        422,
    ]
    page = ben.page("/review/1")
    assert "<b>asked</b> them ben, 2026-11-24 12:00 UTC" in words(page)
    assert "for ada" in words(page)
    assert len(ben.page("/review").cssselect(".entry")) == 3
    assert len(ben.page("/review?snoozed=true&assigned=ada").cssselect(".entry")) == 1


def test_a_group_is_decided_on_at_once_or_not_at_all(users: Path, serve: Serve) -> None:
    with Store(users) as store, store.writing():  # the same page says so of another program
        first = changes.get(store, 1)
        changes.flag(store, replace(first, program_id="lantern-hill-pediatrics"))
    served = serve(users)
    ada, ben = (served.enter(name, PASSWORD) for name in ("ada", "ben"))
    form = next(f for f in ben.page("/review").forms if f.action == "/review/1/decision")
    sent = {**dict(form.fields), "verdict": "accepted"}
    assert sent["group_seen"] == "1:0 5:0"
    ada.send("/review/5", "/review/5/decision", verdict="accepted")
    assert ben.client.post(form.action, data=sent).status_code == 409
    ada.send("/review/5", "/review/5/undo")
    again = next(f for f in ben.page("/review").forms if f.action == "/review/1/decision")
    assert ben.client.post(
        again.action, data={**dict(again.fields), "verdict": "accepted"}
    ).is_redirect
    with Store(users) as store:
        assert [changes.get(store, n).status for n in (1, 5)] == ["accepted", "accepted"]


def test_a_wave_is_one_thing_to_decide_on(users: Path, serve: Serve) -> None:
    with Store(users) as store, store.writing():
        waves.join(store, waves.begin(store, "H-1B", "less", 3), [1, 3])
    ben = serve(users).enter("ben", PASSWORD)
    page = ben.page("/review")
    said = "Wave 1: 2 programs of 2 institutions cut back on H-1B, 2026-11-23 to 2026-11-24"
    assert said in words(page)
    groups = [words(h) for h in page.xpath("//section[@class='group']/h2")]
    assert [g.endswith("wave 1") for g in groups] == [True, True, False, False]
    (form,) = [f for f in page.forms if "wave" in f.fields]
    assert ben.client.post(form.action, data={**form.fields, "verdict": "accepted"}).is_redirect
    with Store(users) as store:
        found = [changes.get(store, number).status for number in (1, 2, 3)]
    assert found == ["accepted", "open", "accepted"]


def test_health_is_told_to_people_and_machines(users: Path, serve: Serve) -> None:
    served = serve(users)
    text = words(served.enter("ben", PASSWORD).page("/review/health"))
    for said in (
        "Last cycle2026-11-24 02:00 UTC",
        "Next cycle2026-11-26 02:00 UTC",  # each second night, in interview season
        "4 critical, 0 major, 0 minor",
        "Over the last 3 cycles",
        "Not read for longest",
    ):
        assert said in text
    lines = served.get("/metrics").text.splitlines()
    assert 'visawatch_open_changes{severity="critical"} 4.0' in lines
    assert "visawatch_last_cycle_changes 2.0" in lines
    measured = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert float(measured["visawatch_cycle_overdue_seconds"]) >= 0
    assert float(measured["visawatch_oldest_mail_seconds"]) >= 0
    assert any(line.startswith("visawatch_database_bytes ") for line in lines)


def test_programs_that_say_the_same_are_linked(users: Path, serve: Serve) -> None:
    """Three of one hospital rest on the page of its office; the changes of two of them wait."""
    with Store(users) as store, store.writing():
        first = changes.get(store, 1)
        office = policies.standing(store, ["marrow-bay-pathology"])["marrow-bay-pathology"].policy
        for name in ("pathology", "psychiatry"):
            flagged = replace(first, program_id=f"marrow-bay-{name}", after=office)
            changes.flag(store, flagged)
    page = serve(users).enter("ben", PASSWORD).page("/review/5")
    (said,) = page.xpath("//details[contains(summary, 'say the same')]")
    assert words(said[0]) == "2 other programs of the institution say the same"
    assert [a.get("href") for a in said.iter("a")] == [
        "/programs/marrow-bay-anesthesiology",
        "/programs/marrow-bay-psychiatry",
        "/review/6",
    ]
