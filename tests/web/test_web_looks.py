"""Every page in Chromium: axe-core finds nothing, and nothing is wider than a phone or a desk.

The pages come from the table of routes: a new one is looked at without anybody's help, and one
whose address has a parameter that nobody gave an example for fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from hostile import hostile
from playwright.sync_api import Browser, Page
from serving import NOON, PASSWORD, Serve, Served
from test_web_routes import example

from extractors import Policy, Stance, Visa
from store import invitations, policies, programs, subscriptions
from store.database import Store
from store.records import Program, Standing, Subscription
from web.access import ROUTES, Role

AXE = Axe()
ALL = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
COLOURS = {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]}
WIDTHS, THEMES = (375, 1280), ("light", "dark")  # a phone and a desk
SIDEWAYS = """[...document.querySelectorAll('.scroll')]
    .filter(e => e.scrollWidth > e.clientWidth).map(e => e.ariaLabel)"""
TOUCHING = """[...document.querySelectorAll('main *')]
    .filter(e => e.matches('.search, .actions, .notice, .scroll, .decide'))
    .filter(e => e.offsetParent && e.nextElementSibling?.offsetParent)
    .map(e => [e, e.nextElementSibling])
    .filter(([e, next]) => {
        const gap = next.getBoundingClientRect().top - e.getBoundingClientRect().bottom;
        return gap > -1 && gap < 6;
    })
    .map(([e, next]) => `${e.className} and ${next.tagName}: ${next.innerText.slice(0, 40)}`)"""
CUT = """[...document.querySelectorAll('select, input[placeholder]')].filter(e => e.offsetParent)
    .filter(e => {
        const style = getComputedStyle(e);
        const pen = document.createElement('canvas').getContext('2d');
        pen.font = style.font;
        const said = e.placeholder ?? e.selectedOptions[0]?.text ?? '';
        const beside = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight)
            + (e.matches('select, [type=search]') ? 16 : 0);  // the arrow, the cross
        return pen.measureText(said).width > e.clientWidth - beside;
    })
    .map(e => e.id)"""
ANA = "ana@inbox.example"
# The categories that no program of the demo has: the matrix has a column for each.
OTHERS = {
    "conflicting": ((Visa.J1, Stance.SPONSORED), (Visa.H1B, Stance.CONFLICTING)),
    "unclear": ((Visa.J1, Stance.NOT_SPONSORED),),
}

# Pages that no address alone leads to: a visitor's way to each from a page with a form.
MADE: dict[str, Callable[[Page], object]] = {
    "/subscribe": lambda page: (
        page.get_by_label("Your e-mail address").fill(ANA),
        page.get_by_role("button", name="Send me a link").click(),
    ),
    "/subscribe/confirm/{token}": lambda page: page.get_by_role("button", name="Yes").click(),
    "/unsubscribe/{tokens}": lambda page: page.get_by_role("button", name="End this").click(),
    "/review/log-in": lambda page: (
        page.get_by_label("Name").fill("ada"),
        page.get_by_label("Password").fill("wrong"),
        page.get_by_role("button", name="Log in").click(),
    ),
    "/review/{change_id}": lambda page: page.get_by_role("button", name="Accept").click(),
}
FILES = (
    "/programs.csv",
    "/shortlist.csv",
    "/shortlist.ics",
    "/review/examples.jsonl",
    "/static/{name}",
)
# Other states of pages: nothing found, filters set, faults.
STATES = (
    "/?state=MA&visa=H-1B&condition=step3_passed&sure=1",
    "/?q=nowhere",
    "/?page=9",
    "/?state=nowhere",
    "/nowhere",
    "/changes?week=2026-W40",
    "/changes/5",
    "/programs/conflicting",
    "/programs/marrow-bay-pathology",
    "/programs/evil",
    "/subscribe?program=lantern-hill-surgery",
    "/shortlist?visa=either&prefers=H-1B&step3=planned&step3_on=2027-01-15",
    "/shortlist?visa=J-1&class=none",
    "/shortlist?visa=tourist",
    "/review?status=accepted&q=nowhere",
    "/review/999",
    "/review/5",
)


@pytest.fixture
def looked_at(users: Path) -> tuple[Path, dict[str, str]]:
    """A database with everything in it, and addresses with tokens, by route."""
    hostile(users)
    with Store(users) as store, store.writing():
        for name, stances in OTHERS.items():
            programs.save(store, [Program(name, "Fernway Hospital", "Urology")])
            policy = Policy(stances).to_json()
            policies.record(store, Standing(name, "2026-11-24T02:00:00Z", "read", policy, policy))
        _, invited = invitations.add(store, Subscription(0, ANA), NOON)
        told = subscriptions.add(store, Subscription(0, "ben@inbox.example", visa="O-1"), NOON)
    assert invited
    return users, {"{token}": invited.token, "{tokens}": told.token}


def pages(database: Path, tokens: dict[str, str]) -> dict[str, str]:
    """Where each route that is read leads to, by route."""
    found = {}
    for (method, path), role in ROUTES.items():
        if method == "GET" and role is not Role.MACHINE and path not in FILES:
            filled = re.sub(r"\{tokens?\}", lambda name: tokens[name[0]], path)
            found[path] = example(filled, database)
    return found


def faults(page: Page, where: str) -> list[str]:
    """What is wrong with the page that is open, at each width and in each theme."""
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    page.evaluate(AXE.axe_script)
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            # Each rule sees each width and each theme; those on colours, each of both.
            whole = (width, theme) in ((WIDTHS[0], THEMES[0]), (WIDTHS[1], THEMES[1]))
            wrong = _axe(page, ALL if whole else COLOURS)
            found += [f"{where}, {width} px, {theme}: {fault}" for fault in wrong]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{where}: wider than {width} px")
        for said, script in (
            ("must be scrolled sideways", SIDEWAYS),
            ("touch each other", TOUCHING),
            ("words are cut off", CUT),
        ):
            found += [f"{where}, {width} px: {said}: {part}" for part in page.evaluate(script)]
    return found


def _axe(page: Page, rules: dict[str, object]) -> Iterator[str]:
    for fault in page.evaluate("rules => axe.run(rules)", rules)["violations"]:
        nodes = "; ".join(node["html"][:200] for node in fault["nodes"][:3])
        yield f"{fault['id']} ({fault['help']}): {nodes}"


def enter(page: Page, served: Served, name: str = "ada") -> None:
    page.goto(f"{served.origin}/review/log-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/review")


ROOMS = {
    "public": lambda path: not path.startswith("/review"),
    "review": lambda path: path.startswith("/review"),
}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("room", ROOMS)
def test_axe_finds_nothing_on_any_page(
    looked_at: tuple[Path, dict[str, str]], serve: Serve, browser: Browser, room: str
) -> None:
    database, tokens = looked_at
    served = serve(database, home="https://visas.example", sender="watch@visas.example")
    addresses = [*pages(database, tokens).items(), *zip(STATES, STATES, strict=True)]
    found: list[str] = []
    for path, address in addresses:
        if not ROOMS[room](path):
            continue
        # The sandboxed page has a policy by which nothing at all could look at it.
        with browser.new_context(bypass_csp="{snapshot}" in path) as context:
            context.set_default_timeout(30_000)
            page = context.new_page()
            if path.startswith("/review") and path != "/review/log-in":
                enter(page, served)
            answer = page.goto(served.origin + address)
            assert answer
            assert "text/html" in answer.headers["content-type"], address
            found += faults(page, path)
            if path in MADE:
                MADE[path](page)
                found += faults(page, f"{path}, sent")
    assert found == [], "\n".join(found)


def test_printed_pages_are_black_on_white_and_without_what_is_clicked(
    database: Path, serve: Serve, browser: Browser
) -> None:
    """Whatever the theme of the screen is."""
    served = serve(database)
    paper = {"width": 800, "height": 1000}  # about a sheet of letter paper
    with browser.new_context(color_scheme="dark", viewport=paper) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.emulate_media(media="print", color_scheme="dark")
        for path in (
            "/",
            "/programs/lantern-hill-internal-medicine",
            "/changes/1",
            "/matrix",
            "/review/1",
        ):
            page.goto(served.origin + path)
            colour = "e => getComputedStyle(e).color"
            assert page.locator("main").evaluate(colour) == "rgb(27, 36, 48)"
            for gone in page.locator(".top nav, .search, .decide, .pager, .skip, iframe").all():
                assert not gone.is_visible(), path
            assert page.get_by_text("not legal advice").is_visible()
            assert page.evaluate(SIDEWAYS) == []  # which would be cut off
