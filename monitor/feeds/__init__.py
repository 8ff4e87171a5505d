"""Atom feeds of what was flagged: all of it, by institution, by program."""

from monitor.feeds.atom import Entry, Feed, rendered
from monitor.feeds.building import LONGEST, feed, feeds, institution_path, program_path

__all__ = [
    "LONGEST",
    "Entry",
    "Feed",
    "feed",
    "feeds",
    "institution_path",
    "program_path",
    "rendered",
]
