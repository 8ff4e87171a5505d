"""Hostile pages, one by one, and then all of them through a night: fetched, read, kept, shown."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from cases import HTML, Page, pages
from loopback import Site as Origin
from lxml import etree
from serving import Served, serving
from shell import Shell
from tame import assert_tame, obeyed

from extractors import Policy, page_text, policy_for, read_page
from monitor import clock
from store import snapshots
from store.database import Store
from web.site import Site

SECONDS = (
    15.0  # of a core for one page, and of a slow one: those that broke us took minutes to years
)
STATEMENTS = 20_000_000  # characters of what one page may leave in the database
ALL = pages()
SHOWN = [page for page in ALL if not page.heavy]
BEFORE = b"<h1>Visas</h1><p>We do not sponsor any visas.</p>"
HEADERS = {
    "from", "to", "subject", "date", "message-id", "mime-version", "content-type", "reply-to",
    "content-transfer-encoding", "list-unsubscribe", "list-unsubscribe-post", "auto-submitted",
    "list-id", "precedence", "references", "in-reply-to", "x-auto-response-suppress",
}  # fmt: skip


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_a_page_is_read_within_bounds_and_quoted_as_it_is(page: Page) -> None:
    begun = time.process_time()
    found = read_page(page.body, page.type)
    (policy, _) = policy_for([found])
    assert time.process_time() - begun < SECONDS, page.why
    if page.says and page.health == "ok":
        assert policy.category == page.says, page.why
    text = page_text(page.body, page.type)
    for statement in (*found, *policy.evidence):
        assert statement.quote == text[statement.start : statement.end] != "", page.why
    kept = json.dumps([statement.to_json() for statement in found])
    assert len(kept) < STATEMENTS, page.why
    assert Policy.from_json(json.loads(json.dumps(policy.to_json()))) == policy
    kept.encode()  # no lone surrogate
    text.encode()


@dataclass(frozen=True)
class Night:
    """What two nights have left: first all pages said one thing, then each what it says."""

    shell: Shell
    summary: dict[str, object]
    served: Served


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    folder = tmp_path_factory.mktemp("hostile")
    shell = Shell(folder, settings={"monitor": {"withdraw_cycles": 1}})
    with Origin() as origin:
        names = [page.name for page in SHOWN]
        for name in names:
            origin.page(f"/{name}", BEFORE)
        shell.load([f"{n},{n} Hospital,Neurology,{origin.url(f'/{n}')}" for n in names])
        shell("subscribe", "ada@inbox.example")
        shell.crawl(origin.host)
        for page in SHOWN:
            headers = dict(page.headers)
            origin.page(f"/{page.name}", page.body, type=page.type or "", headers=headers)
        summary = shell.crawl(origin.host)
    with serving(Site(shell.db, clock.system)) as served:
        yield Night(shell, summary, served)


def test_each_page_is_its_own_health_and_policy(night: Night) -> None:
    policies = night.shell.policies()
    wrong = {}
    for page in SHOWN:
        policy = policies[page.name]
        says = page.says if page.health == "ok" else "no_sponsorship"  # what stood before
        if (policy["category"], policy["health"]) != (says, page.health):
            detail = night.shell("programs", "show", page.name, "--json").json[0]["detail"]
            wrong[page.name] = policy["category"], policy["health"], detail
    assert not wrong, "\n".join(f"{name}: {got}" for name, got in wrong.items())


def test_a_quote_is_what_the_kept_page_says_at_its_place(night: Night) -> None:
    with Store(night.shell.db, read_only=True) as store:
        for policy in night.shell.policies().values():
            for said in policy["evidence"]:
                (number,) = snapshots.with_hashes(store, [said["snapshot"]])
                kept = snapshots.get(store, number)
                text = page_text(kept.body, kept.content_type)
                assert said["quote"] == text[said["start"] : said["end"]]


def test_nothing_of_them_runs_on_the_web_pages(night: Night) -> None:
    changes = {change["program_id"]: change["id"] for change in night.shell.changes()}
    carry = [page.name for page in SHOWN if page.name.startswith(("carries", "stands"))]
    assert set(carry) <= set(changes)
    paths = ["/", "/changes", "/matrix"]
    for name in carry:
        paths += [f"/programs/{name}", f"/changes/{changes[name]}", f"/review/{changes[name]}"]
    for path in paths:
        assert_tame(night.served.get(path).text, path)


def test_nothing_of_them_leaves_its_cell_its_entry_or_its_line(
    night: Night, tmp_path: Path
) -> None:
    sheet = night.served.get("/programs.csv").content.decode("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(sheet))
    assert len(rows) == len(SHOWN)
    assert {len(row) for row in rows} == {len(header)}
    for delimiter in ",;":
        for row in csv.reader(io.StringIO(sheet), delimiter=delimiter):
            assert not [c for c in row if c.strip(' "\t\r\n').startswith(tuple("=+-@\uff1d"))]
    for command in (["policies"], ["changes", "--all", "--status", "all"], ["policies", "--json"]):
        assert obeyed(night.shell(*command).out) == set(), command
    night.shell("export", str(tmp_path / "out"))
    for file in (tmp_path / "out").rglob("*.atom"):
        feed = etree.fromstring(file.read_bytes(), etree.XMLParser(resolve_entities=False))
        for content in feed.iter("{http://www.w3.org/2005/Atom}content"):
            assert_tame(content.text or "", file.name)


def test_nothing_of_them_gets_into_a_mail_s_head(night: Night) -> None:
    mails = [file.read_bytes() for file in (night.shell.folder / "mail" / "new").iterdir()]
    assert mails
    for raw in mails:
        mail = message_from_bytes(raw, policy=default)
        assert {name.lower() for name in mail} <= HEADERS
        assert mail["To"] == "ada@inbox.example"
        for part in mail.walk():
            assert part.defects == []
            if part.get_content_type() == "text/plain":
                assert obeyed(part.get_content()) == set()
            if part.get_content_type() == "text/html":
                assert_tame(part.get_content(), "mail")


def test_the_corpus_is_as_large_as_it_says() -> None:
    assert len(ALL) >= 350
    assert HTML in {page.type for page in ALL}
