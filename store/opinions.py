"""What the second reader made of the pieces of pages, by their words.

Most of what a page says tonight it said last night, and so do other pages of its institution. The
model takes longer for one piece than all else does for a page; so no night reads the same twice.
A row is a hash of the words and ten numbers, and holds nothing that cannot be made anew.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from store.database import Store

_LAYOUT = struct.Struct("<10H")  # of five stances for each of two visas
_ROW = 5

Chances = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Opinions:
    """Those of the model of one version, by the hash of the words that it read.

    New ones are in the database after `save`; what another model made of the words gives way.
    """

    store: Store
    reader: str
    _new: dict[bytes, Chances] = field(default_factory=dict)

    def get(self, window: bytes) -> Chances | None:
        """Of each visa, the chances of each stance; None for words that it has not read."""
        if (found := self._new.get(window)) is not None:
            return found
        rows = self.store.tuples(
            "SELECT chances FROM opinions WHERE window = ? AND reader = ?", (window, self.reader)
        )
        if not rows:
            return None
        shares = [number / 1000 for number in _LAYOUT.unpack(rows[0][0])]
        return tuple(shares[:_ROW]), tuple(shares[_ROW:])

    def __setitem__(self, window: bytes, chances: Chances) -> None:
        self._new[window] = chances

    def save(self) -> None:
        """Writes the new ones. Inside `writing()`."""
        self.store.write_many(
            "INSERT OR REPLACE INTO opinions VALUES (?, ?, ?)",
            [
                (
                    window,
                    self.reader,
                    _LAYOUT.pack(*(round(share * 1000) for row in chances for share in row)),
                )
                for window, chances in self._new.items()
            ],
        )
        self._new.clear()
