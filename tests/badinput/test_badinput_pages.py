"""One cycle over every kind of page that is not one, each beside a good page of its site."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from loopback import Site, Visit
from shell import Shell

GOOD = "<title>Visas</title><h1>Visas</h1><p>We sponsor J-1 visas only.</p>"
TWO_HUNDRED_MB = 200_000_000
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x04\0\0\0\x04\0\x08\x06" + bytes(range(256)) * 40


@dataclass(frozen=True)
class Fault:
    """How a page is served, and what is to be said of it: its health, and words of its detail."""

    serve: Callable[[Visit], object]
    health: str
    says: str


def endless(visit: Visit) -> None:
    visit.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    chunk = b"<p>We sponsor H-1B visas.</p>" * 10_000
    while visit.bytes_sent < TWO_HUNDRED_MB and visit.write(chunk):
        pass
    visit.close()


def redirect(to: str) -> Callable[[Visit], object]:
    return lambda visit: visit.send(b"", 302, {"Location": to})


def announced(visit: Visit) -> None:
    """A page that says how long it is, and ends before."""
    visit.send_raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9999\r\n\r\n<p>We sponsor"
    )


BOMB = gzip.compress(bytes(100_000_000), compresslevel=9)
FAULTS = {
    "huge": Fault(endless, "unreachable", "more bytes than the limit"),
    "bomb": Fault(
        lambda visit: visit.send(BOMB, headers={"Content-Encoding": "gzip"}),
        "unreachable",
        "unpack",
    ),
    "binary": Fault(lambda visit: visit.send(PNG), "unreachable", "PNG image"),
    "circle": Fault(redirect("circle"), "unreachable", "redirect"),
    "metadata": Fault(redirect("http://169.254.169.254/latest/"), "blocked", "169.254.169.254"),
    "file": Fault(redirect("file:///etc/passwd"), "blocked", "http:// or https://"),
    "truncated": Fault(announced, "unreachable", "before"),
    "reset": Fault(lambda visit: visit.reset(), "unreachable", "127.0.0.1"),
    "empty": Fault(lambda visit: visit.send(b""), "unreachable", "without any bytes"),
    "outage": Fault(lambda visit: visit.send(b"Down", 500), "unreachable", "500"),
    "forbidden": Fault(lambda visit: visit.send(b"No", 403), "blocked", "403"),
    "gone": Fault(lambda visit: visit.send(b"No", 404), "gone", "404"),
}


@dataclass(frozen=True)
class Night:
    """What a cycle over all of them has left."""

    summary: dict[str, Any]
    policies: dict[str, dict[str, Any]]
    details: dict[str, str]
    table: str
    neighbour: Site  # on loopback, and not allowed


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    shell = Shell(tmp_path_factory.mktemp("pages"))
    with Site() as site, Site() as neighbour, socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and nobody listens
        closed = f"127.0.0.1:{bound.getsockname()[1]}"
        neighbour.page("/visas", GOOD)
        watched = {"closed": f"http://{closed}/", "no-name": "http://hospital.invalid/visas"}
        for name, fault in FAULTS.items():
            site.route(f"/{name}", fault.serve)
            site.page(f"/good-{name}", GOOD)
            watched |= {name: site.url(f"/{name}"), f"good-{name}": site.url(f"/good-{name}")}
        site.page("/mislabelled", "<p>We don’t sponsor H-1B visas – sorry.</p>".encode("cp1252"))
        site.redirect("/neighbour", neighbour.url("/visas"))
        for name in ("mislabelled", "neighbour"):
            watched[name] = site.url(f"/{name}")
        watched["direct-neighbour"] = neighbour.url("/visas")
        shell.watch(watched)
        summary = shell.crawl(site.host, closed)
        details = {n: shell("programs", "show", n, "--json").json[0]["detail"] for n in watched}
        yield Night(summary, shell.policies(), details, shell("policies").out, neighbour)


@pytest.mark.parametrize("name", FAULTS)
def test_a_bad_page_is_named_and_the_good_one_beside_it_is_read(night: Night, name: str) -> None:
    fault, policy, good = FAULTS[name], night.policies[name], night.policies[f"good-{name}"]
    assert (policy["health"], policy["category"]) == (fault.health, "unstated")
    assert fault.says in night.details[name]
    assert (good["health"], good["category"]) == ("ok", "j1_only")


@pytest.mark.parametrize("name", ["closed", "no-name"])
def test_a_host_that_cannot_be_reached_is_named(night: Night, name: str) -> None:
    assert night.policies[name]["health"] == "unreachable"
    host = {"closed": "127.0.0.1", "no-name": "hospital.invalid"}[name]
    assert host in night.details[name]


@pytest.mark.parametrize("name", ["neighbour", "direct-neighbour"])
def test_a_loopback_host_that_is_not_allowed_is_never_asked(night: Night, name: str) -> None:
    assert night.policies[name]["health"] == "blocked"
    assert "127.0.0.1 is not a public address" in night.details[name]
    assert night.neighbour.paths() == []


def test_the_quote_of_a_mislabelled_page_is_right(night: Night) -> None:
    policy = night.policies["mislabelled"]
    assert policy["stances"]["H-1B"] == "not_sponsored"
    assert "We don’t sponsor H-1B visas – sorry." in {e["quote"] for e in policy["evidence"]}


def test_the_summary_counts_them_and_flags_nothing(night: Night) -> None:
    bad = len(FAULTS) + 4  # two hosts that cannot be reached, two that may not
    good = len(FAULTS) + 1
    assert night.summary["pages"] == good + bad
    assert (night.summary["fetched"], night.summary["failed"]) == (good, bad)
    assert night.summary["changes"] == 0


def test_people_see_what_is_wrong(night: Night) -> None:
    words = night.table.replace("│", " ").split()
    assert {"unreachable", "blocked", "gone", "ok"} <= set(words)
    assert "hospital.invalid" in night.table
