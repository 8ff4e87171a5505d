"""sqlite-utils, imported without what it takes along.

It looks for numpy and pandas, to take their numbers as values. None is ever given to it, and each
command would wait a tenth of a second for numpy, and hold 10 MB.
"""

from __future__ import annotations

import sys

__all__ = ["Database", "Migrations"]

_absent = [name for name in ("numpy", "pandas") if name not in sys.modules]
sys.modules.update(dict.fromkeys(_absent))  # type: ignore[arg-type]  # None: cannot be imported
try:
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations
finally:
    for _name in _absent:
        del sys.modules[_name]
