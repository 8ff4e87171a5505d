"""Whom a request comes from: a proxy on this machine is believed, and nobody else.

What others say is sent here from this machine's own address, which is not its loopback.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from serving import NOON, Served, serving

from monitor import clock
from web.site import Site, SiteSettings

HERE, OTHER = "127.0.0.1", "203.0.113.7"


@pytest.fixture
def own() -> str:
    """An address of this machine that others reach."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect((OTHER, 9))  # sends nothing: it only says by which way it would go
        except OSError:
            pytest.skip("this machine has no address but loopback")
        found: str = asked.getsockname()[0]
    return found


@pytest.fixture
def ways(database: Path, own: str) -> Iterator[dict[str, Served]]:
    """The same site, asked from loopback and from elsewhere. It counts ten wishes for mail."""
    settings = SiteSettings(home="https://visas.example", sender="watch@visas.example")
    with ExitStack() as stack:
        yield {
            where: stack.enter_context(serving(Site(database, clock.fixed(NOON), settings), host))
            for where, host in (("loopback", HERE), ("elsewhere", own))
        }


def claims(said: str, served: Served) -> dict[str, str]:
    """Headers by which a request pretends to come from, and to be for, somebody else."""
    return {"X-Forwarded-For": said, "Host": f"{HERE}:{served.origin.rpartition(':')[2]}"}


def test_a_stranger_is_not_at_this_machine_whatever_it_says(ways: dict[str, Served]) -> None:
    there = ways["elsewhere"]
    for said in (HERE, "::1", f"{HERE}, {HERE}", f"{OTHER}, {HERE}"):
        headers = claims(said, there)
        for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded"):
            as_said = {**headers, name: f"for={said}" if name == "Forwarded" else said}
            there.get("/review", 303, headers=as_said)
            there.get("/metrics", 403, headers=as_said)
    ways["loopback"].get("/review")


def test_of_a_proxys_word_what_the_visitor_put_there_does_not_count(
    ways: dict[str, Served],
) -> None:
    """The proxy adds whom it was asked by to whatever came with the request."""
    here = ways["loopback"]
    for said in (f"{HERE}, {OTHER}", f"::1, {HERE}, {OTHER}", f"junk, {OTHER}"):
        here.get("/review", 303, headers=claims(said, here))


def ask(served: Served, said: str) -> int:
    """The status of a wish for mail, from a visitor of that address if it is believed."""
    headers = {"X-Forwarded-For": said}
    wish = {"email": "ana@inbox.example"}
    return served.client.post("/subscribe", data=wish, headers=headers).status_code


def test_a_stranger_is_counted_as_one_by_whatever_name_it_comes(ways: dict[str, Served]) -> None:
    names = [f"198.51.100.{number}" for number in range(11)]
    assert [ask(ways["elsewhere"], name) for name in names] == [200] * 10 + [429]
    # Behind a proxy on this machine, visitors of these names are as many visitors.
    assert [ask(ways["loopback"], name) for name in names] == [200] * 11
    # Who puts names before its own is still one.
    ours = [ask(ways["loopback"], f"198.51.100.{n}, {OTHER}") for n in range(11)]
    assert ours == [200] * 10 + [429]
