"""The search as an applicant uses it, over three real nights of the demo."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
from serving import NOON, Serve, Served, words

from monitor.review import decide
from store import changes, programs, verdicts
from store.database import Store
from store.records import Program, Review, stamp
from web.csvfile import cell, lines

HOSTILE = "<script>alert(1)</script>\"onload=x' & {{77777*7}} \u202egnp"


def names(served: Served, path: str) -> list[str]:
    """The links of the programs on a page, in order."""
    return [words(link) for link in served.page(path).cssselect(".result h2 a")]


def test_all_programs_are_shown_with_their_policy(public: Served) -> None:
    page = public.page("/")
    assert words(page.cssselect("#found")[0]) == "17 programs"
    (dermatology,) = (r for r in page.cssselect(".result") if "Dermatology" in words(r))
    assert "Gullwing Point Medical Center, Dermatology" in words(dermatology)
    assert "H-1B only" in words(dermatology)
    assert "not reviewed" in words(dermatology)
    assert "last checked 2026-11-24" in words(dermatology)


def test_a_page_that_could_not_be_read_is_told(public: Served) -> None:
    """The demo's pediatrics is a bot challenge in the third night."""
    (result,) = public.page("/?q=lantern+pediatrics").cssselect(".result")
    assert "could not be read" in words(result)
    assert "last checked 2026-11-23" in words(result)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("q=lantern", 3),
        ("q=surg&visa=J-1", 2),
        ("visa=H-1B", 6),
        ("category=no_sponsorship", 1),
        ("state=ma&specialty=Psychiatry", 2),
        ("institution=bay+uni&city=marrow", 3),
        ("level=fellowship", 2),
        ("q=&state=&visa=&category=&condition=&checked=&sort=name", 17),  # a form left as it is
        ("utm_source=x", 17),
    ],
)
def test_filters(public: Served, query: str, count: int) -> None:
    assert len(names(public, f"/?{query}")) == count


def test_checked_lately_is_by_the_clock(watched: Path, serve: Serve) -> None:
    later = serve(watched, now=NOON + timedelta(days=20))
    assert names(later, "/?checked=week") == []
    assert len(names(later, "/?checked=month")) == 17
    assert len(names(serve(watched), "/?checked=week")) == 17


def test_what_is_asked_for_stays_in_the_form_and_can_be_taken_back(public: Served) -> None:
    page = public.page("/?visa=J-1&q=lantern&sort=specialty")
    assert page.cssselect("#q")[0].get("value") == "lantern"
    assert page.cssselect("#visa option[selected]")[0].get("value") == "J-1"
    (link,) = page.cssselect('.chips a[aria-label^="Without"]')
    assert link.get("href") == "/?q=lantern&sort=specialty"


def test_nothing_found_says_what_to_do(public: Served) -> None:
    assert "Leave a filter out" in words(public.page("/?q=zzz"))
    assert "Go to the first one" in words(public.page("/?page=99"))


@pytest.mark.parametrize("query", ["category=maybe", "page=0", "visa=K-1", "q=" + "x" * 200])
def test_what_cannot_be_understood_is_named_and_not_repeated(public: Served, query: str) -> None:
    answer = public.get(f"/?{query}", 422)
    assert query.partition("=")[0] + ":" in answer.text
    assert "xxxx" not in answer.text


def test_many_programs_come_in_pages(database: Path, serve: Serve) -> None:
    with Store(database) as store, store.writing():
        programs.save(store, [Program(f"p{n:03}", f"Elder {n:03}", "Surgery") for n in range(103)])
    served = serve(database)
    seen, path = [], "/?q=elder"
    while path:
        seen += names(served, path)
        following = served.page(path).cssselect('a[rel="next"]')
        path = following[0].get("href") if following else ""
    assert seen == [f"Elder {n:03}, Surgery" for n in range(103)]
    assert "no page of it was read yet" in words(served.page("/?q=elder"))
    rows = served.get("/programs.csv?q=elder").text.splitlines()
    assert len(rows) == 104


def test_without_programs_it_says_how_they_come(tmp_path: Path, serve: Serve) -> None:
    assert "visawatch programs import" in words(serve(tmp_path / "new.db").page("/"))


def test_csv_has_what_was_asked_for(public: Served) -> None:
    answer = public.get("/programs.csv?q=gullwing")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    (row,) = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert row["program_id"] == "gullwing-point-dermatology"
    assert (row["category"], row["j1"], row["h1b"]) == ("H-1B only", "not sponsored", "sponsored")
    assert "we sponsor H-1B visas." in row["quotes"]
    assert row["page"].startswith("http://")
    assert row["reviewed"] == "no"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\uff1d1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert cell(text).startswith("'")
    assert cell(text).replace("'", "") == text.replace("\r", "")
    (row,) = csv.reader(
        io.StringIO(b"".join(lines([[text, 'a"b,c\nd', None]])).decode("utf-8-sig"))
    )
    assert row == [cell(text), 'a"b,c\nd', ""]


@pytest.mark.parametrize("text", ["J-1;=1+1", 'J-1; "=1+1', "J-1\n-1", "J-1\r\n@x", "a\t=b"])
def test_nor_is_one_where_cells_are_parted_at_semicolons(text: str) -> None:
    """As in Excel where the comma is for decimals."""
    sheet = b"".join(lines([["id", text, "end"]])).decode("utf-8-sig")
    for row in csv.reader(io.StringIO(sheet), delimiter=";"):
        assert not any(found.strip(' "').startswith(tuple("=+-@")) for found in row)


def test_a_program_has_its_sentence_and_how_to_make_sure(public: Served) -> None:
    page = public.page("/programs/quillwater-emergency-medicine")
    text = words(page)
    for said in (
        "J-1, H-1B case by case",
        "Not reviewed.",
        "nobody has reviewed it yet",
        "Of 100 sentences of this kind",
        "Last seen to say so on 2026-11-24 02:00 UTC",
        "FREIDA",
    ):
        assert said in text
    quote = page.cssselect(".quote blockquote")[0]
    assert "H-1B" in words(quote) or "J-1" in words(quote)
    links = [a.get("href") for a in page.cssselect("figcaption a")]
    assert links
    assert all(link.startswith("http://127.") for link in links)


def test_silence_and_the_office_are_told(public: Served) -> None:
    assert "Silence is not a refusal" in words(
        public.page("/programs/saint-odile-obstetrics-gynecology")
    )
    assert "office of graduate medical education" in words(
        public.page("/programs/marrow-bay-pathology")
    )


def test_a_decision_of_a_maintainer_is_shown_without_the_name(database: Path, serve: Serve) -> None:
    with Store(database) as store:
        (change,) = changes.of_program(store, "lantern-hill-internal-medicine")
        decide(store, change.id, "accepted", by="ada-the-reviewer", now=NOON)
    served = serve(database)
    text = words(served.page("/programs/lantern-hill-internal-medicine"))
    assert "Confirmed by a maintainer on 2026-11-24." in text
    assert "ada-the-reviewer" not in text
    assert "nobody has reviewed it" not in text
    assert "confirmed by a maintainer, 2026-11-24" in words(served.page("/?q=lantern+internal"))


def test_a_change_that_closed_itself_was_reviewed_by_nobody(database: Path, serve: Serve) -> None:
    with Store(database) as store, store.writing():
        (change,) = changes.of_program(store, "lantern-hill-internal-medicine")
        verdicts.decide(store, Review(change.id, "accepted", "VisaWatch", "", change.detected_at))
    page = serve(database).page("/programs/lantern-hill-internal-medicine")
    assert "Not reviewed." in words(page)


def test_an_institution_has_its_programs(public: Served) -> None:
    link = public.page("/programs/lantern-hill-surgery").cssselect(".sub a")[0].get("href")
    page = public.page(link)
    assert words(page.cssselect("h1")[0]) == "Lantern Hill Medical Center"
    assert names(public, link) == ["Internal Medicine", "Pediatrics", "Surgery"]
    assert "Departments of one hospital differ" in words(page)


@pytest.mark.parametrize(
    "path", ["/programs/nobody", "/programs/a%2Fb", "/institutions/999", "/programs/"]
)
def test_what_is_not_there(public: Served, path: str) -> None:
    public.get(path, 404)


def test_a_program_that_was_removed_is_not_there(database: Path, serve: Serve) -> None:
    with Store(database) as store, store.writing():
        programs.remove(store, "gullwing-point-dermatology", stamp(NOON))
    served = serve(database)
    served.get("/programs/gullwing-point-dermatology", 404)
    assert names(served, "/?q=gullwing") == []


def test_names_are_shown_as_text(database: Path, serve: Serve) -> None:
    with Store(database) as store, store.writing():
        programs.save(
            store,
            [
                Program(
                    "evil", f"Evil {HOSTILE}", HOSTILE, city=HOSTILE, state="ZZ",
                    website_url="javascript:alert(1)", coordinator_email='"><b>@x.example',
                )
            ],
        )  # fmt: skip
    served = serve(database)
    for path in ("/?q=evil", "/programs/evil", '/?city=<b>"x', "/programs.csv?q=evil"):
        answer = served.get(path)
        if not path.startswith("/programs.csv"):
            assert not re.search(r"<script>|<b>@|<b>\"x|href=\"javascript|544439", answer.text)
    assert "<script>alert(1)</script>" in words(served.page("/?q=evil").cssselect(".result")[0])
