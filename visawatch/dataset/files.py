"""The data set as CSV, JSON lines and SQLite, each described."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from store import dataset
from store.database import Store
from visawatch.dataset.rows import Public, public, rows
from web import csvfile, meanings
from web.api.models import Model

TITLE = "VisaWatch: which visas US residency programs say they sponsor"
_ABOUT = (
    meanings.DISCLAIMER
    + " What a maintainer has confirmed or corrected says so in “reviewed”; all else was read"
    " automatically and no person has confirmed it. Quotes belong to the pages they come from."
)
_SOURCE = "The programs' own web pages"
_TYPES = {"TEXT": "string", "INTEGER": "integer", "REAL": "number"}


def files(store: Store, *, stale_after_cycles: int, base_url: str) -> dict[str, bytes]:
    """By path, all files of the data set; the same database gives the same bytes."""
    data = public(store, stale_after_cycles=stale_after_cycles)
    made = rows(data)
    found = {f"json/{name}.jsonl": text for name, text in _json_lines(data).items()}
    for table in dataset.TABLES:
        names = [column.name for column in table.columns]
        found[f"csv/{table.name}.csv"] = b"".join(csvfile.lines([names, *made[table.name]]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "visawatch.db"
        dataset.write(path, made)
        found["visawatch.db"] = path.read_bytes()
    found["metadata.json"] = _json(_for_datasette(base_url))
    found["csv/datapackage.json"] = _json(_data_package())
    return found


def _json_lines(data: Public) -> dict[str, bytes]:
    # An address is for who looks a program up, not for who takes all of them at once.
    without = {"coordinator_email"}

    def lines(items: Sequence[Model]) -> bytes:
        return b"".join(one.model_dump_json(exclude=without).encode() + b"\n" for one in items)

    return {
        "institutions": lines(data.institutions),
        "programs": lines(data.programs),
        "changes": lines(data.changes),
    }


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def _for_datasette(base_url: str) -> dict[str, Any]:
    """metadata.json (docs.datasette.io/en/stable/metadata.html)."""
    tables: dict[str, dict[str, Any]] = {
        table.name: {
            "title": table.title,
            "description": table.words,
            "columns": {column.name: column.words for column in table.columns},
            **({"label_column": table.label} if table.label else {}),
            **({"facets": list(table.facets)} if table.facets else {}),
        }
        for table in dataset.TABLES
    }
    tables |= {
        view.name: {
            "title": view.title,
            "description": view.words,
            "columns": dict(view.columns),
        }
        for view in dataset.VIEWS
    }
    return {
        "title": TITLE,
        "description": _ABOUT,
        "source": _SOURCE,
        **({"about": "VisaWatch", "about_url": base_url} if base_url else {}),
        "databases": {"visawatch": {"title": TITLE, "description": _ABOUT, "tables": tables}},
    }


def _data_package() -> dict[str, Any]:
    """datapackage.json, which describes the CSV files (specs.frictionlessdata.io/data-package)."""
    return {
        "name": "visawatch",
        "title": TITLE,
        "description": _ABOUT,
        "sources": [{"title": _SOURCE}],
        "resources": [
            {
                "name": table.name,
                "path": f"{table.name}.csv",
                "title": table.title,
                "description": table.words,
                "format": "csv",
                "encoding": "utf-8",
                "schema": _schema(table),
            }
            for table in dataset.TABLES
        ],
    }


def _schema(table: dataset.Table) -> dict[str, Any]:
    keys = {other.name: other.key[0] for other in dataset.TABLES}
    return {
        "fields": [
            {"name": c.name, "type": _TYPES[c.kind], "description": c.words} for c in table.columns
        ],
        "missingValues": [""],
        "primaryKey": list(table.key),
        "foreignKeys": [
            {"fields": c.name, "reference": {"resource": c.of, "fields": keys[c.of]}}
            for c in table.columns
            if c.of
        ],
    }
