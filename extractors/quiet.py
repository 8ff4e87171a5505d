"""Stretches of a page that cannot matter, folded into few elements before BeautifulSoup.

A page's cost is BeautifulSoup's objects, one for each element and text. Most paragraphs, headings
and list items name no visa and stand far from any that does: no rule looks at them, only their
text is part of the page's. Each run of them becomes one element, a block to a line, which the
walk turns into the same blocks again.
"""

from __future__ import annotations

import re

from lxml import etree  # type: ignore[import-untyped]

from extractors.sieve import which_name_a_visa

QUIET = "x-quiet"
# Before a line, what it was: an item of a list, or a heading of level 1 to 6 (private-use
# characters).
ITEM_MARK = "\ue000"
HEADING_MARKS = {f"h{level}": chr(0xE000 + level) for level in range(1, 7)}
_MARKS = re.compile("[\ue000-\ue006]")
# How far a sentence can lean on another: a lead-in or question above, answers below.
_BEFORE, _AFTER = 3, 5
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "caption", "summary", "dt"})
_LEAVES = frozenset({"p", "li", *HEADING_MARKS})
_LISTS = frozenset({"ul", "ol"})
# A paragraph that could be a heading, a label or a bullet is not quiet: others stand under it.
_PROSE = re.compile(r"[A-Za-z].{60,}[.!;]", re.S)


def fold(root: etree._Element) -> None:
    """Fold the quiet stretches of a pruned tree, in place."""
    spoken = [e for e in root.iter(etree.Element) if e.text and not e.text.isspace()]
    texts = [" ".join(e.text.split()) for e in spoken]
    near = _in_reach(spoken, texts)
    lines = {
        element: text
        for number, (element, text) in enumerate(zip(spoken, texts, strict=True))
        if element.tag in _LEAVES
        and not len(element)
        and number not in near
        and not _MARKS.search(text)
    }
    for parent in {leaf.getparent() for leaf in lines}:
        _fold_children(parent.getparent() if parent.tag in _LISTS else parent, lines)


def _in_reach(spoken: list[etree._Element], texts: list[str]) -> set[int]:
    """The numbers of what a rule may look at: near a visa's name, or under a heading with one."""
    near: set[int] = set()
    speaking = which_name_a_visa(texts)
    under_visa = False
    for number, (element, text) in enumerate(zip(spoken, texts, strict=True)):
        if number in speaking:
            near.update(range(number - _BEFORE, number + _AFTER + 1))
            # A short line can be a heading or a lead-in, whatever its tag.
            under_visa = under_visa or element.tag in _HEADINGS or not _PROSE.fullmatch(text)
        elif element.tag in _HEADINGS:
            under_visa = False
        if under_visa:
            near.add(number)
    return near


def _fold_children(parent: etree._Element | None, lines: dict[etree._Element, str]) -> None:
    if parent is None:
        return
    runs: list[tuple[etree._Element, list[str]]] = []
    going_on = False
    for child in list(parent):
        folded = _folded(child, lines)
        if folded is None or (child.tail and not child.tail.isspace()):
            going_on = False
        elif going_on:
            runs[-1][1].append(folded)
            parent.remove(child)
        else:
            runs.append((child.makeelement(QUIET), [folded]))
            parent.replace(child, runs[-1][0])
            going_on = True
    for run, said in runs:
        run.text = "\n".join(said)


def _folded(element: etree._Element, lines: dict[etree._Element, str]) -> str | None:
    """The lines of a quiet paragraph, heading or list; None for anything else."""
    if element.tag == "p":
        text = lines.get(element)
        return text if text and _PROSE.fullmatch(text) else None
    if mark := HEADING_MARKS.get(element.tag):
        text = lines.get(element)
        return mark + text if text else None
    if element.tag in _LISTS and len(element) and not (element.text or "").strip():
        items = [lines.get(item) for item in element]
        if all(items) and all(not (item.tail or "").strip() for item in element):
            return "\n".join(f"{ITEM_MARK}{item}" for item in items)
    return None
