"""Pages that need JavaScript, shown in a real Chromium: what comes of them, and what they may."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from browsers import APP, RENDER, ROOT, SHELL, browser_or_skip
from crawls import crawl, fetch, limits
from loopback import PATIENCE, Site

from crawler import Fetch, Health, KnownPage, Limits, Plan, RenderLimits, Target, crawling
from crawler.browser.chromium import NAMES, find, memory_of
from crawler.browser.tab import MAX_PARTS

SLOW = 3 * PATIENCE  # a browser on a busy machine
DELAY = 0.05  # seconds
POLICY = '["The residency sponsors J-1 visas through ECFMG.", "It does not sponsor H-1B visas."]'
STATIC = "<title>Visas</title><h1>Visas</h1><p>The residency sponsors J-1 visas.</p>"


LONG = pytest.mark.skipif(not os.environ.get("BROWSER_LONG"), reason="`make browser` runs it")


@pytest.fixture(scope="module", autouse=True)
def chromium() -> None:
    browser_or_skip()


def furnish(site: Site) -> None:
    """The parts of a site that a script shows, and pages of two kinds."""
    site.page("/app.js", APP, type="text/javascript")
    for name in ("/visas", "/apply"):
        site.page(name, SHELL, headers={"ETag": '"shell"'})
        site.page(f"/api{name}.json", POLICY, type="application/json")
    site.page("/static", STATIC, headers={"ETag": '"7"'})


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        furnish(site)
        yield site


def bounds(*sites: Site, render: RenderLimits = RENDER, **changes: Any) -> Limits:
    return replace(limits(*sites, **changes), render=render)


def shell(script: str, head: str = "") -> str:
    """A page that its script fills, or ought to."""
    return f"<!doctype html><title>Visas</title>{head}<div id=root></div><script>{script}</script>"


def says(text: str) -> str:
    return f"document.getElementById('root').innerText = {text};"


# What a page may try, to reach what it may not.

REACHES = """
const log = [];
const reach = (name, go) => Promise.resolve().then(go).then(
  () => log.push(name + ' reached'), error => log.push(name + ' refused'));
const opened = (thing, good, bad) => new Promise((yes, no) => {
  thing[good] = yes; thing[bad] = no; });
const code = text => URL.createObjectURL(new Blob([text], {type: 'text/javascript'}));
const inner = `fetch('http://INSIDE/worker', {mode: 'no-cors'}).then(
  () => (self.port || self).postMessage('reached'), () => (self.port || self).postMessage('no'))`;
const worker = thing => new Promise((yes, no) => {
  thing.onmessage = event => event.data == 'reached' ? yes() : no(); });
reach('fetch', () => fetch('http://INSIDE/fetch', {mode: 'no-cors'}));
reach('port', () => fetch('http://PORT/port', {mode: 'no-cors'}));
reach('metadata', () => fetch('http://169.254.169.254/latest/meta-data/', {mode: 'no-cors'}));
reach('redirect', () => fetch('/go'));
reach('other site', () => fetch('http://OTHER/fetch', {mode: 'no-cors'}));
reach('redirect to it', () => fetch('/leave'));
reach('post', () => fetch('/post', {method: 'POST', body: 'x'}));
reach('file', () => fetch('file:///etc/passwd'));
reach('module', () => import('http://INSIDE/module.js'));
reach('socket', () => opened(new WebSocket('ws://INSIDE/socket'), 'onopen', 'onerror'));
reach('own socket', () => opened(new WebSocket('ws://' + location.host + '/socket'), 'onopen',
  'onerror'));
reach('events', () => opened(new EventSource('http://INSIDE/events'), 'onopen', 'onerror'));
reach('transport', () => new WebTransport('https://UDP/transport').ready);
reach('service worker', () => navigator.serviceWorker.register('/sw.js').then(found => {
  if (!found) throw 'blocked'; }));
reach('worker', () => worker(new Worker(code(inner))));
reach('shared worker', () => {
  const shared = new SharedWorker(code('onconnect = event => { self.port = event.ports[0];'
    + inner + '}'));
  return worker(shared.port);
});
reach('window', () => { if (!window.open('http://INSIDE/window')) throw 'blocked'; });
navigator.sendBeacon('http://INSIDE/beacon', 'x');
const peer = new RTCPeerConnection({iceServers: [{urls: 'stun:UDP'},
  {urls: 'turn:INSIDE?transport=tcp', username: 'a', credential: 'b'}]});
peer.createDataChannel('x');
peer.createOffer().then(offer => peer.setLocalDescription(offer));
const style = document.createElement('style');
style.textContent = `@import url(http://INSIDE/import.css);
  @font-face { font-family: inside; src: url(http://INSIDE/font.woff) }
  body { font-family: inside; background: url(http://INSIDE/background.png) }`;
document.head.append(style);
for (const href of ['http://INSIDE/inside.zip', '/own.zip', 'data:application/zip,x']) {
  const link = document.createElement('a');
  link.href = href; link.download = 'x.zip'; link.click();
}
document.cookie = 'a=b';
alert(1); confirm('x'); prompt('y');
location.href = 'file:///etc/passwd';
setInterval(() => { document.getElementById('root').innerText = log.sort().join('; '); }, 100);
"""
HEAD = """<link rel=preconnect href="http://INSIDE"><link rel=dns-prefetch href="//dns.example">
<link rel=prefetch href="http://INSIDE/prefetch"><link rel=icon href="http://INSIDE/icon.png">
<script type=speculationrules>{"prerender": [{"source": "list", "urls": ["/speculated"]}]}</script>
<iframe src="http://INSIDE/frame"></iframe><iframe src="/own-frame"></iframe>
<iframe src="file:///etc/passwd"></iframe><object data="http://INSIDE/object"></object>
<img src="http://INSIDE/image.png"><video src="/film.mp4" autoplay></video>
<link rel=manifest href="/manifest.json"><meta http-equiv=refresh content="9; url=//INSIDE/">
"""
REFUSED = [
    "fetch", "port", "metadata", "redirect", "other site", "redirect to it", "post", "file",
    "module", "socket", "own socket", "events", "transport", "service worker", "worker",
    "shared worker", "window",
]  # fmt: skip


@contextmanager
def listening() -> Iterator[tuple[str, str, list[str]]]:
    """Two doors of this machine that nobody may knock at, for TCP and UDP; and who has."""
    knocks: list[str] = []
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        tcp.bind(("127.0.0.2", 0))
        tcp.listen()
        udp.bind(("127.0.0.2", 0))

        def accept() -> None:
            while True:
                connection, _ = tcp.accept()
                knocks.append("tcp")
                connection.close()
                if done.is_set():
                    return

        def receive() -> None:
            while True:
                udp.recvfrom(2_000)
                knocks.append("udp")
                if done.is_set():
                    return

        done = threading.Event()
        threads = [threading.Thread(target=one) for one in (accept, receive)]
        for thread in threads:
            thread.start()
        try:
            yield (*("{}:{}".format(*door.getsockname()) for door in (tcp, udp)), knocks)
        finally:
            done.set()
            socket.create_connection(tcp.getsockname()).close()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"x", udp.getsockname())
            for thread in threads:
                thread.join()


# What comes of them: one crawl of a site, looked at from several sides.

WORDS = "Welcome to our residency, which trains physicians of all kinds. " * 5
LINKS = f"<h1>Residency</h1><p>{WORDS}</p><a href=/found/visa-policy>Visa policy</a>"
PAGES = {
    "/visas": SHELL,
    "/wordy": SHELL.replace("<div id=root>", f"<p>{WORDS}</p><div id=root>"),
    "/wordy-as-before": SHELL.replace("<div id=root>", f"<p>{WORDS}</p><div id=root>"),
    "/static": STATIC,
    "/static-by-now": STATIC,
    "/start": shell("location.replace('/visas')"),
    "/far": shell("location.replace('https://elsewhere.example/visas')"),
    "/gone": shell(says("'Sorry, the page you are looking for is no longer available.'")),
    "/unseen": SHELL,
    "/found/visa-policy": SHELL,
}


class Shown:
    """What became of a site's pages in one crawl."""

    def __init__(self) -> None:
        with Site() as site, Site() as other, Site() as port, listening() as (tcp, udp, knocks):
            furnish(site)
            places = {"INSIDE": tcp, "UDP": udp, "PORT": port.host, "OTHER": other.host}
            reaches, head = REACHES, HEAD
            for name, host in places.items():
                reaches, head = reaches.replace(name, host), head.replace(name, host)
            site.redirect("/go", f"http://{tcp}/redirected")
            site.redirect("/leave", other.url("/redirected"))
            for path, text in {**PAGES, "/reaches": shell(reaches, head)}.items():
                site.page(path, text, headers={"ETag": '"7"'})
                site.page(f"/api{path}.json", POLICY, type="application/json")
            site.page("/robots.txt", "User-agent: *\nDisallow: /api/unseen", type="text/plain")
            site.page("/", shell(f"document.getElementById('root').innerHTML = `{LINKS}`"))
            known = [
                KnownPage(site.url(path), etag='"7"', rendered=path.endswith(("before", "by-now")))
                for path in (*PAGES, "/reaches")
                if "found" not in path
            ]
            targets = (
                Target("program", pages=tuple(known)),
                Target("search", site_urls=(site.url("/"),), discover=True),
            )
            contact = "mailto:w@larkspur.example"
            asked = bounds(site, other, contact=contact, delay_seconds=DELAY, per_host=1)
            self.site = site
            self.pages = {page.url: page for page in crawl(Plan(targets, asked))}
            self.knocks, self.others = knocks.copy(), (other, port)

    def __getitem__(self, path: str) -> Fetch:
        return self.pages[self.site.url(path)]


@pytest.fixture(scope="module")
def shown() -> Shown:
    return Shown()


def test_pages_are_shown_as_their_scripts_leave_them(shown: Shown) -> None:
    for path in ("/visas", "/start"):
        page = shown[path]
        assert (page.health, page.rendered, page.detail) == (Health.OK, True, "")
        assert b"<h1>Visa policy</h1><p>The residency sponsors J-1" in (page.body or b"")
        assert b"<script" not in (page.body or b"")
        assert b"<!-- as its scripts left it, in a browser -->" in (page.body or b"")
        assert (page.etag, page.title) == (None, "Larkspur Residency")


def test_only_what_is_for_reading_is_asked_for_and_once_by_the_crawl_itself(shown: Shown) -> None:
    asked = shown.site.paths()
    assert sorted([*set(asked), "/visas"]) == sorted(asked)  # where /start leads, and itself
    assert not {"/app.css", "/logo.png", "/favicon.ico"} & set(asked)
    for visit in shown.site.visits:
        assert visit.headers["User-Agent"] == "VisaWatch/0.1 (+mailto:w@larkspur.example)"
        assert not {"Cookie", "Referer", "Origin"} & set(visit.headers)


def test_what_pages_ask_for_keeps_the_pace_and_robots_txt(shown: Shown) -> None:
    assert shown["/unseen"].health is Health.NEEDS_JAVASCRIPT
    assert "robots.txt of" in shown["/unseen"].detail
    visits = shown.site.visits
    assert "/api/unseen.json" not in shown.site.paths()
    assert visits[-1].started - visits[0].started >= DELAY * (len(visits) - 1) - 0.05
    for before, after in pairwise(visits):
        assert before.ended is not None
        assert before.ended <= after.started


def test_a_page_reaches_nothing_but_its_own_site_through_the_crawl(shown: Shown) -> None:
    page = shown["/reaches"]
    assert page.health is Health.OK, page.detail
    told = (page.body or b"").decode().partition('<div id="root">')[2].partition("<")[0]
    assert told.split("; ") == sorted(f"{name} refused" for name in REFUSED)
    assert page.final_url == shown.site.url("/reaches")
    assert shown.knocks == []
    assert [site.paths() for site in shown.others] == [[], []]
    assert {"/go", "/leave"} <= set(shown.site.paths())
    assert not {"/post", "/own-frame", "/film.mp4", "/speculated", "/sw.js"} & set(
        shown.site.paths()
    )


def test_a_page_is_read_where_its_script_has_led(shown: Shown) -> None:
    assert shown["/start"].final_url == shown.site.url("/visas")
    assert shown["/far"].health is Health.NEEDS_JAVASCRIPT
    assert "elsewhere.example is another site" in shown["/far"].detail


def test_a_shown_page_is_judged_like_any_other(shown: Shown) -> None:
    assert (shown["/gone"].health, shown["/gone"].body) == (Health.SOFT_404, None)


def test_a_search_goes_on_from_a_page_that_a_browser_has_shown(shown: Shown) -> None:
    assert shown["/"].rendered
    assert (shown["/found/visa-policy"].health, shown["/found/visa-policy"].discovered) == (
        Health.OK, True
    )  # fmt: skip


def test_a_page_that_once_needed_a_browser_gets_one_again(shown: Shown) -> None:
    """Although its shell has words today: else all that it says would seem withdrawn."""
    assert (shown["/wordy"].health, shown["/wordy"].rendered) == (Health.OK, False)
    kept = shown["/wordy-as-before"]
    assert (kept.health, kept.rendered) == (Health.OK, True)
    assert b"sponsors J-1" in (kept.body or b"")


def test_a_page_that_shows_the_same_without_a_browser_is_read_without(shown: Shown) -> None:
    for path in ("/static", "/static-by-now"):
        page = shown[path]
        assert (page.health, page.rendered, page.etag) == (Health.OK, False, '"7"')
        assert page.body == STATIC.encode()


# Where there is no browser.


def test_without_the_extra_a_page_is_told_with_the_way_out(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['playwright'] = None\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    known = KnownPage(site.url("/static"), rendered=True)
    found = fetch(bounds(site), site.url("/visas"), known)
    for page in found.values():
        assert page.health is Health.NEEDS_JAVASCRIPT
        assert "pip install 'visawatch[javascript]'" in page.detail
    assert "shows nothing until a script fills the page" in found[site.url("/visas")].detail
    assert sorted(site.paths()) == ["/robots.txt", "/static", "/visas"]


@pytest.mark.parametrize(
    ("render", "told"),
    [
        (RenderLimits(browser="/nowhere/chromium"), "there is no program /nowhere/chromium"),
        (RenderLimits(browser="/bin/false", sandbox=False), "/bin/false did not start: "),
        (RenderLimits(pages=0), "[render] pages = 0"),
        pytest.param(
            RenderLimits(), "run VisaWatch as another user",
            marks=pytest.mark.skipif(not ROOT, reason="only root has no sandbox"),
        ),
    ],
)  # fmt: skip
def test_why_no_browser_shows_a_page_is_told(site: Site, render: RenderLimits, told: str) -> None:
    urls = [site.url("/visas"), site.url("/apply"), site.url("/static")]
    found = fetch(bounds(site, render=render), *urls)
    assert found[urls[2]].health is Health.OK
    unread = [page for page in found.values() if page.health is Health.NEEDS_JAVASCRIPT]
    assert len(unread) == 2
    for page in unread:
        assert told in page.detail


# What they may not.

TRIES = {  # and what is told of each; nothing where it is read all the same
    "const a = []; for (;;) a.push(new Float64Array(1e6).fill(1))": "more than 500 MB of memory",
    "for (let n = 0; n < 1100; n++) fetch('/flood?' + n);" + says("'We sponsor J-1 visas.'"):
        "asks for more than 1,000 things",
    says("'word '.repeat(3e5)"): "more than 1,000,000 bytes",
    "for (let n = 0; n < 300; n++) fetch('/part?' + n);" + says("'We sponsor J-1 visas.'"): "",
}  # fmt: skip
MORE_TRIES = {
    "location.reload()": "loads itself again and again",
    "for (;;) document.body.append(document.createElement('iframe'))": "more than 500 MB of memory",
    "setInterval(() => { for (let n = 0; n < 9; n++) window.open('about:blank') }, 1);"
    + says("'We sponsor J-1 visas.'"): "",
}  # fmt: skip


@pytest.mark.parametrize("tries", [TRIES, pytest.param(MORE_TRIES, marks=LONG)])
def test_hostile_pages_end_by_themselves_and_harm_no_other(
    site: Site, tries: dict[str, str]
) -> None:
    site.route("/part", lambda visit: visit.send(b"x"))
    urls = {}
    for number, script in enumerate(tries):
        site.page(f"/hostile-{number}", shell(script))
        urls[site.url(f"/hostile-{number}")] = tries[script]
    last, beyond = site.url("/visas"), site.url("/apply")
    render = replace(RENDER, megabytes=500, pages=len(tries) + 1)
    # One at a time: so the last that comes is the one beyond the limit.
    asked = bounds(site, render=render, max_bytes=1_000_000, per_host=1)
    found = fetch(asked, *urls, last, beyond)
    for url, told in urls.items():
        assert told in found[url].detail, (url, found[url].detail)
        assert found[url].health.is_page == (not told), (url, found[url].detail)
    if tries is TRIES:
        assert sum(path.startswith("/part") for path in site.paths()) == MAX_PARTS
    assert found[last].health is Health.OK
    assert f"more than {render.pages} pages of this crawl need a browser" in found[beyond].detail


@LONG
def test_scripts_without_end_end(site: Site) -> None:
    """And when two pages of a site have not, no time is lost on its others."""
    for number, script in enumerate(("for (;;);", "for (;;) alert(1)", "for (;;);")):
        site.page(f"/{number}", shell(script))
    urls = [site.url(f"/{number}") for number in range(3)]
    found = fetch(bounds(site, render=replace(RENDER, seconds=2)), *urls)
    assert {page.health for page in found.values()} == {Health.NEEDS_JAVASCRIPT}
    told = sorted(page.detail.rpartition("; ")[2] for page in found.values())
    slow = "it did not come to rest within 2 seconds ([render] seconds)"
    assert told == ["2 other pages of its site did not come to rest", slow, slow]


# When it breaks.


def children_of(pid: int) -> list[int]:
    found = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (thread / "children").read_text().split()]
    return [*found, *(below for child in found for below in children_of(child))]


def chromiums_of(crawler: int) -> list[int]:
    """The first process of each browser that a crawl has started."""
    lines = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children_of(crawler)}
    return [
        pid
        for pid, line in lines.items()
        if b"--remote-debugging-pipe" in line and b"--type=" not in line
    ]


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def hanging(site: Site) -> Iterator[tuple[Limits, threading.Event]]:
    """Pages `/one` and `/two` that wait for an answer, and then have a script without end."""
    answered = threading.Event()
    for name in ("/one", "/two"):
        site.page(name, shell(f"fetch('/slow{name}').finally(() => {{ for (;;); }})"))
        site.route(f"/slow{name}", lambda visit: answered.wait(SLOW) and visit.send(b"x"))
    try:
        yield bounds(site, timeout_seconds=SLOW, render=replace(RENDER, seconds=SLOW)), answered
    finally:
        answered.set()


def until(comes: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + SLOW
    while not comes():
        assert time.monotonic() < end
        time.sleep(0.02)


def ends(*processes: int) -> None:
    """Wait until these processes have ended."""
    until(lambda: not any(map(lives, processes)))


def test_a_browser_that_dies_takes_one_page_with_it_and_no_browser_outlives_its_crawl(
    site: Site,
) -> None:
    with hanging(site) as (allowed, _):
        known = tuple(KnownPage(site.url(path)) for path in ("/one", "/static", "/two"))
        with crawling(Plan((Target("a", pages=known),), allowed)) as pages:
            until(lambda: {"/slow/one", "/slow/two"} <= set(site.paths()))
            first, second = chromiums_of(pages.pid)
            os.kill(first, signal.SIGKILL)
            found = {page.url: page for page in (next(pages), next(pages))}
            assert found[site.url("/static")].health is Health.OK
            (lost,) = (page for page in found.values() if not page.health.is_page)
            assert "the browser broke down" in lost.detail
            below = children_of(second)
            assert memory_of(second) > 50_000_000
            os.kill(pages.pid, signal.SIGKILL)
            ends(first, second, *below)


@LONG
def test_a_crawl_that_is_stopped_waits_for_no_page_in_a_browser(site: Site) -> None:
    with hanging(site) as (allowed, answered):
        plan = Plan((Target("a", pages=(KnownPage(site.url("/one")),)),), allowed)
        with crawling(plan) as pages:
            until(lambda: "/slow/one" in site.paths())
            (browser,) = chromiums_of(pages.pid)
            below = children_of(browser)
            pages.stop()
            answered.set()
            assert list(pages) == []
            ends(browser, *below)


def test_the_browser_that_is_taken_is_the_first_that_there_is() -> None:
    assert find("") == next(filter(None, map(shutil.which, NAMES)))
