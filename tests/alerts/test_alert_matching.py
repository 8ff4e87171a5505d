"""Which changes a subscription asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from alerts_bench import BOTH, J1_ONLY, PROGRAMS, REWORDED

from monitor.alerts import AddressError, address, matches
from store.records import Change, Subscription

CHANGE = Change(1, "harborview-im", 1, "policy_changed", "critical", "open", BOTH, J1_ONLY, "")
ALL = Subscription(1, "ana@a.example")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, True),
        ({"program_id": "harborview-im"}, True),
        ({"program_id": "harborview_im"}, False),
        ({"program_id": "lakeside-fm harborview-im"}, True),
        ({"program_id": "lakeside-fm lakeside-surg"}, False),
        ({"institution": "HARBORVIEW  medical"}, True),
        ({"institution": "Harbor"}, False),
        ({"specialty": "internal medicine"}, True),
        ({"specialty": "Medicine"}, False),
        ({"state": "wa"}, True),
        ({"state": "MN"}, False),
        ({"visa": "h1b"}, True),
        ({"visa": "J-1"}, False),
        ({"severity": "critical"}, True),
        ({"institution": "Harborview Medical", "state": "MN"}, False),
    ],
)
def test_filters(filters: dict[str, str], expected: bool) -> None:
    subscription = Subscription(1, "ana@a.example", **filters)
    assert matches(subscription, CHANGE, PROGRAMS[0]) is expected


@pytest.mark.parametrize("frequency", ["at_once", "daily", "weekly"])
@pytest.mark.parametrize("least", ["critical", "major", "minor"])
@pytest.mark.parametrize("severity", ["critical", "major", "minor"])
def test_severity(severity: str, least: str, frequency: str) -> None:
    order = ["critical", "major", "minor"]
    subscription = replace(ALL, severity=least, frequency=frequency)
    change = replace(CHANGE, severity=severity)
    expected = order.index(severity) <= order.index(least)
    if frequency == "at_once" and severity == "minor":
        expected = False
    assert matches(subscription, change, PROGRAMS[0]) is expected


def test_a_new_wording_is_about_the_visas_that_it_names() -> None:
    change = replace(CHANGE, after=REWORDED, severity="minor")
    daily = replace(ALL, severity="minor", frequency="daily")
    assert matches(replace(daily, visa="J-1"), change, PROGRAMS[0])
    assert not matches(replace(daily, visa="O-1"), change, PROGRAMS[0])


@pytest.mark.parametrize(
    "text",
    [
        "", "ana", "@a.example", "ana@", "a b@c.example", "ana@a..example", "ana@a.example\nBcc: x",
        "Ana <ana@a.example>", "ana@-a.example", "ána@a.example", "a@b@c.example",
        "x" * 65 + "@a.example", "ana@" + "a." * 130 + "example", "ana,bo@a.example",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AddressError, match="is not an e-mail address"):
        address(text)


def test_addresses_are_kept_as_written_but_for_the_domain() -> None:
    assert address(" Ana.S+x@A.EXAMPLE ") == "Ana.S+x@a.example"
    assert address("ana@bücher.example") == "ana@xn--bcher-kva.example"
