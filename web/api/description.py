"""`/api/v1/openapi.json`, and `/api/v1`: the same for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response

from web import meanings
from web.api import routes
from web.api.answers import ROOT, tagged
from web.api.models import Problem
from web.rendering import page
from web.routing import Pages
from web.site import OfSite

router = Pages()

_ABOUT = (
    "Which visas US residency programs say they sponsor, with the sentences that prove it. "
    + meanings.DISCLAIMER
    + " Read-only; no key is needed. Lists come in stretches: `next` is the cursor of the "
    "following one. Answers have an ETag: send it back in If-None-Match, and what has not changed "
    "is not sent again. Faults are application/problem+json (RFC 9457)."
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an address, as people read of it; `choices` are all values, if few."""

    name: str
    words: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Address:
    """One address of the API."""

    path: str
    summary: str
    parameters: tuple[Parameter, ...]
    fields: tuple[tuple[str, str], ...]  # of the answer: name, and what it is if that is said


@router.page(f"{ROOT}/openapi.json")
def openapi(request: Request, site: OfSite) -> Response:
    """The API's description for machines (OpenAPI 3.1)."""
    body = json.dumps(document(site.settings.prefix), ensure_ascii=False).encode()
    return tagged(request, body, {"Cache-Control": "no-cache"})


@router.page(ROOT)
def for_people(request: Request, site: OfSite) -> Response:
    """The API's description for people."""
    return page(
        request,
        "api.html",
        title="Data for programs of yours",
        root=ROOT,
        home=(site.settings.home or str(request.base_url)).rstrip("/"),
        addresses=tuple(addresses(site.settings.prefix)),
        problem=Problem(title="Not understood", status=422, detail="...", faults=["visa: ..."]),
    )


@cache
def document(prefix: str) -> dict[str, Any]:
    """The OpenAPI document of a site that is served under a prefix."""
    made = get_openapi(
        title="VisaWatch",
        version="1",
        description=_ABOUT,
        routes=routes.router.described.routes,
        servers=[{"url": prefix or "/"}],
    )
    schemas = made["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema()
    for path, operations in made["paths"].items():
        operation = operations["get"]
        operation["responses"] = {
            "200": operation["responses"]["200"],
            "304": {"description": "It is what If-None-Match names."},
            **({"404": _problem("There is no such thing.")} if "{" in path else {}),
            **({"422": _problem("A parameter is wrong.")} if operation.get("parameters") else {}),
            "default": _problem("Another fault."),
        }
    return made


def addresses(prefix: str) -> Iterator[Address]:
    """Each address, from the document."""
    made = document(prefix)
    schemas = made["components"]["schemas"]
    for path, operations in made["paths"].items():
        operation = operations["get"]
        answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
        yield Address(
            path,
            operation["description"],
            tuple(_parameter(one, schemas) for one in operation.get("parameters", ())),
            tuple(
                (name, of.get("description", ""))
                for name, of in _resolved(answer, schemas)["properties"].items()
            ),
        )


def _parameter(one: dict[str, Any], schemas: dict[str, Any]) -> Parameter:
    schema = one["schema"]
    kinds = [_resolved(kind, schemas) for kind in schema.get("anyOf", [schema])]
    choices = tuple(str(value) for kind in kinds for value in kind.get("enum", ()) if value)
    return Parameter(one["name"], one.get("description", schema.get("description", "")), choices)


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = schemas[name] if name else schema
    return found


def _problem(words: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": words, "content": {"application/problem+json": {"schema": schema}}}
