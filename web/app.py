"""Builds the web application: `create_app(Site(...))`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware

from store.database import Store
from web import access, errors
from web.api import description, routes
from web.api.answers import ForAllOrigins
from web.pages import (
    changes,
    decisions,
    entrance,
    feeds,
    files,
    health,
    matrix,
    programs,
    report,
    review,
    search,
    season,
    shortlist,
    subscribe,
)
from web.security import Shield
from web.site import Site

# One module per page family, each with its `router`.
PAGES = (
    search,
    programs,
    report,
    changes,
    matrix,
    shortlist,
    season,
    feeds,
    subscribe,
    routes,
    description,
    entrance,
    health,
    review,
    decisions,
    files,
)


def create_app(site: Site) -> FastAPI:
    """The application over a site's database, which is made or migrated if need be.

    Raises StoreError for a database of no use, and ValueError for a route without a role.
    """
    Store(site.database).close()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        site.close()

    app = FastAPI(
        title="VisaWatch",
        lifespan=lifespan,
        dependencies=[Depends(access.admit)],
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.site = site
    description.document(site.settings.prefix)  # once, before there are several processes
    for module in PAGES:
        app.include_router(module.router)
    access.check(app)
    errors.install(app)
    app.add_middleware(ForAllOrigins)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_middleware(Shield)  # the last one added is the outermost
    return app
