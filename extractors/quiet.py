"""Stretches of a page that cannot matter, folded into few elements before BeautifulSoup.

A page's cost is BeautifulSoup's objects, one for each element and text. Most paragraphs and list
items name no visa and stand far from any that does: no rule looks at them, only their text is
part of the page's. Each run of them becomes one element, a block to a line, which the walk turns
into the same blocks again.
"""

from __future__ import annotations

import re

from lxml import etree  # type: ignore[import-untyped]

from extractors.sieve import which_name_a_visa

QUIET = "x-quiet"
ITEM_MARK = "\ue000"  # before a line that was a list item (a private-use character)
# How far a sentence can lean on another: a lead-in or question above, answers below.
_BEFORE, _AFTER = 3, 5
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "caption", "summary", "dt"})
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
        if element.tag in ("p", "li")
        and not len(element)
        and number not in near
        and ITEM_MARK not in text
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
    run: etree._Element | None = None
    for child in list(parent):
        folded = _folded(child, lines)
        if folded is None or (child.tail and not child.tail.isspace()):
            run = None
            continue
        if run is None:
            run = child.makeelement(QUIET)
            run.text = folded
            parent.replace(child, run)
        else:
            run.text = f"{run.text}\n{folded}"
            parent.remove(child)


def _folded(element: etree._Element, lines: dict[etree._Element, str]) -> str | None:
    """The lines of a quiet paragraph or list; None for anything else."""
    if element.tag == "p":
        text = lines.get(element)
        return text if text and _PROSE.fullmatch(text) else None
    if element.tag in _LISTS and len(element) and not (element.text or "").strip():
        items = [lines.get(item) for item in element]
        if all(items) and all(not (item.tail or "").strip() for item in element):
            return "\n".join(f"{ITEM_MARK}{item}" for item in items)
    return None
