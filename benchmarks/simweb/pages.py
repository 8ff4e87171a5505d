"""Writes the pages of the simulated web as HTML: the styles of styles/, and the night's noise."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks.simweb import words
from benchmarks.simweb.values import HERE, PageState, Site, World, data, dice

FIRST_NIGHT = datetime(2026, 9, 1, 2, tzinfo=UTC)
_NEWS_NIGHTS = 3  # for which the same news are shown


Links = list[tuple[str, str]]  # address and words


@dataclass(frozen=True, slots=True)
class Scene:
    """What all pages of a site have in common in one night."""

    seed: int
    number: int  # of the night
    site: Site
    style: tuple[str, int]
    nav: Links  # beside the start page


@cache
def _styles() -> Environment:
    loader = FileSystemLoader(HERE / "styles")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined)


def write(world: World, number: int, key: str) -> str:
    """One of the planned pages, in one night."""
    night = world.nights[number - 1]
    page, extra = night.pages[key], night.pages.get(f"{key}+")
    links = [(extra.path, extra.title)] if extra else []
    return written(_scene(world, number, page.site), page, key, links)


def written(scene: Scene, page: PageState, key: str, links: Links) -> str:
    """A page with all that is around what it says; `links` are those beside the navigation."""
    chance = dice(scene.seed, key)
    noise = data("noise")
    filler = chance.sample(noise["filler"], 6)
    above = filler[: chance.randint(1, 2)]
    below = filler[3 : 4 + (scene.number // 7 + chance.randrange(7)) % 3]
    if page.closed:
        above = [chance.choice(noise["closed"])]
    elif not page.policy:
        above.append(chance.choice(noise["silent"]))
    return _fill(scene, page, key, links=links, above=above, below=below)


def home(world: World, number: int, site: int, slug: str) -> str | None:
    """The start page of a site (`slug` is ""), or of one of its programs; None if there is none."""
    night = world.nights[number - 1]
    if not slug:
        links = [(f"/{_slug(p.pages[0])}/", p.specialty) for p in world.programs if p.site == site]
        if office := night.pages.get(f"{site}/office"):
            links.append((office.path, "Graduate medical education: visa policy"))
        above = ["Welcome to our hospital.", "Find your residency here."]
        page = PageState(site, "/", "Residency programs")
    else:
        keys = [k for k in night.pages if k.split("/")[:2] == [str(site), slug.rstrip("+")]]
        if not keys:
            return None
        links = [(night.pages[k].path, night.pages[k].title) for k in keys if night.pages[k].there]
        above = ["Welcome to our program.", "Read here what we ask of applicants."]
        page = PageState(site, f"/{slug}/", slug.replace("-", " ").title())
    scene = _scene(world, number, site)
    return _fill(scene, page, f"{site}/{slug}/home", links=links, above=above, below=[])


def _scene(world: World, number: int, site: int) -> Scene:
    nav = [(f"/{_slug(p.pages[0])}/", p.specialty) for p in world.programs if p.site == site]
    style = world.nights[number - 1].styles[site]
    return Scene(world.seed, number, world.sites[site], style, nav)


def _slug(key: str) -> str:
    return key.split("/")[1]


def _fill(
    scene: Scene,
    page: PageState,
    key: str,
    *,
    links: Links,
    above: list[str],
    below: list[str],
) -> str:
    site, number = scene.site, scene.number
    style, look = scene.style
    nightly = dice(scene.seed, number, key, "noise")
    shown = FIRST_NIGHT + timedelta(days=number if site.counter else 0)
    return (
        _styles()
        .get_template(f"{style}.html")
        .render(
            site={"name": site.name, "look": look},
            page=page,
            lines=words.sentences(page),
            rows=words.rows(page),
            above=above,
            below=below,
            links=links,
            nav=_nav(scene, nightly),
            news=_news(scene),
            related=_related(scene, key),
            cookie=nightly.choice(data("noise")["cookies"]) if site.cookies else "",
            visitors=1000 + 37 * number + nightly.randrange(30) if site.counter else 0,
            token=f"?sid={nightly.getrandbits(48):012x}" if site.tokens else "",
            today=f"{shown:%B} {shown.day}, {shown.year}",
        )
    )


def _nav(scene: Scene, nightly: random.Random) -> Links:
    links = [("/", "Home"), *scene.nav]
    if scene.site.counter or scene.site.tokens:  # such sites write their navigation anew each night
        nightly.shuffle(links)
    return links


def _news(scene: Scene) -> list[str]:
    if not scene.site.news:
        return []
    chance = dice(scene.seed, "news", scene.site.number, scene.number // _NEWS_NIGHTS)
    noise = data("noise")
    fills = {n.rstrip("s"): chance.choice(noise[n]) for n in ("months", "names", "towns")}
    return [item.format(**fills) for item in chance.sample(noise["news"], 2)]


def _related(scene: Scene, key: str) -> list[str]:
    if not scene.site.related or key.endswith("/home"):
        return []
    chance = dice(scene.seed, "related", key, scene.number // 5)
    others = chance.sample(data("world")["specialties"], 2)
    return [chance.choice(data("noise")["related"]).format(other=o) for o in others]
