"""A page that needs JavaScript, watched with a real browser: read, compared, confirmed."""

from __future__ import annotations

from browsers import APP, RENDER, SHELL, browser_or_skip
from conftest import Watch


def test_a_change_that_only_a_browser_shows_is_flagged(watch: Watch) -> None:
    browser_or_skip()
    watch.render = RENDER
    watch.site.page("/app.js", APP, type="text/javascript")
    watch.site.page("/visa", SHELL, headers={"ETag": '"shell"'})
    watch.site.page("/api/visa.json", '["We sponsor only J-1 visas."]', type="application/json")
    watch.program()
    watch.night()
    assert watch.category() == "j1_only"
    assert watch.kinds() == []
    # The shell has words of its own by now, and the page says something else.
    words = "Welcome to our residency, which trains physicians of all kinds. " * 5
    watch.site.page("/visa", SHELL.replace("<div id=root>", f"<p>{words}</p><div id=root>"))
    watch.site.page("/api/visa.json", '["We do not sponsor visas."]', type="application/json")
    watch.night()
    assert watch.kinds() == ["policy_changed"]
    assert watch.category() == "no_sponsorship"
    assert not any("If-None-Match" in visit.headers for visit in watch.site.visits)
