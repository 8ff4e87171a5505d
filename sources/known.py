"""All evidence on a program that the store has: its pages', findings', and other channels'."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from extractors import Policy, Stance
from monitor.status import Status, statuses
from monitor.taken_back import BY_ITSELF
from monitor.timeline import season
from sources.values import Channel, Evidence
from store import changes, evidence, pages, policies, verdicts
from store.database import Store
from store.evidence import Saying
from store.records import Change, Program, Review, Standing

FUSED = "fused"  # the origin of a policy that channels beside the pages have part in


def known(store: Store, only: Collection[str]) -> dict[str, list[Evidence]]:
    """By id, all evidence on each of these watched programs. Raises NotFound."""
    if not only:
        return {}
    said = evidence.of_programs(store, only)
    by_status = statuses(store, only=only)
    histories = {
        s.program.program_id: policies.history(store, s.program.program_id) for s in by_status
    }
    offices = _office_pages(store, [s.program for s in by_status], histories)
    return {
        (program_id := status.program.program_id): [
            *_of_pages(status, histories[program_id], offices[program_id]),
            *_findings(store, program_id, histories[program_id]),
            *_first_said(said.get(program_id, ())),
        ]
        for status in by_status
    }


def others_speak(store: Store, program_id: str) -> bool:
    """Whether anything but a program's pages may say what holds: a channel, or a maintainer."""
    said = evidence.of_programs(store, [program_id])
    return bool(said) or verdicts.ever(store, program_id)


def _of_pages(status: Status, history: Sequence[Standing], office: set[str]) -> list[Evidence]:
    """What a program's pages say, its own and its institution's apart."""
    if not history or history[-1].cycle_id is None:
        return []  # none of them was ever read
    last = history[-1]
    reading = Policy.from_json(last.reading)
    since = last.since
    for before in reversed(history):
        if before.cycle_id is None or Policy.from_json(before.reading).stances != reading.stances:
            break
        since = before.since

    def inherited(visa: str) -> bool:
        speaking = {e.url for e in reading.evidence if e.visa == visa}
        return bool(speaking) and speaking <= office

    parts = []
    for channel, whether in ((Channel.WEBSITE, False), (Channel.INSTITUTION, True)):
        visas = {visa for visa, _ in reading.stances if inherited(visa) is whether}
        quotes = [e for e in reading.evidence if e.visa in visas]
        if not visas:
            continue
        parts.append(
            Evidence(
                channel,
                at=status.as_of or last.since,
                season=season(status.as_of or last.since),
                stances=tuple(pair for pair in reading.stances if pair[0] in visas),
                conditions=tuple(c for c in reading.conditions if c.visa in visas),
                quote=" … ".join(dict.fromkeys(e.quote for e in quotes)),
                link=next((e.url for e in quotes if e.url), "") or "",
                since=since,
                doubtful=reading.needs_review,
                confidence=reading.confidence,
            )
        )
    return parts


def _findings(store: Store, program_id: str, history: Sequence[Standing]) -> list[Evidence]:
    """What a maintainer decided, as long as its pages say what they said then."""
    every = [c for c in changes.of_program(store, program_id) if c.severity != "minor"]
    held = [verdicts.holding(verdicts.of_change(store, change.id)) for change in every]
    flagged = [change for change in every if change.cycle_id is not None]  # by its pages
    made = [r for r in (*verdicts.of_reading(store, program_id), *held) if _by_person(r)]
    found = []
    for review in filter(None, made):
        places = [i for i, s in enumerate(history) if s.review_id == review.id]
        if not places or _flagged_since(review, flagged, history[places[0] + 1 :]):
            continue
        policy = Policy.from_json(history[places[0]].policy)
        found.append(
            Evidence(
                Channel.MAINTAINER,
                at=review.at,
                season=season(review.at),
                stances=tuple(p for p in policy.stances if p[1] is not Stance.CONFLICTING),
                conditions=policy.conditions,
                who=review.by,
                quote=review.note,
                turn=review.id,
            )
        )
    return found


def _flagged_since(
    review: Review, flagged: Sequence[Change], stood_since: Sequence[Standing]
) -> bool:
    """Whether a page's change was flagged after a decision: it waits for one of its own.

    In one second only the order in which policies came to stand tells which was first.
    """
    cycles = {s.cycle_id for s in stood_since if s.origin == "read" and s.review_id is None}
    return any(
        change.detected_at > review.at
        or (change.detected_at == review.at and change.cycle_id in cycles)
        for change in flagged
        if change.id != review.change_id
    )


def _by_person(review: Review | None) -> bool:
    return review is not None and review.by != BY_ITSELF


def _first_said(sayings: Sequence[Saying]) -> list[Evidence]:
    """What other channels say; what one repeats it says since it first did."""
    found = []
    since: dict[tuple[str, str], tuple[object, str]] = {}
    for saying in sorted(sayings, key=lambda s: (s.season, s.at, s.id)):
        said = Policy.from_json({**_EMPTY, **saying.said})
        source = (saying.channel, saying.who)
        before = since.get(source)
        first = before[1] if before and before[0] == said.stances else saying.at
        since[source] = (said.stances, first)
        found.append(replace(_evidence(saying, said), since=first))
    return found


_EMPTY = Policy().to_json()


def _evidence(saying: Saying, said: Policy) -> Evidence:
    return Evidence(
        Channel(saying.channel),
        at=saying.at,
        season=saying.season,
        stances=said.stances,
        conditions=said.conditions,
        who=saying.who,
        quote=saying.quote,
        link=saying.link,
        confirmed=saying.state == "accepted",
        doubtful=saying.doubtful and saying.state != "accepted",
        confidence=saying.confidence,
        id=saying.id,
    )


def _office_pages(
    store: Store, asked: Sequence[Program], histories: Mapping[str, Sequence[Standing]]
) -> dict[str, set[str]]:
    """By program, of the pages that its reading quotes, its institution's that are not its own."""
    quoted = {
        program_id: {e["url"] for e in stood[-1].reading["evidence"] if e.get("url")}
        for program_id, stood in histories.items()
        if stood
    }
    watchers: dict[str, set[str | None]] = defaultdict(set)  # by address, programs and institutions
    for watch in pages.watches_at(store, set().union(*quoted.values())):
        watchers[watch.page.url] |= {watch.program_id, watch.institution}
    return {
        (program_id := program.program_id): {
            url
            for url in quoted.get(program_id, ())
            if program.institution in watchers[url] and program_id not in watchers[url]
        }
        for program in asked
    }
