"""What others may import, and the examples in the docstrings."""

import doctest
import importlib
import pkgutil

import pytest

import extractors

MODULES = [m.name for m in pkgutil.iter_modules(extractors.__path__, "extractors.")]


def test_every_exported_name_is_there() -> None:
    for name in extractors.__all__:
        assert hasattr(extractors, name)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
