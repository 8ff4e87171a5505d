"""What can be wrong with what somebody wrote: a profile, or a file of data.

ShortlistError
+- DataError       a file of shortlist/data, or one that replaces it
+- ProfileError    a profile; every fault of it at once
"""

from __future__ import annotations


class ShortlistError(Exception):
    """Said in a sentence, with the name of the thing and the way out."""


class DataError(ShortlistError):
    """A data file that cannot be used as it is."""


class ProfileError(ShortlistError):
    """A profile that cannot be used; `faults` are a name and a sentence each."""

    def __init__(self, where: str, faults: tuple[tuple[str, str], ...]) -> None:
        self.faults = faults
        super().__init__(f"{where}: " + "; ".join(f"'{name}': {words}" for name, words in faults))
