"""One page of an institution, read once, tells each of its programs its own policy."""

from __future__ import annotations

from conftest import Watch

from store.records import Program

ROW = "<tr><td>Surgery</td><td>Yes</td><td>No</td></tr>"
PAGE = (
    "<h1>Visa policy</h1><table><tr><th>Program</th><th>J-1</th><th>H-1B</th></tr>"
    f"<tr><td>Internal Medicine</td><td>Yes</td><td>Yes</td></tr>{ROW}</table>"
)


def listed(watch: Watch, **specialties: str) -> None:
    url = watch.site.url("/gme/visas")
    watch.programs(*(Program(n, "Fernway", s, gme_url=url) for n, s in specialties.items()))


def test_each_program_gets_its_own_policy(watch: Watch) -> None:
    watch.site.page("/gme/visas", PAGE)
    listed(watch, im="Internal Medicine", surgery="General Surgery", urology="Urology")
    watch.night()
    assert [watch.category(n) for n in ("im", "surgery", "urology")] == [
        "j1_and_h1b",
        "j1_only",
        "unstated",
    ]
    assert watch.status("im").inherited_from == "Fernway"
    assert watch.status("urology").inherited_from is None
    rows = watch.store.rows("SELECT count(*) AS read FROM readings WHERE statements IS NOT NULL")
    assert rows[0]["read"] == 1


def test_a_change_of_one_row_is_one_programs_change(watch: Watch) -> None:
    watch.site.page("/gme/visas", PAGE)
    listed(watch, im="Internal Medicine", surgery="General Surgery")
    watch.night()
    watch.site.page("/gme/visas", PAGE.replace(ROW, ROW.replace("No", "Yes")))
    assert watch.night().changes == 1
    assert [watch.category(n) for n in ("im", "surgery")] == ["j1_and_h1b", "j1_and_h1b"]
