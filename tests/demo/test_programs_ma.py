"""data/programs_ma.csv can be imported as it is."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from urllib.parse import urlsplit

FILE = Path(__file__).parents[2] / "data" / "programs_ma.csv"
HEADER = (
    "program_id,institution,specialty,level,city,state,website_url,eligibility_url,"
    "acgme_id,coordinator_email"
)


def rows() -> list[dict[str, str]]:
    with FILE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def test_the_header_is_the_contract() -> None:
    assert FILE.read_text(encoding="utf-8").splitlines()[0] == HEADER


def test_there_are_105_programs_sorted_by_a_unique_id() -> None:
    ids = [row["program_id"] for row in rows()]
    assert len(ids) == 105
    assert ids == sorted(set(ids))
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one) for one in ids)


def test_each_row_has_what_is_required_and_no_stray_spaces() -> None:
    for row in rows():
        assert row["institution"], row
        assert row["specialty"], row
        assert row["website_url"] or row["eligibility_url"], row
        assert row["level"] in {"residency", "fellowship"}, row
        assert row["state"] == "MA", row
        assert all(value == " ".join(value.split()) for value in row.values()), row


def test_urls_and_acgme_ids_are_valid() -> None:
    for row in rows():
        for url in filter(None, (row["website_url"], row["eligibility_url"])):
            parts = urlsplit(url)
            assert parts.scheme in {"http", "https"}, url
            assert re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}", parts.netloc), url
            assert parts.path.startswith("/"), url
            assert re.fullmatch(r"[!-~]+", url), url
            assert not parts.fragment, url
        assert re.fullmatch(r"(\d{10})?", row["acgme_id"]), row
