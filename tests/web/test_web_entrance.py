"""Who gets into the review room, and how that is kept."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from serving import NOON, PASSWORD, Serve, Served, serving, spoken, words
from shell import Shell

from store import users as table
from store.database import Store
from web import sessions
from web.site import Site

LINE = f"{PASSWORD}\n".encode()
REMOTE = {"X-Forwarded-For": "203.0.113.7"}  # what a proxy on this machine says


def cookie(answer: httpx.Response) -> str:
    """The Set-Cookie header."""
    return str(answer.headers["set-cookie"])


def test_without_users_only_this_machine_gets_in(database: Path, serve: Serve) -> None:
    served = serve(database)
    assert "Open at this machine only" in served.get("/review").text
    for headers in (REMOTE, {"Host": "visas.example"}, {"Forwarded": "for=203.0.113.7"}):
        served.get("/review", 303, headers=headers)
        served.get("/metrics", 403, headers=headers)
        said = served.get("/review/log-in", headers=headers).text
        assert "The review room is closed: there are no users" in said
    # A proxy on this machine that says neither for whom it asks nor under which name.
    for headers in ({"Via": "1.1 proxy"}, {"X-Real-IP": "203.0.113.7"}):
        served.get("/review", 303, headers=headers)
    assert b" 303 " in spoken(served, b"GET /review HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
    served.client.cookies.clear()
    assert "Nobody has to log in yet" in served.get("/review/log-in").text
    # A public name means that a proxy may be in front of it, on this very machine.
    serve(database, base_url="https://visas.example").get("/review", 303)


def test_metrics_are_for_this_machine_or_who_has_the_token(database: Path, serve: Serve) -> None:
    served = serve(database, metrics_token="s3cret")
    for given, status in (
        (b"Bearer s3cret", 200), (b"Bearer other", 403), (b"Bearer \xff", 403), (b"", 403)
    ):  # fmt: skip
        served.get("/metrics", status, headers={**REMOTE, "Authorization": given})
    served.get("/metrics")


def test_a_user_logs_in_and_out(users: Path, serve: Serve) -> None:
    served = serve(users)
    asked = served.get("/review/1?done=2", 303)
    before = served.client.cookies["visawatch"]
    assert "HttpOnly; Path=/review; SameSite=lax" in cookie(asked)
    assert "Secure" not in cookie(asked)  # plain http at loopback
    answer = served.send(asked.headers["location"], "/review/log-in", name="ADA", password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/review/1?done=2")
    after = served.client.cookies["visawatch"]
    assert after != before
    assert "ada" in served.get("/review").text
    with Store(users) as store:
        kept = store.rows("SELECT token FROM sessions")
    assert after.encode() not in kept[0]["token"]
    assert served.send("/review", "/review/log-out").status_code == 303
    served.client.cookies.set("visawatch", after, path="/review")
    served.get("/review", 303)


@pytest.mark.parametrize(
    "wanted", ["https://evil.example", "//evil.example", "/review/\\evil", "/"]
)
def test_a_log_in_leads_nowhere_else(users: Path, serve: Serve, wanted: str) -> None:
    served = serve(users)
    answer = served.send("/review/log-in", name="ada", password=PASSWORD, next=wanted)
    assert answer.headers["location"] == "/review"


def test_nobody_is_logged_in_by_a_form_of_another_site(users: Path, serve: Serve) -> None:
    """Who was, unknowingly, would decide in the name of whoever made that form."""
    served = serve(users)
    fields = {"name": "ada", "password": PASSWORD}
    served.get("/review/log-in")  # there is a cookie now
    for token in ({}, {"form": "0" * 64}):
        assert served.client.post("/review/log-in", data={**fields, **token}).status_code == 403
    served.get("/review", 303)
    assert served.send("/review/log-in", **fields).status_code == 303


def test_elsewhere_the_cookie_needs_https(users: Path, serve: Serve) -> None:
    served = serve(users)
    page = served.get("/review/log-in", headers={"Host": "visas.example"})
    assert cookie(page).startswith("__Secure-visawatch=")
    assert cookie(page).endswith("; Secure")
    sent = httpx.post(f"{served.origin}/review/log-in", data={"name": "ada"}, trust_env=False)
    assert sent.status_code == 400
    assert "Your browser has sent no cookie back" in sent.text


def test_wrong_names_and_wrong_passwords_look_the_same(users: Path, serve: Serve) -> None:
    served = serve(users)
    said = [
        served.send("/review/log-in", name=name, password="wrong" * 4) for name in ("ada", "nobody")
    ]
    assert [a.status_code for a in said] == [403, 403]
    ada, nobody = (re.sub('value="[0-9a-f]{64}"', "", answer.text) for answer in said)
    assert ada.replace('"ada"', '"nobody"') == nobody


def test_a_wrong_name_takes_as_long_as_a_wrong_password(users: Path, serve: Serve) -> None:
    """Time of the processor, which does not depend on what else the machine does."""
    served = serve(users)
    taken: dict[str, list[float]] = {}
    for name in ("nobody", "nobody", "ada", "nobody", "ada"):  # the first one makes nobody's hash
        began = time.process_time()
        served.send("/review/log-in", name=name, password="wrong" * 4)
        taken.setdefault(name, []).append(time.process_time() - began)
    assert min(taken["nobody"]) > 0.7 * min(taken["ada"])


def test_log_ins_that_fail_are_stopped_for_a_while(
    users: Path, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    served = serve(users)
    for name in ("ada", "nobody"):
        tried = [
            served.send("/review/log-in", name=name, password="wrong" * 4).status_code
            for _ in range(6)
        ]
        assert tried == [403] * 5 + [429]
        # The right one is not even looked at, so that nobody learns whether it was.
        assert served.send("/review/log-in", name=name, password=PASSWORD).status_code == 429
    told = [record.getMessage() for record in caplog.records if record.name == "web.sessions"]
    assert told == ["log-ins from 127.0.0.1 are stopped for a while: too many failed"] * 2
    served.enter("ben", PASSWORD)
    later = serve(users, now=NOON + sessions.FAILURES_IN + timedelta(seconds=1))
    later.enter("ada", PASSWORD)


def at(database: Path, moment: datetime, token: str) -> int:
    """What the review room answers then to who has this cookie."""
    with serving(Site(database, lambda: moment)) as served:
        served.client.cookies.set("visawatch", token, path="/review")
        return served.client.get("/review").status_code


def test_a_session_ends_when_it_is_left_and_in_any_case(users: Path, serve: Serve) -> None:
    token = serve(users).enter("ada", PASSWORD).client.cookies["visawatch"]
    moment, step = NOON, sessions.IDLE - timedelta(seconds=1)
    while moment + step < NOON + sessions.LONGEST:
        moment += step
        assert at(users, moment, token) == 200
    assert at(users, NOON + sessions.LONGEST, token) == 303
    left = serve(users).enter("ada", PASSWORD).client.cookies["visawatch"]
    assert at(users, NOON + sessions.IDLE, left) == 303


def test_a_clock_that_was_a_year_ahead_keeps_nobody_in_or_out(users: Path, serve: Serve) -> None:
    ahead = serve(users, now=NOON + timedelta(days=365))
    for _ in range(6):
        ahead.send("/review/log-in", name="ada", password="wrong" * 4)
    token = ahead.enter("ben", PASSWORD).client.cookies["visawatch"]
    assert at(users, NOON, token) == 303
    serve(users).enter("ada", PASSWORD)


def test_a_new_password_or_no_user_ends_the_session(
    users: Path, serve: Serve, shell: Shell
) -> None:
    served = serve(users)
    ada, ben = (served.enter(name, PASSWORD) for name in ("ada", "ben"))
    with Store(users) as store, store.writing():
        table.set_password(store, "ada", table.get(store, "ben").password)
        table.remove(store, "ben")
    for visitor in (ada, ben):
        visitor.get("/review", 303)


def test_users_are_made_at_the_command_line(shell: Shell) -> None:
    assert (
        "ada may log in as admin" in shell("users", "add", "ada", "--role", "admin", stdin=LINE).err
    )
    assert "there is a user 'ADA'" in shell("users", "add", "ADA", stdin=LINE, status=1).err
    assert "12 to 1000 characters" in shell("users", "add", "ben", stdin=b"short\n", status=1).err
    assert "is not a name" in shell("users", "add", "b en", stdin=LINE, status=2).err
    (ada,) = shell("users", "list", "--json").json
    assert (ada["name"], ada["role"], ada["seen_at"]) == ("ada", "admin", None)
    assert "password" not in ada
    with Store(shell.db) as store:
        kept = table.get(store, "ada").password
    assert kept.startswith("$argon2id$")
    assert "new password" in shell("users", "password", "ada", stdin=b"another long password\n").err
    assert "No users are left" in shell("users", "remove", "ada").err
    assert "no user 'ada'" in shell("users", "remove", "ada", status=1).err


def test_the_users_page_is_for_admins(users: Path, serve: Serve) -> None:
    served = serve(users)
    ada: Served = served.enter("ada", PASSWORD)
    rows = [[words(cell) for cell in row] for row in ada.page("/review/users").xpath("//tbody/tr")]
    assert rows == [
        ["ada", "admin", "2026-11-20", "2026-11-24"],
        ["ben", "reviewer", "2026-11-20", "no"],
    ]
