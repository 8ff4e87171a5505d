"""Every route has a role, and every answer what keeps visitors safe."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from answering import answered
from serving import NOON, PASSWORD, Serve, Served

from monitor import clock
from store import changes
from store.database import Store
from web import access, static
from web.access import ROUTES, Role
from web.app import create_app
from web.site import Site, SiteSettings, hosts_of

SAFE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
}
READ = [path for (method, path) in ROUTES if method == "GET" and "token" not in path]
KINDS_OF_FILES = {"text/csv", "application/x-ndjson"}  # to be kept, not to be looked at
LEAST = {  # something that is there, by parameter
    "{name}": static.FILES["style.css"].hashed,
    "{program_id}": "lantern-hill-internal-medicine",
    "{institution_id}": "1",
    "{change_id}": "1",
    "{path:path}": "all.atom",
    "{side}": "after",
}


def example(path: str, database: Path) -> str:
    """A path with its parameters filled in."""
    least = dict(LEAST)
    if "{snapshot}" in path:
        with Store(database, read_only=True) as store:
            after = changes.get(store, 1).after
        least["{snapshot}"] = after["evidence"][0]["snapshot"]
    if "{number}" in path:
        with Store(database) as store:
            least["{number}"] = str(answered(store))
    return re.sub(r"\{[\w:]+\}", lambda found: least[found[0]], path)


def safe(answer: httpx.Response, *, framed: bool = False) -> None:
    """Fails for an answer without the headers that each must have."""
    expected = {**SAFE, "x-frame-options": "SAMEORIGIN"} if framed else SAFE
    assert {name: answer.headers.get(name) for name in expected} == expected
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert f"frame-ancestors {chr(39)}{'self' if framed else 'none'}{chr(39)}" in policy
    assert "unsafe" not in policy
    assert ("sandbox" in policy) is framed


def test_the_table_has_every_route_and_no_other(tmp_path: Path) -> None:
    app = create_app(Site(tmp_path / "visawatch.db", clock.fixed(NOON)))
    assert set(access.routes(app)) == set(ROUTES)

    @app.get("/secret")
    def secret() -> str:
        return "nobody said who may read this"

    with pytest.raises(ValueError, match="without a role: GET /secret"):
        access.check(app)
    app.mount("/files", app)
    with pytest.raises(TypeError, match="its role cannot be checked"):
        access.check(app)


@pytest.mark.parametrize("path", READ)
def test_each_route_answers_safely(public: Served, path: str) -> None:
    """Without users, the review room is open to this machine, as here."""
    framed = "{snapshot}" in path
    role, real = ROUTES["GET", path], example(path, public.site.database)
    answer = public.get(real)
    safe(answer, framed=framed)
    assert answer.headers.get("cache-control") or role is Role.MACHINE
    head = public.client.head(real)
    assert (head.status_code, head.content) == (answer.status_code, b"")
    if answer.headers["content-type"].startswith("text/html"):
        # The policy forbids them, so a page that had one would be broken.
        assert not re.search(r"<script>|\sstyle=|\son\w+=|javascript:", answer.text)
        assert framed or "<style" not in answer.text
    if KINDS_OF_FILES & {answer.headers["content-type"].partition(";")[0]}:
        named = answer.headers["content-disposition"]
        assert re.fullmatch(r'attachment; filename="[a-z-]+\.(csv|ics|jsonl)"', named)
    wrong = public.client.delete(real)
    assert wrong.status_code == 405
    safe(wrong)


@pytest.mark.parametrize("inside", [r for r in Role if r in (Role.REVIEWER, Role.ADMIN)])
def test_each_route_of_the_review_room_is_closed_to_others(
    users: Path, serve: Serve, inside: Role
) -> None:
    served = serve(users)
    visitors = [
        (served, 303),
        *([(served.enter("ben", PASSWORD), 403)] if inside == "admin" else []),
    ]
    for (method, path), role in ROUTES.items():
        if role is not inside:
            continue
        for visitor, status in visitors:
            answer = visitor.client.request(method, example(path, users))
            assert answer.status_code == (status if method == "GET" else 403), path
            safe(answer)
            if answer.status_code == 403 and method == "GET":
                assert "Go to the review queue" in answer.text
            if answer.status_code == 303:
                assert answer.headers["location"].startswith("/review/log-in")


def test_no_form_is_taken_without_its_token(users: Path, serve: Serve) -> None:
    ada = serve(users).enter("ada", PASSWORD)
    for (method, path), role in ROUTES.items():
        if method == "POST" and path.startswith("/review"):
            for token in ({}, {"form": "0" * 64}):
                answer = ada.client.post(
                    example(path, users), data={"verdict": "accepted", **token}
                )
                assert answer.status_code == 403, (path, role)
    with Store(users) as store:
        assert changes.get(store, 1).status == "open"


@pytest.mark.parametrize(
    ("path", "status"), [("/nowhere", 404), ("/static/../app.py", 404), ("/static/x.css", 404)]
)
def test_faults_look_like_the_site(public: Served, path: str, status: int) -> None:
    answer = public.get(path, status)
    safe(answer)
    assert "not legal advice" in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_a_fault_of_ours_tells_nothing_of_the_inside(database: Path, serve: Serve) -> None:
    served = serve(database)
    served.site.close()
    database.write_bytes(b"not a database at all" * 500)
    for suffix in ("-wal", "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    answer = served.get("/", 500)
    safe(answer)
    assert "our fault" in answer.text
    assert str(database) not in answer.text
    assert "Traceback" not in answer.text
    health = served.get("/healthz", 503)
    assert health.json() == {"status": "failing", "database": "unreadable"}


def test_healthz_tells_of_the_last_cycle(public: Served) -> None:
    assert public.get("/healthz").json() == {
        "status": "ok",
        "database": "ok",
        "last_cycle": "2026-11-24T02:00:00Z",
    }


def test_what_is_too_large_is_not_read(public: Served) -> None:
    answer = public.client.post("/", content=b"a" * 70_000)
    assert answer.status_code == 413
    safe(answer)


def test_only_its_own_names_are_answered(database: Path, serve: Serve) -> None:
    names = hosts_of("https://visas.example/x", "127.0.0.1")
    served = serve(database, allowed_hosts=names)
    for host, status in (
        ("visas.example", 200),
        ("VISAS.example:443", 200),
        ("localhost:8000", 200),
        ("evil.example", 400),
        ("", 400),
    ):
        safe(served.get("/healthz", status, headers={"Host": host}))


def test_who_listens_everywhere_without_a_name_answers_to_any() -> None:
    assert hosts_of("", "0.0.0.0") == hosts_of("", "::") == frozenset()
    assert "visas.example" in hosts_of("https://visas.example", "0.0.0.0")
    assert "0.0.0.0" not in hosts_of("https://visas.example", "0.0.0.0")


@pytest.mark.parametrize("asked", ["/visas", ""])
def test_behind_a_path_every_link_has_it(database: Path, serve: Serve, asked: str) -> None:
    """Whether the proxy cuts the prefix off or not."""
    served = serve(database, base_url="https://x.example/visas/")
    for path in ("/", "/nowhere"):
        answer = served.client.get(asked + path)
        links = re.findall(r'(?:href|src|action)="(/[^"]*)"', answer.text)
        assert links
        assert all(link.startswith("/visas/") for link in links)
        assert answer.headers["strict-transport-security"]
    sheet = re.search(r'href="(/visas/static/style[^"]*)"', served.get("/").text)
    assert sheet
    assert served.get(sheet[1]).headers["content-type"] == "text/css; charset=utf-8"


def test_before_there_is_anything_each_page_says_how_to_begin(tmp_path: Path, serve: Serve) -> None:
    with Store(tmp_path / "empty.db") as store:
        served = serve(store.path)
    for path in (
        "/",
        "/changes",
        "/matrix",
        "/shortlist?visa=J-1",
        "/review",
        "/review/health",
    ):
        said = served.get(path).text
        assert "visawatch programs import FILE.csv" in said, path
        assert "visawatch crawl" in said, path


def test_static_files_are_kept_for_good(public: Served) -> None:
    path = f"/static/{static.FILES['style.css'].hashed}"
    first = public.get(path)
    assert first.headers["cache-control"] == "public, max-age=31536000, immutable"
    again = public.get(path, 304, headers={"If-None-Match": first.headers["etag"]})
    assert again.content == b""


def test_the_settings_know_the_prefix() -> None:
    assert SiteSettings("https://x.example").prefix == ""
    assert SiteSettings("https://x.example/a/b/").prefix == "/a/b"
