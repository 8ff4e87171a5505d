"""What a hostile visitor tries, in bytes that no browser sends."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from serving import Serve, Served, spoken
from test_web_routes import example

from web import patience
from web.access import ROUTES

SECRET = "larkspur-secret-7"
TRAVERSALS = [
    f"{up}{name}"
    for name in ("etc/passwd", "visawatch.toml", "visawatch.db")
    for up in ("../" * 8, "..%2f" * 8, "%2e%2e/" * 8, "..%5c" * 8, "%2fproc/self/root/", "....//")
] + ["%00", "x%00.css", "~root", "file:%2f%2f%2fetc%2fpasswd", "A" * 6000, "%0d%0aX-Evil:%201"]


def test_no_path_leads_out(users: Path, serve: Serve) -> None:
    (users.parent / "visawatch.toml").write_text(f'[web]\nmetrics_token = "{SECRET}"\n')
    served = serve(users)
    places = {
        re.sub(r"\{[\w:]+\}", "{}", path, count=1)
        for method, path in ROUTES
        if method == "GET" and "{" in path
    }
    assert places
    for place in sorted(places):
        for given in TRAVERSALS:
            path = example(place.replace("{}", "\n"), users).replace("\n", given)
            request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
            said = spoken(served, request.encode())
            head, _, body = said.partition(b"\r\n\r\n")
            assert re.match(rb"HTTP/1.1 (30[37]|400|403|404|422) ", head), (path, said[:200])
            assert b"\r\nx-evil" not in head.lower(), path
            for secret in (b"root:", SECRET.encode(), b"SQLite format"):
                assert secret not in body, path


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % (b"a" * 200_000),
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n" % (b"X-A: b\r\n" * 50_000),
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: %s\r\n\r\n" % (b"b" * 200_000),
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n123456",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nX-A: b\r\n folded: c\r\n\x00: d\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 no TLS here\r\n\r\n",
    ],
    ids=lambda given: given[:24].decode("latin-1") + str(len(given)),
)
def test_what_is_no_request_is_told_so_and_hung_up_on(public: Served, request_: bytes) -> None:
    assert spoken(public, request_)[:13] in (b"HTTP/1.1 400 ", b"HTTP/1.1 501 ", b"")
    public.get("/healthz")


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HT",
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: b",
        b"POST /subscribe HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 500\r\n\r\nemail=",
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /healthz HTTP/1.1\r\nHo",
    ],
    ids=["nothing", "a-line", "a-head", "a-body", "a-second-one"],
)
def test_who_never_ends_a_request_is_hung_up_on(
    public: Served, begun: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(patience, "REQUEST_SECONDS", 0.2)
    answered = spoken(public, begun)  # which returns only then
    assert answered.count(b"HTTP/1.1 200 ") == begun.count(b"\r\n\r\n") * (b"POST" not in begun)
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []
    public.get("/healthz")
