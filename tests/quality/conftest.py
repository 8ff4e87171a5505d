"""The same passages are read by many of these tests, and the model takes a minute for them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from extractors import second


@pytest.fixture(scope="session", autouse=True)
def kept() -> Iterator[None]:
    """What the model made of a window is kept until the end, and not for the last few alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(second, "chances_of", cache(second.chances_of.__wrapped__))
        yield
