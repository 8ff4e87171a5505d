"""Atom feeds of what was flagged: all of it, by institution, by program."""

from monitor.feeds.atom import Entry, Feed, rendered
from monitor.feeds.building import LONGEST, feeds

__all__ = ["LONGEST", "Entry", "Feed", "feeds", "rendered"]
