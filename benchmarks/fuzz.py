"""Fuzzes the extractors under atheris, by coverage: `make fuzz`.

An input is either a page as it is, or a list of numbers that choose from the pieces which the
property tests use (tests/extractors/pieces.txt), so that a few bytes make a page about visas. What
must hold of any page is what the property tests ask: nothing raises, each quote is the page's
text at its span, statements and policy survive JSON, and no page takes longer than its bound.
A failing input is left beside the run as `crash-...`; what was found is in docs/fuzzing.md.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import atheris

atheris.enabled_hooks.add("str")  # what a comparison asks for is tried, too

PARSERS = ["email", "protego", "tomllib"]  # of others, which lead to our code

with atheris.instrument_imports(include=["extractors", *PARSERS]):
    from extractors import Asker, Policy, Statement, classify, page_text, policy_for, read_page

OURS = ["crawler", "sources", "shortlist", "visawatch", "web", *PARSERS]
SECONDS = 60  # of the processor, unless an argument says more
BOUND = 5.0  # seconds of CPU for one page; the longest input makes some 100 KB
PIECES = [
    *(Path(__file__).parent.parent / "tests/extractors/pieces.txt").read_text("utf-8").splitlines(),
    *(" ", "\n", "\r", "\x00", "­", " "),
]
TYPES = [
    "text/html",
    "text/plain",
    "application/pdf",
    "text/html; charset=utf-16",
    "text/html; charset=zip",
    "text/html; charset=windows-1252",
]
ASKERS = [None, Asker(), Asker("fellowship", "Cardiology"), Asker("residency", "Surgery")]


def page_of(data: atheris.FuzzedDataProvider) -> bytes:
    """The page that an input stands for."""
    if data.ConsumeBool():
        return bytes(data.ConsumeBytes(100_000))
    numbers = data.ConsumeIntListInRange(data.ConsumeIntInRange(0, 2000), 0, len(PIECES) - 1)
    return "".join(PIECES[number] for number in numbers).encode("utf-8", "replace")


def check(raw: bytes) -> None:
    """Raises AssertionError, or what the extractors raise, when a page breaks a promise."""
    data = atheris.FuzzedDataProvider(raw)
    content_type = data.PickValueInList(TYPES)
    asker = data.PickValueInList(ASKERS)
    body = page_of(data)
    start = time.process_time()
    policy = classify(body, content_type, asker)
    took = time.process_time() - start
    assert took < BOUND, f"{len(body)} bytes took {took:.1f} s"
    text = page_text(body, content_type)
    for evidence in policy.evidence:
        assert evidence.quote == text[evidence.start : evidence.end] != "", evidence
    assert Policy.from_json(json.loads(json.dumps(policy.to_json()))) == policy
    statements = read_page(body, content_type)
    stored = [json.loads(json.dumps(statement.to_json())) for statement in statements]
    again = tuple(Statement.from_json(statement) for statement in stored)
    assert again == statements
    assert policy_for([again], asker=asker)[0] == policy


def check_of(name: str) -> Callable[[bytes], None]:
    """The same for one target of tests/hostile/targets.py: bytes, or its pieces by number."""
    sys.path.append(str(Path(__file__).parent.parent / "tests/hostile"))
    with atheris.instrument_imports(include=OURS):
        from targets import TARGETS

    target = TARGETS[name]
    pieces = target.pieces

    def check_target(raw: bytes) -> None:
        data = atheris.FuzzedDataProvider(raw)
        if data.ConsumeBool():
            target.check(bytes(data.ConsumeBytes(100_000)))
            return
        count = data.ConsumeIntInRange(0, 500)
        numbers = data.ConsumeIntListInRange(count, 0, len(pieces) - 1)
        target.check(b"".join(pieces[number] for number in numbers))

    return check_target


def within(seconds: float, wanted: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """The same check, which asks libFuzzer to end after so many seconds of the processor.

    By the clock an hour on a machine with other work was nine minutes. Children's time counts.
    """

    def checked(raw: bytes) -> None:
        wanted(raw)
        if sum(os.times()[:4]) >= seconds:
            os.kill(os.getpid(), signal.SIGUSR1)  # it ends after this input, with its figures

    return checked


def main() -> None:
    """Fuzzes for as many seconds of the processor as the first argument says.

    The second one names the target; without it it is whole pages. Other options are libFuzzer's.
    """
    seconds, *options = sys.argv[1:] or [str(SECONDS)]
    named = bool(options) and not options[0].startswith("-")
    wanted = check_of(options.pop(0)) if named else check
    limits = ["-timeout=60", "-rss_limit_mb=2048", "-max_len=8192", "-print_final_stats=1"]
    limits.append("-len_control=0")  # else a slow target has only short inputs for hours
    atheris.Setup([sys.argv[0], *limits, *options], within(float(seconds), wanted))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
