"""The API as programs of others use it, over three real nights of the demo."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import NOON, Serve, Served, words

from monitor.review import decide
from store import changes, programs
from store.database import Store
from store.records import Program, stamp
from web.api import cursors

API = "/api/v1"
LISTS = ("categories", "conditions", "visas", "stances", "choices", "matrix", "institutions")


def items(served: Served, path: str) -> list[dict[str, Any]]:
    """All items of a list, stretch by stretch."""
    found, address = [], f"{API}{path}"
    while address:
        answer = served.get(address)
        found += answer.json()["items"]
        link = answer.links.get("next", {}).get("url", "")
        assert bool(link) is (answer.json()["next"] is not None)
        address = link
    return found


@pytest.mark.parametrize(
    "query",
    [
        "q=lantern",
        "q=surg&visa=J-1",
        "visa=H-1B&sort=state",
        "category=no_sponsorship",
        "state=ma&specialty=Psychiatry",
        "level=fellowship&sort=specialty",
        "checked=week&sure=1&sort=changed",
        "condition=step3_passed&sort=checked",
        "sort=unchecked",
    ],
)
def test_a_search_gives_what_the_page_gives(public: Served, query: str) -> None:
    links = [a.get("href") for a in public.page(f"/?{query}").cssselect(".result h2 a")]
    found = items(public, f"/programs?limit=2&{query}")
    assert [f"/programs/{one['program_id']}" for one in found] == links
    assert public.get(f"{API}/programs?{query}").json()["total"] == len(links)


def test_a_program_says_what_its_page_says(public: Served) -> None:
    one = public.get(f"{API}/programs/gullwing-point-dermatology").json()
    assert one["policy"]["category"] == "h1b_only"
    assert one["policy"]["stances"] == {"J-1": "not_sponsored", "H-1B": "sponsored"}
    assert one["reviewed"] is None
    assert (one["health"], one["stale"], one["as_of"]) == ("ok", False, "2026-11-24T02:00:00Z")
    evidence = one["policy"]["evidence"][-1]
    assert "H-1B" in evidence["quote"]
    assert evidence["url"].startswith("http://")
    assert len(evidence["snapshot"]) == 64
    (stood,) = one["timeline"]
    assert (stood["type"], stood["began"], stood["season"]) == ("policy", "first_sight", 2027)
    assert stood["policy"] == one["policy"]


def test_what_is_not_reviewed_says_so_and_who_reviewed_is_not_told(
    database: Path, serve: Serve
) -> None:
    with Store(database) as store:
        change = next(c for c in changes.listed(store) if c.severity != "minor")
        decide(store, change.id, "accepted", by="zoe", note="called them", now=NOON)
    served = serve(database)
    answer = served.get(f"{API}/changes/{change.id}")
    assert answer.json()["status"] == "accepted"
    decided = {"verdict": "accepted", "by": "maintainer", "at": stamp(NOON)}
    assert answer.json()["decision"] == decided
    program = served.get(f"{API}/programs/{change.program_id}")
    assert program.json()["reviewed"] == decided
    for text in (answer.text, program.text):
        assert "zoe" not in text
        assert "called them" not in text
    kinds = [entry["type"] for entry in program.json()["timeline"]]
    assert kinds.count("change") == 1


def test_a_change_has_its_words(public: Served) -> None:
    (first, *rest) = items(public, "/changes?limit=1")
    assert rest
    assert all(one["severity"] != "minor" for one in (first, *rest))
    ids = [one["change_id"] for one in (first, *rest)]
    assert ids == sorted(ids, reverse=True)
    one = public.get(f"{API}/changes/{first['change_id']}").json()
    assert {k: v for k, v in one.items() if k != "words"} == first
    assert {span["op"] for span in one["words"]} > {"insert"}
    assert one["before"] != one["after"]


@pytest.mark.parametrize(
    ("query", "all_of"),
    [
        ("since=2026-11-24&until=2026-11-24", lambda c: c["detected_at"][:10] == "2026-11-24"),
        ("until=2026-11-22", lambda c: c["detected_at"] < "2026-11-23"),
        ("status=accepted", lambda c: c["status"] == "accepted"),
        ("severity=critical&status=open", lambda c: c["severity"] == "critical"),
        ("kind=page_gone", lambda c: c["kind"] == "page_gone"),
        ("institution_id=1", lambda c: c["institution_id"] == 1),
        (
            "program_id=quillwater-emergency-medicine",
            lambda c: c["specialty"] == "Emergency Medicine",
        ),
    ],
)
def test_changes_are_filtered(public: Served, query: str, all_of: Any) -> None:
    found = items(public, f"/changes?{query}")
    assert found == [one for one in items(public, "/changes") if all_of(one)]


def test_institutions_have_their_programs(public: Served) -> None:
    found = items(public, "/institutions?limit=3")
    assert [one["name"] for one in found] == sorted(one["name"] for one in found)
    assert sum(one["programs"] for one in found) == 17
    for one in found:
        assert public.get(f"{API}/institutions/{one['institution_id']}").json() == one
        theirs = items(public, f"/programs?institution_id={one['institution_id']}")
        assert {p["institution"] for p in theirs} == {one["name"]}
        assert len(theirs) == one["programs"]
    assert items(public, "/institutions?q=GULLWING")[0]["name"] == "Gullwing Point Medical Center"


def test_the_matrix_counts_every_program(public: Served) -> None:
    cells = items_of(public.get(f"{API}/matrix"))
    assert sum(cell["programs"] for cell in cells) == 17
    some = next(cell for cell in cells if cell["category"])
    query = f"specialty={some['specialty']}&category={some['category']}"
    assert len(items(public, f"/programs?{query}")) == some["programs"]


def items_of(answer: httpx.Response) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def test_lists_are_whole_and_explained(public: Served) -> None:
    for name, least in (("categories", 9), ("conditions", 10), ("visas", 9), ("stances", 5)):
        found = items_of(public.get(f"{API}/{name}"))
        assert len(found) == least
        assert all(one["words"] and one["meaning"].endswith(".") for one in found)
    choices = public.get(f"{API}/choices").json()
    assert {"code": "MA", "name": "Massachusetts"} in choices["states"]
    assert "Dermatology" in choices["specialties"]
    assert choices["levels"] == ["fellowship", "residency"]


@pytest.mark.parametrize("sort", ["name", "specialty", "state"])
def test_a_stretch_goes_on_where_the_last_one_ended(
    database: Path, serve: Serve, sort: str
) -> None:
    """What is added or removed meanwhile makes nothing come twice, and leaves nothing out."""
    served = serve(database)
    before = {one["program_id"] for one in items(served, "/programs")}
    seen: list[str] = []
    address = f"{API}/programs?limit=3&sort={sort}"
    while address:
        answer = served.get(address)
        seen += [one["program_id"] for one in items_of(answer)]
        with Store(database) as store, store.writing():
            added = [
                Program(f"{n}-{len(seen)}", f"{n} Hospital {len(seen)}", n, state=state)
                for n, state in (("Aaa", "AK"), ("Mmm", "NY"), ("Zzz", ""))
            ]
            programs.save(store, added)
            if len(seen) == 3:
                programs.remove(store, seen[-1], stamp(NOON))  # the one the cursor is made from
        address = answer.links.get("next", {}).get("url", "") if len(seen) < 100 else ""
    assert len(seen) == len(set(seen))
    assert before <= set(seen)


@pytest.mark.parametrize("path", [*LISTS, "programs?q=lantern", "changes", "openapi.json"])
def test_what_is_known_is_not_sent_again(public: Served, path: str) -> None:
    first = public.get(f"{API}/{path}")
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "no-cache"
    for known in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"):
        again = public.get(f"{API}/{path}", 304, headers={"If-None-Match": known})
        assert (again.content, again.headers["etag"]) == (b"", tag)
    assert public.get(f"{API}/{path}", headers={"If-None-Match": '"x"'}).content == first.content


def test_the_tag_is_another_when_something_changed(database: Path, serve: Serve) -> None:
    served = serve(database)
    tag = served.get(f"{API}/programs").headers["etag"]
    with Store(database) as store, store.writing():
        programs.save(store, [Program("new", "New Hospital", "Surgery")])
    answer = served.get(f"{API}/programs", headers={"If-None-Match": tag})
    assert answer.headers["etag"] != tag


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/programs/nobody", 404, "nothing at this address"),
        ("/institutions/999", 404, "nothing at this address"),
        ("/changes/999", 404, "nothing at this address"),
        ("/nowhere", 404, "nothing at this address"),
        ("/programs?visa=K-1", 422, "visa: "),
        ("/programs?specialy=Surgery", 422, "specialy: "),
        ("/programs?limit=201", 422, "limit: "),
        ("/changes?since=yesterday", 422, "since: "),
        ("/changes?until=0", 422, "until: "),
        ("/changes/0", 422, "change_id: "),
        (f"/changes/{1 << 64}", 422, "change_id: "),
        ("/programs?cursor=!", 422, "cursor: "),
        ("/programs?cursor=abcd", 422, "take `next` of an answer"),
        (f"/programs?cursor={cursors.write('state', ('x',))}", 422, "take `next`"),
        (f"/programs?cursor={cursors.write('name', ('x',))}", 422, "take `next`"),
        (f"/changes?cursor={cursors.write('changes', ('x',))}", 422, "take `next`"),
        (f"/changes?cursor={cursors.write('changes', (1 << 70,))}", 422, "take `next`"),
    ],
)
def test_faults_say_what_was_wrong(public: Served, path: str, status: int, said: str) -> None:
    answer = public.get(f"{API}{path}", status)
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["type"]) == (status, "about:blank")
    assert said in problem["detail"] + " ".join(problem["faults"])


def test_pages_of_other_sites_may_read_it_and_nothing_else(public: Served) -> None:
    theirs = {"Origin": "https://other.example"}
    assert public.get(f"{API}/programs", headers=theirs).headers["access-control-allow-origin"]
    asked = {
        **theirs,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "if-none-match",
    }
    assert public.client.options(f"{API}/programs", headers=asked).status_code == 200
    refused = {**asked, "Access-Control-Request-Method": "DELETE"}
    assert public.client.options(f"{API}/programs", headers=refused).status_code == 400
    for path in ("/", "/healthz"):
        assert "access-control-allow-origin" not in public.get(path, headers=theirs).headers


def test_it_is_described_for_people_and_for_machines(public: Served) -> None:
    document = public.get(f"{API}/openapi.json").json()
    page = public.page(API)
    for path in document["paths"]:
        assert path in words(page)
    assert page.cssselect("script") == []


def test_behind_a_path_links_have_it(database: Path, serve: Serve) -> None:
    served = serve(database, base_url="https://x.example/visas")
    for asked in ("/visas", ""):
        answer = served.get(f"{asked}{API}/programs?limit=1&q=a")
        assert answer.links["next"]["url"].startswith("/visas/api/v1/programs?limit=1&q=a&cursor=")
        assert served.get(f"{asked}{API}/nowhere", 404).json()["status"] == 404
    assert served.get(f"{API}/openapi.json").json()["servers"] == [{"url": "/visas"}]


def test_without_programs_lists_are_empty(tmp_path: Path, serve: Serve) -> None:
    served = serve(tmp_path / "new.db")
    for path in ("programs", "changes", "institutions", "matrix"):
        assert items_of(served.get(f"{API}/{path}")) == []


def test_what_was_seen_long_ago_is_found_by_the_clock(watched: Path, serve: Serve) -> None:
    later = serve(watched, now=NOON + timedelta(days=40))
    assert items(later, "/programs?checked=month") == []
    assert len(items(later, "/programs?checked=older")) == 17


def test_the_command_that_people_are_shown_works_as_it_stands(database: Path, serve: Serve) -> None:
    for settings in ({}, {"base_url": "http://127.0.0.1:1/visas"}):
        served = serve(database, **settings)
        shown = words(served.page("/api/v1").cssselect("pre")[0])
        address = shown.removeprefix("curl '").removesuffix("'")
        prefix = "/visas" if settings else ""
        assert address == f"{served.origin}{prefix}/api/v1/programs?visa=H-1B&state=MA"
        assert served.get(address).json()["items"]
