"""Pages that cannot be read: reported once, and once more when they are back."""

from __future__ import annotations

from conftest import BOTH, J1_ONLY, SILENT, Watch, neighbours

from monitor import outages


def told(watch: Watch) -> list[str]:
    """What a night reports."""
    cycle = watch.night().cycle
    return [str(report) for report in outages.reports(watch.store, cycle)]


def test_an_outage_is_reported_once_after_three_nights_and_once_when_over(watch: Watch) -> None:
    watch.program()
    watch.site.page("/visa", J1_ONLY)
    assert told(watch) == []
    watch.site.page("/visa", "", status=403)
    assert (told(watch), told(watch)) == ([], [])
    (line,) = told(watch)
    url = watch.site.url("/visa")
    assert line.startswith(f"health: {url} (im) not read since 2026-11-01T02:00:00Z: ")
    assert "403" in line
    assert (told(watch), told(watch)) == ([], [])
    status = watch.status()
    assert (status.stale, status.health, status.as_of) == (True, "blocked", "2026-11-01T02:00:00Z")
    watch.site.page("/visa", J1_ONLY)
    assert told(watch) == [f"health: {url} (im) can be read again"]
    assert told(watch) == []
    assert watch.changes() == []


def test_a_second_outage_is_reported_too(watch: Watch) -> None:
    watch.program()
    found = []
    for status in (200, 503, 503, 503, 200, 503, 503, 503):
        watch.site.page("/visa", J1_ONLY if status == 200 else "", status=status)
        found.append(len(told(watch)))
    assert found == [0, 0, 0, 1, 1, 0, 0, 1]


def test_a_page_that_fails_every_other_night_is_not_reported(watch: Watch) -> None:
    watch.program()
    found = []
    for status in (200, 503, 503, 200, 503, 503, 200):
        watch.site.page("/visa", J1_ONLY if status == 200 else "", status=status)
        found += told(watch)
    assert found == []


def test_a_page_that_many_inherit_is_one_report_with_their_names(watch: Watch) -> None:
    watch.site.page("/gme", BOTH)
    neighbours(watch, gme="/gme")
    watch.site.page("/surgery/visas", SILENT)
    watch.night()
    watch.site.page("/gme", "", status=403)
    watch.night()
    watch.night()
    (line,) = told(watch)
    assert line.startswith(f"health: {watch.site.url('/gme')} (medicine, surgery) not read since")


def test_a_page_that_is_gone_is_a_change_and_no_outage(watch: Watch) -> None:
    watch.program()
    watch.site.page("/visa", J1_ONLY)
    watch.night()
    watch.site.page("/visa", "", status=404)
    assert [told(watch) for _ in range(4)] == [[]] * 4
    assert watch.kinds() == ["page_gone"]


def test_a_page_that_was_never_seen_is_reported(watch: Watch) -> None:
    watch.program()
    watch.site.page("/visa", "", status=403)
    watch.night()
    watch.night()
    (line,) = told(watch)
    assert " (im) never read: " in line
