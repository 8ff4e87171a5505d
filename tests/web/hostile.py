"""A page and a program that mean harm."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from extractors import policy_for, read_page, with_source
from store import changes, programs, snapshots
from store.database import Store
from store.records import Program

LINK = "http://evil.example/x"
SAID = (
    "We sponsor only J-1 visas </textarea><script>alert(1)</script>"
    f"<img src={LINK} onerror=alert(2)> for\u202e all."
)
SHOWN = SAID.replace("\u202e", "")  # which would turn the text around
NAME = "<img src=x onerror=alert(9)>"
_PAGE = f"""<!DOCTYPE html><html><head><script>alert(3)</script>
<style>@import url({LINK}); body {{ background: url({LINK}) }} mark {{ display: none }}</style>
<meta http-equiv="refresh" content="0;url={LINK}"><base href="{LINK}"></head>
<body onload="alert(4)"><svg onload="alert(5)"><use href="{LINK}#a"/></svg>
<iframe src="javascript:alert(6)"></iframe><img src="{LINK}" onerror="alert(7)">
<form action="{LINK}"><button autofocus onfocus="alert(8)">x</button></form>
{{nested}}<p>Deep down.</p>
<h2>Visas</h2><p>{SAID.replace("<", "&lt;")}</p></body></html>"""


def hostile(database: Path, nested: int = 500) -> None:
    """Files change 5, of a program whose page has so many tags in one another."""
    body = _PAGE.replace("{nested}", "<div><b>" * (nested // 2)).encode()
    with Store(database) as store, store.writing():
        programs.save(store, [Program("evil", f"{NAME} Hospital", NAME)])
        packed = snapshots.pack(body)
        snapshots.keep(store, packed, "text/html; charset=utf-8")
        said = with_source(
            read_page(body),
            url=f"javascript:alert(10)//{LINK}",
            fetched_at="2026-11-24T02:00:00Z",
            snapshot=packed.sha256.hex(),
        )
        after = policy_for([said])[0].to_json()
        assert after["category"] == "j1_only"
        first = changes.get(store, 1)
        changes.flag(store, replace(first, program_id="evil", after=after, url=LINK))
