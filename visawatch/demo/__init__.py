"""A small site of invented hospitals on loopback, whose visa policies change over three nights.

`cast.toml` is who plays what, `pages/` what they say, `site.DemoSite` the server.
"""

from visawatch.demo.cast import NIGHTS, ExpectedChange, expected, expected_changes
from visawatch.demo.site import DemoSite

__all__ = ["NIGHTS", "DemoSite", "ExpectedChange", "expected", "expected_changes"]
