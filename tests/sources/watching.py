"""The programs that tests of sources watch, and the moment in which they do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from store.records import Program

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
PAGE = "https://marrow.example/neurology"

PROGRAMS = (
    Program(
        "marrow-neuro", "Marrow Bay Medical Center", "Neurology", city="Salem", state="MA",
        eligibility_url=PAGE, acgme_id="1802400001", coordinator_email="pat@marrow.example",
    ),
    Program(
        "marrow-im", "Marrow Bay Medical Center", "Internal Medicine", city="Salem", state="MA",
        website_url="https://marrow.example/", coordinator_email="im@marrow.example",
    ),
    Program(
        "quill-im", "Quillwater Community Hospital", "Internal Medicine", city="Dover", state="NH",
        website_url="https://quill.example/", coordinator_email="office@quill.example",
    ),
    Program(
        "lantern-im", "Lantern Hill Hospital", "Internal Medicine", city="Dover", state="NH",
        website_url="https://lantern.example/", acgme_id="1402400009",
    ),
)  # fmt: skip

Says = Callable[..., None]
