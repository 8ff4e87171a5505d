"""Cut from a page what is not its content, before its blocks are made.

What a page costs is the Python objects that are made of its nodes: so libxml2 itself looks for
those that matter, drops scripts, navigation and hidden text, merges inline tags into their
text, and what is left (often a third) is walked.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice

from lxml import etree  # type: ignore[import-untyped]

from extractors.sieve import without_scripts

_NEVER = frozenset((
    "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "embed",
    "canvas", "audio", "video", "picture", "map", "head", "nav", "footer", "select",
    "textarea", "datalist", "dialog", "title", "noembed", "noframes", "rp",
    "s", "strike", "del",  # struck out: it holds no longer
))  # fmt: skip
_NEVER_AT_ALL = _NEVER - {"nav", "footer", "dialog"}  # whatever they hold
_INLINE = (
    "a", "abbr", "b", "acronym", "bdi", "bdo", "big", "cite", "code", "data", "dfn", "em",
    "font", "i", "ins", "kbd", "label", "mark", "o", "q", "samp", "small", "span",
    "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "nobr", "img", "input", "hr", "link",
    "meta",
)  # fmt: skip
_WRAPPERS = ("div", "section", "article", "main", "header", "form", "aside", "center")
_WRAPPER = "wrapper"
_DOOMED = "x-doomed"
# What they hold is text in lines, whatever it looks like.
_RAW = ("xmp", "plaintext", "listing")
_DROPPED_ROLES = frozenset({"navigation", "contentinfo", "search", "menu", "menubar", "alert"})
_DROPPED_NAMES = re.compile(
    r"(?:^|[\s_-])(?:cookies?|cookie-?banner|gdpr|breadcrumbs?|navbar|main-?menu|site-?nav"
    r"|mega-?menu|skip-?links?|social-?share|related-?links|sr-only|visually-?hidden"
    r"|screen-reader-text)(?:$|[\s_-])",
    re.I,
)
# A closed accordion or tab is content that waits for a click.
_FOLDED = re.compile(r"accordion|collaps|tab-?(?:pane|panel|content)|toggle|panel|faq|expand", re.I)
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)"
    r"|text-decoration(?:-line)?\s*:[^;]*line-through",
    re.I,
)
_CSS_COMMENT = re.compile(r"/\*[^*]*\*+(?:[^/*][^*]*\*+)*/")
_MAX_ASIDES, _MAX_NESTED = 40, 3
_KEEPERS = ("main", "article", "h1")
_MANY_WORDS = 800  # attributes of one tag: parsing them takes quadratic time
_LONG_TAG = 4000  # characters
_TAG_START = re.compile(r"<[a-zA-Z][^\s<>/]{0,40}")
_RAW_END = re.compile(r"</(?:script|style|textarea|title|xmp|template|noscript)\s*$", re.I)
_WRAPPER_TAGS = re.compile(rf"(?:</?(?:{'|'.join(_WRAPPERS)})(?:\s[^<>]*)?>\s*)+", re.I)
_ANY_TAGS = re.compile(r"(?:</?[a-z][^<>]*>\s*)+", re.I)
_PAGE_ENDS = re.compile(r"</(?:body|html)(?:\s[^<>]*)?>", re.I)
# <div/> is <div> in HTML, and what follows is in it.
_CLOSED_AT_ONCE = re.compile(rf"(<(?:{'|'.join((*_WRAPPERS, 'p', 'span'))})\s[^<>]*+)(?<=/)>", re.I)
_INLINE_TAG = re.compile(rf"</?(?:{'|'.join(_INLINE)})(?:\s[^<>]*)?>", re.I)
# Attributes that may hide an element, and those by which a click may show another.
_HIDING_ATTRIBUTES = frozenset({"hidden", "popover", "aria-hidden", "style"})
_CONTROLS = frozenset({"aria-controls", "data-target", "data-bs-target"})
_EXPANDS = frozenset({"aria-expanded", "data-toggle"})  # of a link to what it shows
_OPENING = _CONTROLS | _EXPANDS
_NOT_WRITTEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CELLS = ("td", "th")


def prune(page: str) -> etree._Element | None:
    """The content of an HTML page as a tree; None when there is nothing at all to parse."""
    page = as_browsers_read(_without_monster_tags(without_scripts(page)))
    root = _parse(page)
    if root is None:
        return None
    named = [(e, keys) for e in root.iter(etree.Element) if (keys := e.keys())]
    controlled = _controlled_ids(named)
    hiding = [e for e, keys in named if not _HIDING_ATTRIBUTES.isdisjoint(keys)]
    hidden = {e for e in hiding if _is_hidden(e, controlled)}
    content = _holders_of_content(root, hidden)
    doomed = hidden.union(root.iter(*_NEVER))
    doomed.update(e for e, _ in named if _is_decoy(e))
    doomed.update(e for e in islice(root.iter("aside"), _MAX_ASIDES) if _is_mostly_links(e))
    for element in doomed:
        if element not in content or element.tag in _NEVER_AT_ALL:
            element.tag = _DOOMED
            _part(element)
    etree.strip_elements(root, _DOOMED, etree.Comment, etree.ProcessingInstruction, with_tail=False)
    for raw in root.iter(*_RAW):
        raw.tag = "pre"
    for cell in root.iter("td"):
        if _is_bold(cell):
            cell.tag = "th"
    for span in root.iter("span"):
        # Two spans without a space between are a label and its value, parted by a style sheet.
        if span.tail or (after := span.getnext()) is None:
            continue
        if after.tag == "span" and span.attrib and after.attrib:
            span.tail = " "
    etree.strip_tags(root, *_INLINE)
    for element, _ in named:
        if element.tag not in _CELLS:  # whose spans place them
            element.attrib.clear()
    for element in root.iter(*_BARE):
        if _BARE[element.tag](element):
            element.tag = _WRAPPER
    etree.strip_tags(root, _WRAPPER)
    return root


def _part(element: etree._Element) -> None:
    """Put a space behind an element that goes: what stands around it is not one word."""
    tail = element.tail or ""
    try:
        element.tail = f" {tail}"
    except ValueError:  # lxml reads control characters, and does not write them
        element.tail = f" {_NOT_WRITTEN.sub('', tail)}"


def as_browsers_read(page: str) -> str:
    """`page` without what libxml2 takes for an end, and browsers do not.

    >>> as_browsers_read("<p>J-1</p></body></html><div hidden/><p>H-1B</p>")
    '<p>J-1</p><div hidden><p>H-1B</p>'
    """
    if "/>" in page:
        page = _CLOSED_AT_ONCE.sub(lambda tag: f"{tag[1][:-1]}>", page)
    return _PAGE_ENDS.sub("", page)


def _parse(page: str) -> etree._Element | None:
    """The tree of `page`; None when there is nothing at all to parse.

    libxml2 gives up at 2,048 levels, and all that comes after is lost. A page that gets there (by
    <font> or <div> that are never closed, or by malice) is read again with fewer and fewer kinds
    of tags, the last time as plain lines.
    """
    root = None
    for simplify in (str, _without_inline, _without_wrappers, _as_lines):
        parser = etree.HTMLParser(encoding="utf-8", huge_tree=True)
        page = simplify(page)
        try:
            root = etree.fromstring(page.encode("utf-8", "ignore"), parser)
        except (etree.ParserError, etree.XMLSyntaxError):
            return None
        if not any("depth" in entry.message for entry in parser.error_log):
            break
    return root


def _without_inline(page: str) -> str:
    return _INLINE_TAG.sub("", page)


def _without_wrappers(page: str) -> str:
    return _WRAPPER_TAGS.sub("<p>", page)


def _as_lines(page: str) -> str:
    return _ANY_TAGS.sub("<p>", page)


def _is_bold(cell: etree._Element) -> bool:
    """True for a cell in bold throughout: a header, on pages that never heard of <th>."""
    if len(cell) != 1 or cell[0].tag not in ("b", "strong"):
        return False
    around = (cell.text or "") + (cell[0].tail or "")
    return not around.strip()


def _is_empty(element: etree._Element) -> bool:
    """True for a paragraph without anything in it or right after it: it parts nothing."""
    return not (
        len(element)
        or (element.text and not element.text.isspace())
        or (element.tail and not element.tail.isspace())
    )


def _only_wraps(element: etree._Element) -> bool:
    """True for a container of blocks with no text of its own: it can go, they stay."""
    if not len(element) or (element.text and not element.text.isspace()):
        return False
    return all(child.tag != "br" and (not child.tail or child.tail.isspace()) for child in element)


# By tag, when an element may go and what it holds stays.
_BARE = {
    **dict.fromkeys(_WRAPPERS, _only_wraps),
    **{"p": _is_empty, "li": _is_empty},
}


def _without_monster_tags(page: str) -> str:
    """`page` with the attributes cut from any tag that has hundreds of them."""
    runs = page.split(">")
    if max(map(len, runs)) < _LONG_TAG:
        return page
    return ">".join(_shortened(run) if len(run) >= _LONG_TAG else run for run in runs)


def _shortened(run: str) -> str:
    tag = _TAG_START.search(run)
    if tag is None or len(run) - tag.end() < _LONG_TAG:
        return run
    tail = run[tag.end() :]
    if tail.count("=") + len(tail.split()) < _MANY_WORDS:
        return run
    raw_end = _RAW_END.search(tail[-40:])
    return f"{run[: tag.end()]}>{raw_end.group()}" if raw_end else run[: tag.end()]


def _controlled_ids(named: list[tuple[etree._Element, list[str]]]) -> frozenset[str]:
    """The ids of parts that a button or tab opens, of elements with their attributes' names."""
    values: list[str] = []
    for element, keys in named:
        if not _OPENING.isdisjoint(keys):
            values += map(element.get, _CONTROLS.intersection(keys))
            if element.tag == "a" and not _EXPANDS.isdisjoint(keys):
                values.append(element.get("href", ""))
    return frozenset(part.lstrip("#") for value in values for part in value.split())


def _holders_of_content(root: etree._Element, hidden: set[etree._Element]) -> set[etree._Element]:
    """What holds the page's content, even where it calls itself navigation.

    Hidden content is content only where nothing else is: a page that a script shows.
    """
    keepers = list(root.iter(*_KEEPERS))
    holders: set[etree._Element] = set()
    for keeper in _shown(keepers, hidden) or keepers:
        element = keeper if keeper.tag in ("main", "article") else keeper.getparent()
        while element is not None and element not in holders:
            holders.add(element)
            element = element.getparent()
    return holders


def _shown(elements: list[etree._Element], hidden: set[etree._Element]) -> list[etree._Element]:
    """Those that stand in nothing hidden."""
    known = dict.fromkeys(hidden, False)
    for one in elements:
        path, element = [], one
        while element is not None and element not in known:
            path.append(element)
            element = element.getparent()
        known.update(dict.fromkeys(path, element is None or known[element]))
    return [one for one in elements if known[one]]


def _is_hidden(element: etree._Element, controlled: frozenset[str]) -> bool:
    """True for what nobody sees, and no click on the page opens."""
    attributes = element.attrib
    hidden = (
        "hidden" in attributes
        or "popover" in attributes
        or attributes.get("aria-hidden") == "true"
        or ("style" in attributes and _hides(attributes["style"]))
    )
    return (
        hidden
        and element.tag not in ("html", "body")
        and not (
            attributes.get("id") in controlled
            or attributes.get("role") in ("tabpanel", "region")
            or _FOLDED.search(_names(element)) is not None
            or attributes.get("hidden") == "until-found"
        )
    )


def _hides(style: str) -> bool:
    return _HIDING.search(_CSS_COMMENT.sub("", style) if "/*" in style else style) is not None


def _is_decoy(element: etree._Element) -> bool:
    """True for what a page calls navigation, a banner and the like."""
    named_so = element.get("role") in _DROPPED_ROLES or _names_a_decoy(_names(element)[:300])
    return named_so and element.tag not in ("html", "body", "main")


def _names(element: etree._Element) -> str:
    return f"{element.get('class', '')} {element.get('id', '')}"


@lru_cache(maxsize=4096)
def _names_a_decoy(names: str) -> bool:
    return _DROPPED_NAMES.search(names) is not None


def _is_mostly_links(element: etree._Element) -> bool:
    if len(list(islice(element.iterancestors("aside"), _MAX_NESTED))) == _MAX_NESTED:
        return False  # its text was counted often enough
    text = sum(len(part.strip()) for part in element.itertext())
    linked = sum(len("".join(a.itertext()).strip()) for a in element.iter("a"))
    return linked * 2 > text
