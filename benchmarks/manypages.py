"""Any number of different pages of 30 to 60 KB, each made when it is asked for.

    python -m benchmarks.manypages PAGES HOSTS STATING

serves them as `benchmarks.webserver` does its own. A page has its own text, put together from
thousands of sections; a host has its own menu, scripts and style, and its own statement on visas,
which its pages share, as the programs of one hospital do.
"""

from __future__ import annotations

import json
import random
import sys
from dataclasses import dataclass

import uvloop

from benchmarks import pageparts
from benchmarks.classify import PASSAGES, passage_page
from benchmarks.webserver import MISSING, fresh, serve, unchanged

SECTIONS = 3000
SMALLEST, LARGEST = 30_000, 60_000  # bytes


@dataclass(frozen=True, slots=True)
class Host:
    """What the pages of a host have alike."""

    top: bytes
    statement: bytes
    bottom: bytes


class ManyPages:
    """The answers, by path: `/page/N`."""

    def __init__(self, hosts: int, stating: int) -> None:
        """`stating` of 100 pages have a visa statement; the others have no visa word."""
        rng = random.Random(1)
        passages = [json.loads(line)["passage"] for line in PASSAGES.read_text().splitlines()]
        self._sections = [pageparts.section(rng, n).encode() for n in range(SECTIONS)]
        self._hosts = [host(rng, n, passages[n % len(passages)]) for n in range(hosts)]
        self._stating = stating

    def body(self, number: int) -> bytes:
        """The page of a number: always the same."""
        rng = random.Random(number)
        found = self._hosts[number % len(self._hosts)]
        stating = number % 100 < self._stating
        size = len(found.top) + len(found.statement) * stating + len(found.bottom)
        wanted = rng.uniform(SMALLEST, LARGEST - 2000)
        sections = []
        while size < wanted:
            sections.append(rng.choice(self._sections))
            size += len(sections[-1])
        if stating:
            sections.insert(len(sections) // 2, found.statement)
        return b"".join([found.top, b"<p>Program %d.</p>" % number, *sections, found.bottom])

    def answer(self, request: bytes) -> bytes:
        """The response to one request."""
        path = request.split(b" ", 2)[1]
        if path == b"/robots.txt":
            return MISSING
        number = path.rpartition(b"/")[2]
        etag = b'"page-%s"' % number
        return unchanged(etag) if etag in request else fresh(etag, self.body(int(number)))


def host(rng: random.Random, number: int, passage: str) -> Host:
    """The host of a number; `passage` is what it says of visas."""
    page = pageparts.page(rng, pageparts.script(rng), pageparts.style(rng), "@")
    top, bottom = page.split(b"<main>@</main>")
    heading = f"<h2>Visa sponsorship at Hospital {number}</h2>".encode()
    statement = b'<div class="rich-text">' + heading + passage_page(passage) + b"</div>"
    return Host(top + b"<main>", statement, b"</main>" + bottom)


if __name__ == "__main__":
    page_count, host_count, stating_share = map(int, sys.argv[1:4])
    uvloop.run(serve(ManyPages(host_count, stating_share), host_count, 0))
