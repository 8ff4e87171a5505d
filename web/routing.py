"""How a page module says which addresses it answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

_Handler = TypeVar("_Handler", bound=Callable[..., Any])


class Pages(APIRouter):
    """The routes of one page family. Handlers are plain functions and give a Response."""

    def page(self, path: str) -> Callable[[_Handler], _Handler]:
        """Answers GET and HEAD."""
        return self._route(path, ["GET", "HEAD"])

    def form(self, path: str) -> Callable[[_Handler], _Handler]:
        """Answers POST."""
        return self._route(path, ["POST"])

    def _route(self, path: str, methods: list[str]) -> Callable[[_Handler], _Handler]:
        return self.api_route(
            path, methods=methods, include_in_schema=False, response_class=Response
        )


class Data(Pages):
    """The routes of an API. `described` has them once each, for its description."""

    def __init__(self) -> None:
        super().__init__()
        self.described = APIRouter()

    def data(self, path: str, model: type[BaseModel]) -> Callable[[_Handler], _Handler]:
        """Answers GET and HEAD; the answer to GET is a `model`."""

        def add(handler: _Handler) -> _Handler:
            self.described.add_api_route(
                path, handler, response_model=model, operation_id=handler.__name__
            )
            return self.page(path)(handler)

        return add
