"""The real browser of tests, and pages that need one."""

from __future__ import annotations

import os

import pytest

from crawler import RenderLimits
from crawler.browser.chromium import NoBrowser, find

ROOT = os.geteuid() == 0  # Chromium's sandbox does not work for root
RENDER = RenderLimits(sandbox=not ROOT)
NEEDED = "BROWSER_NEEDED"  # set in CI: then a browser must be there

SHELL = """<!doctype html><title>Larkspur Residency</title>
<link rel=stylesheet href=/app.css><noscript>Please enable JavaScript.</noscript>
<div id=root></div><img src=/logo.png><script src=/app.js></script>"""
APP = """const root = document.getElementById('root');
fetch('/api' + location.pathname + '.json').then(answer => answer.json()).then(texts => {
  root.innerHTML = '<h1>Visa policy</h1>' + texts.map(text => `<p>${text}</p>`).join('');
});"""


def browser_or_skip() -> None:
    """Without a browser there is nothing to test: a failure in CI, a skip elsewhere."""
    try:
        find("")
    except NoBrowser as error:
        if os.environ.get(NEEDED):
            pytest.fail(str(error))
        pytest.skip(str(error))
