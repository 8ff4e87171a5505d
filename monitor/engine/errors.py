"""What can go wrong with the engine as a whole."""

from __future__ import annotations


class EngineError(Exception):
    """The engine cannot be used; the message names it, what is wrong, and the way out."""


class RunOver(EngineError):
    """The stream that was asked for is not there any more: its run has ended."""
