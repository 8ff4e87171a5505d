"""Templates: escaped, strict, and the only place where HTML is made."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.background import BackgroundTask

from store.database import Store
from store.memory import Key
from web import sessions, static, words
from web.sessions import Visitor
from web.site import Site, path_of, site_of


class Links:
    """Addresses of pages, with the site's prefix."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def __call__(self, path: str, /, **query: object) -> str:
        """`links("/changes", week="2026-W48")`; parameters that are empty are left out.

        >>> Links("/visas")("/", state="WA", q="")
        '/visas/?state=WA'
        """
        given = [(k, v) for k, v in query.items() if v not in ("", None)]
        return self._prefix + path + (f"?{urlencode(given)}" if given else "")

    def program(self, program_id: str) -> str:
        """The page of a program."""
        return self(f"/programs/{quote(program_id, safe='')}")

    def institution(self, institution_id: int) -> str:
        """The page of an institution."""
        return self(f"/institutions/{institution_id}")

    def change(self, change_id: int) -> str:
        """The page of a change."""
        return self(f"/changes/{change_id}")

    def static(self, name: str) -> str:
        """A file of web/static, by a name that changes with its content."""
        return self(f"/static/{static.FILES[name].hashed}")


def page(
    request: Request,
    template: str,
    /,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    background: BackgroundTask | None = None,
    **values: Any,
) -> HTMLResponse:
    """A page made from a template; `title` must be among the values.

    Templates have these values, `links` (see Links), `here` (the request's path without prefix),
    `visitor` (of the review room, else None) and what `web.words` gives them as filters.
    """
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    links = Links(site_of(request).settings.prefix)
    text = TEMPLATES.get_template(template).render(
        **values,
        links=links,
        here=path_of(request),
        visitor=visitor,
    )
    kept = "no-cache" if visitor is None else "no-store"
    response = HTMLResponse(
        text, status, {"Cache-Control": kept, **(headers or {})}, background=background
    )
    if visitor is not None and visitor.fresh:
        sessions.send_cookie(request, response, visitor)
    return response


def lines(
    site: Site,
    store: Store,
    template: str,
    macro: str,
    keys: Collection[Key],
    values: Callable[[list[Key]], Mapping[Key, object]],
) -> dict[Key, Markup]:
    """By key, the lines of a list: what a macro makes of a value and `links`.

    They follow from the database alone, and are made once while it is as it is (`Store.each`).
    """
    links = Links(site.settings.prefix)

    def made(missing: list[Key]) -> dict[Key, Markup]:
        line = getattr(TEMPLATES.get_template(template).module, macro)
        return {key: line(value, links) for key, value in values(missing).items()}

    return store.each((template, macro), keys, made)


@lru_cache(10_000)
def kept(template: str, macro: str, /, *given: Hashable) -> Markup:
    """What a macro makes of values that say all of it: made once, as most pages show the same few.

    Templates call it by this name.
    """
    made: Markup = getattr(TEMPLATES.get_template(template).module, macro)(*given)
    return made


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("web"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # or each page looks whether each file of its has changed
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(words.FILTERS)
    environment.globals["kept"] = kept
    return environment


TEMPLATES = _environment()
