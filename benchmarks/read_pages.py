"""Reads pages by the rules beside this file: `python read_pages.py`, JSON in, JSON out.

benchmarks.baselines copies it beside an older release's `extractors`, so it uses nothing but
what every release has; who asks is said to the releases that want to know.
"""

from __future__ import annotations

import inspect
import json
import sys
from typing import Any

import extractors


def read_page(page: dict[str, str]) -> dict[str, Any]:
    """What the rules make of one page."""
    body = page["body"].encode()
    asked = {}
    if "asker" in inspect.signature(extractors.classify).parameters:
        make = vars(extractors)["Asker"]
        asked = {"asker": make(level=page["level"], specialty=page["specialty"])}
    policy = extractors.classify(body, page["content_type"], **asked)
    text = extractors.page_text(body, page["content_type"])
    return {
        "stances": {str(visa): str(stance) for visa, stance in policy.stances},
        "conditions": [(str(c.visa), str(c.kind)) for c in policy.conditions],
        "confidence": policy.confidence,
        "needs_review": policy.needs_review,
        "quotes": [e.quote == text[e.start : e.end] for e in policy.evidence],
    }


if __name__ == "__main__":
    json.dump([read_page(page) for page in json.load(sys.stdin)], sys.stdout)
