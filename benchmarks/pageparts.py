"""What invented pages are made of: half of one is scripts, menus and footers, as on the sites."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable

_WORDS = re.findall(
    r"\w+",
    "our residents care for patients in clinic and on the wards with close teaching from "
    "attending physicians who value curiosity kindness rigor research quality improvement "
    "community health didactics simulation journal club conference rotation elective "
    "ambulatory inpatient procedures feedback mentorship wellness scholarship curriculum "
    "learning team hospital program department application interview season letters "
    "scores transcript certificate training year benefits salary vacation parking meals "
    "insurance retirement education stipend housing city mountains river neighborhoods "
    "schools families music food trails museums history",
)


def words(rng: random.Random, low: int, high: int) -> str:
    """So many words, between both numbers, the first with a capital."""
    return " ".join(rng.choices(_WORDS, k=rng.randint(low, high))).capitalize()


def menu(rng: random.Random, entries: int) -> str:
    """The entries of a menu."""
    return "".join(
        f'<li class="menu-item menu-item-{n}"><a class="menu-link" href="/{n}/{words(rng, 1, 2)}" '
        f'data-track="nav-{n}"><span class="label">{words(rng, 1, 3)}</span></a></li>'
        for n in range(entries)
    )


def script(rng: random.Random) -> str:
    """What a script element holds."""
    return "".join(
        f'window.cfg["k{n}"]={{"url":"/api/{n}","on":{"true" if n % 2 else "false"}}};'
        for n in range(rng.randint(60, 220))
    )


def style(rng: random.Random) -> str:
    """What a style element holds."""
    rules = range(rng.randint(100, 400))
    return "".join(f".c{n}{{margin:{n}px;color:#{n:06x}}}" for n in rules)


def section(rng: random.Random, n: int) -> str:
    """The nth section of a page: a heading, two paragraphs and a list."""
    items = "".join(f"<li>{words(rng, 4, 14)}</li>" for _ in range(rng.randint(3, 8)))
    return (
        f'<section class="block block-{n}"><div class="inner"><h2 id="s{n}">{words(rng, 2, 5)}</h2>'
        f'<p>{words(rng, 25, 70)}. <a href="/more/{n}">{words(rng, 1, 3)}</a> '
        f"{words(rng, 10, 30)}.</p>"
        f"<p><strong>{words(rng, 2, 3)}</strong> {words(rng, 20, 60)}.</p><ul>{items}</ul>"
        "</div></section>"
    )


def page(rng: random.Random, script: str, style: str, sections: Iterable[str]) -> bytes:
    """All of a page."""
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Residency</title>"
        f"<style>{style}</style><script>{script}</script></head><body>"
        f"<header><nav><ul>{menu(rng, 60)}</ul></nav></header><main>{''.join(sections)}</main>"
        f"<footer><ul>{menu(rng, 30)}</ul><p>{words(rng, 20, 40)}</p></footer>"
        f"<script>{script}</script></body></html>"
    ).encode()
