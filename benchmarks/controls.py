"""Switches each control of docs/security.md off, once, and shows that its test then fails.

`make controls` does it. A control and the edits that switch it off are a block of
tests/controls/controls.toml. The edits are made in a copy of the tree, in which the control's test
is run: a test that passes without its control shows nothing, and one that hangs until its time
limit shows something only if nothing else has slowed it down. Nor does one that fails anyway: all
are run before any control is switched off, and must pass. With names as arguments, only these are
switched off; `--table` prints the table of docs/security.md.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parent.parent
CONTROLS = ROOT / "tests/controls/controls.toml"
SECONDS = 120  # for a test, which may hang without its control
_LEFT_OUT = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__", "build")


@dataclass(frozen=True, slots=True)
class Edit:
    """One place of a file, as it is and as it would be without the control."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Control:
    """What keeps a threat away, by which test that is shown, and how it is switched off."""

    name: str
    who: str  # of the attackers of docs/security.md
    threat: str
    control: str
    test: str  # as pytest names it
    off: tuple[Edit, ...]


def controls() -> list[Control]:
    """All of them, in the order of the file. Raises KeyError, TypeError for a block of no use."""
    return [
        Control(**{**table, "off": tuple(Edit(**edit) for edit in table["off"])})
        for table in tomllib.loads(CONTROLS.read_text("utf-8"))["control"]
    ]


def faults(found: Sequence[Control]) -> Iterator[str]:
    """What keeps controls from being switched off: an edit that fits no place, or several."""
    for control in found:
        for edit in control.off:
            count = (ROOT / edit.file).read_text("utf-8").count(edit.old)
            if count != 1:
                yield f"{control.name}: {edit.old!r} is {count} times in {edit.file}"
        path, _, name = control.test.partition("::")
        if f"def {name.partition('[')[0]}(" not in (ROOT / path).read_text("utf-8"):
            yield f"{control.name}: there is no test {control.test}"


def table(found: Sequence[Control]) -> str:
    """The table of docs/security.md."""
    lines = ["| who | threat | control | test |", "| --- | --- | --- | --- |"]
    for one in found:
        path, _, name = one.test.partition("::")
        shown = f"`{Path(path).name}`: `{name.partition('[')[0]}`"
        lines.append(f"| {one.who} | {one.threat} | {one.control} | {shown} |")
    return "\n".join(lines)


def failing(found: Sequence[Control], tree: Path) -> str:
    """What pytest says in a copy of the tree of tests that fail with all controls on, if any do."""
    done = _pytest(tree, *dict.fromkeys(one.test for one in found))
    return "" if done.returncode == 0 else done.stdout.decode() + done.stderr.decode()


def without(control: Control, tree: Path, limit: float = SECONDS) -> tuple[str, float]:
    """What a control's test does in a copy of the tree without the control; and seconds.

    It PASSES, fails, or hangs: ends by its time limit, in seconds.
    """
    kept = {edit.file: (tree / edit.file).read_text("utf-8") for edit in control.off}
    for edit in control.off:
        file = tree / edit.file
        file.write_text(file.read_text("utf-8").replace(edit.old, edit.new), "utf-8")
    began = monotonic()
    try:
        done = _pytest(tree, "-x", "-o", f"timeout={limit}", control.test, limit=3 * SECONDS)
        if done.returncode not in (0, 1):  # 1: tests failed; else there was no test, or no run
            raise RuntimeError(f"{control.name}: {done.stdout.decode()}{done.stderr.decode()}")
        ended = "hangs" if b"from pytest-timeout" in done.stdout else "fails"
        return "PASSES" if done.returncode == 0 else ended, monotonic() - began
    except subprocess.TimeoutExpired:
        return "hangs", monotonic() - began
    finally:
        for name, text in kept.items():
            (tree / name).write_text(text, "utf-8")


def _pytest(
    tree: Path, *arguments: str, limit: float | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},  # for what the test starts, too
        capture_output=True,
        check=False,
        timeout=limit,
    )


def main(names: Sequence[str]) -> int:
    """Print the result of each control as it comes; return how many tests show nothing."""
    if names == ["--table"]:
        print(table(controls()))
        return 0
    wanted = [one for one in controls() if not names or one.name in names]
    if wrong := [*faults(wanted)]:
        print(*wrong, sep="\n", file=sys.stderr)
        return 2
    useless = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=_LEFT_OUT)
        if said := failing(wanted, tree):
            print(f"{said}\nthese fail with all controls on: they show nothing", file=sys.stderr)
            return 2
        print(f"{'control off':<28} {'seconds':>7}  {'its test':<8} test")
        for one in wanted:
            said, seconds = without(one, tree)
            useless += said == "PASSES"
            print(f"{one.name:<28} {seconds:>7.1f}  {said:<8} {one.test}", flush=True)
    print(f"{len(wanted)} controls, {useless} of them without a test that fails without them")
    return int(useless > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
