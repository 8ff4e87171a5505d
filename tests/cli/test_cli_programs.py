"""The watched programs: lists that are taken whole or not at all, and single programs."""

from __future__ import annotations

import pytest
from loopback import Site
from shell import ROOT, Shell

HEADER = "program_id,institution,specialty,level,city,state,website_url,eligibility_url"
GOOD = "larkspur,Larkspur Hospital,Neurology,residency,Salem,MA,https://l.example/,"
SORREL = "sorrel,Sorrel Clinic,Surgery,,,,,https://s.example/visas"
QUOTED_BREAK, OPEN_QUOTE, HUGE = '"Sa\nlem"', '"Salem', "x" * 5_000_000
COLUMNS = [
    "program_id",
    "institution",
    "specialty",
    "level",
    "city",
    "state",
    "website_url",
    "eligibility_url",
    "acgme_id",
    "coordinator_email",
    "gme_url",
]


def write(shell: Shell, content: str | bytes) -> str:
    file = shell.folder / "list.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(file)


def ids(shell: Shell) -> list[str]:
    return [line["program_id"] for line in shell("programs", "list", "--json").json]


def refused(shell: Shell, content: str | bytes) -> list[str]:
    """The faults of a list, a line each; nothing of it, and nothing else, was imported."""
    shell.watch({"kept": "https://k.example/"})
    file = write(shell, content)
    said = shell("programs", "import", file, status=1)
    assert said.out == ""
    assert ids(shell) == ["kept"]
    return [line.removeprefix(f"{file}: ") for line in said.err.removeprefix("Error: ").split("\n")]


def row(**cells: str) -> str:
    names = HEADER.split(",")
    return ",".join({**dict(zip(names, GOOD.split(","), strict=True)), **cells}.values())


def test_a_list_is_imported_and_shown(shell: Shell) -> None:
    said = shell("programs", "import", write(shell, "\n".join([HEADER, GOOD, "", SORREL, ""])))
    assert said.out == ""
    assert "2 programs added, 0 replaced" in said.err
    larkspur, sorrel = shell("programs", "list", "--json").json
    assert list(larkspur) == COLUMNS
    assert larkspur["website_url"] == "https://l.example/"
    assert sorrel["level"] == "residency"  # when the list does not say
    table = shell("programs", "list")
    assert "Sorrel Clinic" in table.out
    assert "2 programs" in table.err


def test_importing_again_replaces(shell: Shell) -> None:
    shell("programs", "import", write(shell, f"{HEADER}\n{GOOD}"))
    said = shell("programs", "import", write(shell, f"{HEADER}\n{row(specialty='Surgery')}"))
    assert "0 programs added, 1 replaced" in said.err
    assert [line["specialty"] for line in shell("programs", "list", "--json").json] == ["Surgery"]


@pytest.mark.parametrize(
    "content",
    [
        f"\ufeff{HEADER}\n{GOOD}\n",  # what spreadsheets write
        f"{HEADER}\r\n{GOOD}\r\n",
        f"{HEADER}\r{GOOD}\r",
        f'{HEADER}\n"larkspur","Larkspur Hospital","Neurology","","","","https://l.example/",""',
        f" program_id , institution,specialty,website_url\n larkspur ,{GOOD[9:36]},https://l.example/",
    ],
    ids=["byte order mark", "CRLF", "CR", "quotes", "spaces"],
)
def test_what_spreadsheets_write_is_taken(shell: Shell, content: str) -> None:
    shell("programs", "import", write(shell, content))
    (found,) = shell("programs", "list", "--json").json
    assert (found["program_id"], found["specialty"]) == ("larkspur", "Neurology")
    assert found["website_url"] == "https://l.example/"


def test_unknown_columns_are_named_and_left_out(shell: Shell) -> None:
    said = shell("programs", "import", write(shell, f"{HEADER},fax,mood\n{GOOD},1,good"))
    assert "columns not used: fax, mood" in said.err


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "is empty; its first line must be the header program_id,institution,specialty"),
        (HEADER, "has no programs below its header"),
        (f"{HEADER}\n\n,,,,,,,\n", "has no programs below its header"),
        (f"{HEADER.replace('specialty,', '')}\n", "line 1: the header has no column 'specialty'"),
        ("program_id,institution,specialty\n", "has no column 'website_url' or 'eligibility_url'"),
        (f"{HEADER},state\n", "line 1: the header has column 'state' twice"),
        (HEADER.replace(",", ";"), "has no column 'program_id' (it has: program_id;institution"),
        (f"{HEADER}\n{GOOD},\n", "line 2: has 9 columns, the header has 8"),
        (f"{HEADER}\n{SORREL}\nlarkspur,Larkspur\n", "line 3: has 2 columns, the header has 8"),
        (f"{HEADER}\n{GOOD}\n{SORREL}\n{GOOD}\n", "line 4: program_id 'larkspur' is on line 2 too"),
        (f"{HEADER}\n{row(program_id='')}\n", "line 2: program_id is empty"),
        (f"{HEADER}\n{row(institution=' ')}\n", "line 2: institution is empty"),
        (f"{HEADER}\n{row(specialty='')}\n", "line 2: specialty is empty"),
        (f"{HEADER}\n{row(program_id='a b')}\n", "line 2: program_id 'a b' may have letters"),
        (f"{HEADER}\n{row(program_id='../etc')}\n", "line 2: program_id '../etc' may have"),
        (f"{HEADER}\n{row(website_url='')}\n", "line 2: no URL: give website_url or eligibility"),
        (f"{HEADER}\n{row(website_url='ftp://l.example/')}\n", "'ftp://l.example/' does not begin"),
        (f"{HEADER}\n{row(website_url='l.example')}\n", "website_url 'l.example' does not begin"),
        (f"{HEADER}\n{row(website_url='javascript:x')}\n", "'javascript:x' does not begin"),
        (f"{HEADER}\n{row(website_url='https://')}\n", "website_url 'https://' is not a URL"),
        (f"{HEADER}\n{row(website_url='https://l.example/a b')}\n", "is not a URL"),
        (f"{HEADER}\n{row(website_url='http://l.example:port/')}\n", "is not a URL (Port could"),
        (f"{HEADER}\n{row(website_url='http://[::1/')}\n", "is not a URL (Invalid IPv6"),
        (f"{HEADER}\n{row(website_url='http://me:pw@l.example/')}\n", "has a user name in it"),
        (f"{HEADER}\n{row(city='x' * 2001)}\n", "line 2: city is longer than 2000 characters"),
        (f"{HEADER}\n{row(city='Sa' + chr(0) + 'lem')}\n", "line 2: city has a line break or"),
        (f"{HEADER}\n{SORREL}\n{row(city=QUOTED_BREAK)}\n", "line 3: city has a line break"),
        (f"{HEADER}\n{SORREL}\n{row(city=OPEN_QUOTE)}\n{GOOD}\n", "line 3: unexpected end of"),
        (f"{HEADER}\n{row(city=OPEN_QUOTE + QUOTED_BREAK)}\n", "line 2: ',' expected after"),
        (f"{HEADER}\n{SORREL}\n{row(city=HUGE)}\n", "line 3: field larger than field limit"),
        (f"{HEADER}\n{SORREL}\n{row(city='Montréal')}\n".encode("latin-1"), "line 3: not UTF-8"),
        (f"{HEADER}\n{GOOD}\n".encode("utf-16"), "line 1: not UTF-8; save the list as CSV UTF-8"),
        (bytes(range(256)), "line 2: not UTF-8"),
    ],
    ids=lambda value: str(value)[-60:],
)  # fmt: skip
def test_a_bad_list_is_named_by_line_and_nothing_is_imported(
    shell: Shell, content: str | bytes, fault: str
) -> None:
    assert fault in refused(shell, content)[0]


def test_every_bad_row_of_a_list_is_named(shell: Shell) -> None:
    rows = [HEADER, row(specialty=""), SORREL, row(website_url="l"), "x"]
    assert [fault.partition(":")[0] for fault in refused(shell, "\n".join(rows))[:3]] == [
        "line 2",
        "line 4",
        "line 5",
    ]


def test_an_address_of_a_coordinator_must_be_one(shell: Shell) -> None:
    content = f"{HEADER},coordinator_email\n{GOOD},gme at l.example\n"
    assert "line 2: coordinator_email 'gme at l.example' is not an" in refused(shell, content)[0]


def test_the_line_of_a_row_is_where_it_begins(shell: Shell) -> None:
    notes = f"{HEADER},notes"
    rows = [notes, f'{SORREL},"one\ntwo\nthree"', f'{row(specialty="")},"one\ntwo"']
    assert refused(shell, "\n".join(rows))[0].startswith("line 5: specialty is empty")


def test_the_list_of_massachusetts_is_taken_whole(shell: Shell) -> None:
    said = shell("programs", "import", str(ROOT / "data" / "programs_ma.csv"))
    assert "105 programs added" in said.err
    assert len(ids(shell)) == 105


def test_a_file_that_is_not_there_is_wrong_usage(shell: Shell) -> None:
    assert "does not exist" in shell("programs", "import", "nowhere.csv", status=2).err
    assert "is a directory" in shell("programs", "import", str(shell.folder), status=2).err


def test_a_program_is_added_replaced_shown_and_removed(shell: Shell) -> None:
    add = ("programs", "add", "--id", "larkspur", "--institution", "Larkspur", "--specialty")
    url = ("--website-url", "https://l.example/")
    assert "larkspur is watched" in shell(*add, "Neurology", *url).err
    shell(*add, "Surgery", *url, "--coordinator-email", "gme@l.example")
    (shown,) = shell("programs", "show", "larkspur", "--json").json
    assert list(shown) == [*COLUMNS, "policy", "detail", "history"]
    assert (shown["specialty"], shown["coordinator_email"]) == ("Surgery", "gme@l.example")
    assert (shown["policy"]["health"], shown["history"]) == ("never_seen", [])
    assert "https://l.example/" in shell("programs", "show", "larkspur").out
    assert "no longer watched" in shell("programs", "remove", "larkspur").err
    assert ids(shell) == []


@pytest.mark.parametrize("command", ["show", "remove"])
def test_a_program_that_is_not_watched_is_named(shell: Shell, command: str) -> None:
    assert "no program 'nobody'" in shell("programs", command, "nobody", status=1).err


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ((), "no URL: give website_url or eligibility_url"),
        (("--website-url", "l.example"), "does not begin with http:// or https://"),
        (("--website-url", "http://l.example", "--city", "a\nb"), "city has a line break"),
        (("--website-url", "http://l.example", "--coordinator-email", "me"), "not an address"),
    ],
)
def test_a_program_that_cannot_be_watched_is_wrong_usage(
    shell: Shell, arguments: tuple[str, ...], fault: str
) -> None:
    add = ("programs", "add", "--id", "larkspur", "--institution", "L", "--specialty", "Surgery")
    assert fault in shell(*add, *arguments, status=2).err
    assert ids(shell) == []


def test_a_program_with_another_site_is_looked_for_there(shell: Shell, web: Site) -> None:
    link = '<title>Residency</title><p>Welcome.</p><a href="{}">Visa policy</a>'
    for site, visas in (("/old/", "J-1 and H-1B visas"), ("/new/", "J-1 visas only")):
        web.page(site, link.format(f"{site}visas"))
        web.page(f"{site}visas", f"<title>Visa policy</title><p>We sponsor {visas}.</p>")
        shell("programs", "add", "--id", "larkspur", "--institution", "Larkspur",
              "--specialty", "Surgery", "--website-url", web.url(site))  # fmt: skip
        assert shell.crawl(web.host)["pages"] == 1
    policy = shell.policies()["larkspur"]
    assert policy["category"] == "j1_only"
    assert {evidence["url"] for evidence in policy["evidence"]} == {web.url("/new/visas")}


def test_a_program_that_names_another_page_is_read_there_only(shell: Shell, web: Site) -> None:
    web.page("/old", "<title>Visas</title><p>We sponsor J-1 and H-1B visas.</p>")
    web.page("/new", "<title>Visas</title><p>We sponsor J-1 visas only.</p>")
    shell.watch({"larkspur": web.url("/old")})
    shell.crawl(web.host)
    shell.watch({"larkspur": web.url("/new")})
    assert shell.crawl(web.host)["pages"] == 1
    assert shell.policies()["larkspur"]["category"] == "j1_only"
