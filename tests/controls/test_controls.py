"""Each control can be switched off, and docs/security.md tells of it; `make controls` does it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.controls import ROOT, controls, failing, faults, table, without

DOCS = (ROOT / "docs/security.md").read_text("utf-8")


def test_each_edit_fits_one_place_and_each_test_is_there() -> None:
    assert [*faults(controls())] == []
    names = [one.name for one in controls()]
    assert len(names) == len(set(names))


def test_the_docs_have_the_table() -> None:
    """`python -m benchmarks.controls --table` prints it."""
    _, _, rest = DOCS.partition("<!-- controls -->\n")
    assert rest.partition("<!-- /controls -->")[0].strip() == table(controls())


def test_every_test_in_the_docs_is_there() -> None:
    known = {
        (file.name, name)
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)
    }
    told = set()
    for files in re.findall(r"`test_\w+\.py`:(?: `test_\w+`,?)+", DOCS):
        file, *names = re.findall(r"`(test_[\w.]+)`", files)
        told |= {(file, name) for name in names}
    assert len(told) > 60
    assert told <= known


def test_a_test_without_its_control_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine itself: one control that shows something, and one that does not."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # loading all takes seconds
    monkeypatch.setenv("PYTEST_PLUGINS", "pytest_timeout")
    (control,) = [one for one in controls() if one.name == "log-lines"]
    (edit,) = control.off
    (tmp_path / "crawler").mkdir()
    (tmp_path / edit.file).write_text((ROOT / edit.file).read_text("utf-8"), "utf-8")
    (tmp_path / "crawler/__init__.py").touch()
    test = tmp_path / "tests/cli/test_cli_hostile.py"
    test.parent.mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    for held, said, limit in (
        ('"\\\\n" in line', "fails", 60),
        ("line", "PASSES", 60),
        ("__import__('threading').Event().wait()", "hangs", 0.1),
    ):
        test.write_text(
            "from crawler.plain import LineFormatter\nfrom logging import makeLogRecord\n"
            "def test_a_line_of_a_log_stays_one():\n"
            "    line = LineFormatter().format(makeLogRecord({'msg': 'a\\nb'}))\n"
            f"    assert {held}\n"
        )
        assert without(control, tmp_path, limit)[0] == said
        assert (tmp_path / edit.file).read_text("utf-8").count(edit.old) == 1
    for held, said in (("True", ""), ("False", "1 failed")):  # with its control
        test.write_text(f"def test_a_line_of_a_log_stays_one():\n    assert {held}\n")
        found = failing([control], tmp_path)
        assert said in found
        assert bool(said) == bool(found)
