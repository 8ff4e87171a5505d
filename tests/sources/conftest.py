"""Watched programs of whose pages one said something already."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from imapserver import NEEDED, ImapServer, dovecot, serving
from watching import NOW, PAGE, PROGRAMS, Says

from extractors import Policy, classify
from store import cycles, pages, policies, programs
from store.database import Store
from store.records import Observation, Standing, stamp


@pytest.fixture
def watched(store: Store) -> Store:
    """A database with these programs."""
    with store.writing():
        programs.save(store, PROGRAMS)
    return store


@pytest.fixture
def page_says(watched: Store) -> Says:
    """Lets a sentence stand as what the page of a program says, read this morning."""

    def says(sentence: str, program_id: str = "marrow-neuro", at: datetime = NOW) -> None:
        policy: Policy = classify(f"<p>{sentence}</p>".encode())
        read = policy.to_json()
        for evidence in read["evidence"]:
            evidence["url"] = PAGE
        with watched.writing():
            page = pages.add(watched, PAGE)
            pages.watch(watched, page.id, program_id=program_id, found="named")
            cycle, _ = cycles.open_one(watched, stamp(at))
            cycles.observe(watched, [Observation(page.id, cycle.id, 0, int(at.timestamp()), "ok")])
            policies.record(
                watched, Standing(program_id, stamp(at), "read", read, read, cycle_id=cycle.id)
            )

    return says


@pytest.fixture
def imap(public: Path) -> Iterator[ImapServer]:
    """An IMAP server with an empty mailbox. Without one the test is skipped, or fails in CI."""
    program = dovecot()
    if program is None:
        words = "no Dovecot on this machine (Debian: apt-get install dovecot-imapd)"
        if os.environ.get(NEEDED):
            pytest.fail(f"{words}, and {NEEDED} is set")
        pytest.skip(words)
    with serving(program, public) as server:
        yield server
