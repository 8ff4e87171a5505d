"""A page that cannot be seen is never a change: its policy stands, night after night."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from loopback import Site, Visit
from shell import Shell

NIGHTS = 3  # as many as monitor.stale_after_cycles
GOOD = "<title>Visas</title><h1>Visas</h1><p>We sponsor J-1 visas only.</p>"
CHALLENGE = b"<title>Just a moment...</title><p>Checking that your connection is secure.</p>"
LOGIN = b"<title>Sign in</title><form>User <input name=u> Password <input type=password></form>"
SOFT_404 = b"<title>Page not found | Larkspur</title><h1>Oops</h1><p>We sponsor nothing here.</p>"
SHELL = b"<title>Visas</title><div id='root'></div><script src='/main.js'></script>"


def cut(visit: Visit) -> None:
    """The page's first half, without its H-1B sentence."""
    visit.send_raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 500\r\n\r\n"
        b"<title>Visas</title><p>We sponsor J-1 and H-1B visas.</p>"
    )


# What a page answers, and the health that its policy shows meanwhile.
UNSEEN: dict[str, tuple[Callable[[Visit], object], str]] = {
    "down": (lambda visit: visit.send(b"<p>We sponsor H-1B visas.</p>", 503), "unreachable"),
    "broken": (lambda visit: visit.send(b"<p>Error</p>", 500), "unreachable"),
    "challenge": (lambda visit: visit.send(CHALLENGE), "blocked"),
    "challenge-403": (lambda visit: visit.send(CHALLENGE, 403), "blocked"),
    "login": (lambda visit: visit.send(LOGIN), "blocked"),
    "sign-in": (lambda visit: visit.send(b"", 302, {"Location": "/login?next=visas"}), "blocked"),
    "script": (lambda visit: visit.send(SHELL), "blocked"),
    "truncated": (cut, "unreachable"),
    "reset": (lambda visit: visit.reset(), "unreachable"),
    "empty": (lambda visit: visit.send(b""), "unreachable"),
    "broken-pdf": (lambda visit: visit.send(b"%PDF-1.7\n1 0 obj<<>>endobj\n"), "unreachable"),
    "blank": (lambda visit: visit.send(b"<html><body> </body></html>"), "unreachable"),
}
# A page that is gone is told of once, as such; its policy stands all the same.
GONE: dict[str, tuple[Callable[[Visit], object], str]] = {
    "soft-404": (lambda visit: visit.send(SOFT_404), "gone"),
    "gone": (lambda visit: visit.send(b"<p>No such page.</p>", 404), "gone"),
}
ALL = UNSEEN | GONE


@dataclass
class Nights:
    """The policies after the first night, after each bad one, and after a good one."""

    first: dict[str, dict[str, Any]] = field(default_factory=dict)
    bad: list[dict[str, dict[str, Any]]] = field(default_factory=list)
    last: dict[str, dict[str, Any]] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    shell, found = Shell(tmp_path_factory.mktemp("health")), Nights()
    with Site() as site:
        site.page("/login", LOGIN)
        shell.watch({name: site.url(f"/{name}") for name in ALL})

        def night() -> dict[str, dict[str, Any]]:
            shell.crawl(site.host)
            return shell.policies()

        for name in ALL:
            site.page(f"/{name}", GOOD)
        found.first = night()
        for name, (serve, _) in ALL.items():
            site.route(f"/{name}", serve)
        found.bad = [night() for _ in range(NIGHTS)]
        for name in ALL:
            site.page(f"/{name}", GOOD)
        found.last = night()
        found.changes = shell.changes()
    return found


@pytest.mark.parametrize("name", ALL)
def test_the_policy_stands_with_the_health_of_its_page(nights: Nights, name: str) -> None:
    first, _, health = nights.first[name], *ALL[name]
    assert (first["category"], first["health"]) == ("j1_only", "ok")
    for policies in nights.bad:
        assert policies[name] == {
            **first,
            "health": health,
            "needs_review": policies is nights.bad[-1],  # nobody has seen it for three nights
        }


@pytest.mark.parametrize("name", ALL)
def test_a_page_that_is_back_is_well_again(nights: Nights, name: str) -> None:
    first, last = nights.first[name], nights.last[name]
    assert last == {**first, "as_of": last["as_of"]}
    assert last["as_of"] >= first["as_of"]


@pytest.mark.parametrize("name", UNSEEN)
def test_nothing_is_flagged(nights: Nights, name: str) -> None:
    assert [c for c in nights.changes if c["program_id"] == name] == []


@pytest.mark.parametrize("name", GONE)
def test_a_page_that_is_gone_is_told_once_and_changes_no_policy(nights: Nights, name: str) -> None:
    (change,) = [c for c in nights.changes if c["program_id"] == name]
    assert (change["kind"], change["cycle"]) == ("page_gone", 3)
    assert change["before"] == change["after"]
