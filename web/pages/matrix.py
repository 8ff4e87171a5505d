"""`/matrix`: how many programs of each specialty have which policy."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from extractors.values import Category
from store import search
from web.rendering import page
from web.routing import Pages
from web.site import OfSite
from web.views import category_chip

router = Pages()

UNSEEN = "unseen"  # as store.search.matrix calls it


@router.page("/matrix")
def matrix(request: Request, site: OfSite) -> Response:
    """A table of specialties and categories; each count leads to its programs."""
    with site.reading() as store:
        counts = search.matrix(store)
    used = {category for row in counts.values() for category in row}
    columns = [(str(c), category_chip(c)) for c in Category if c in used]
    if UNSEEN in used:
        columns.append((UNSEEN, category_chip(None)))
    totals = {key: sum(row.get(key, 0) for row in counts.values()) for key, _ in columns}
    return page(
        request,
        "matrix.html",
        title="Policies by specialty",
        columns=columns,
        counts=counts,
        totals=totals,
        unseen=UNSEEN,
    )
