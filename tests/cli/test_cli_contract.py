"""What scripts depend on: exit statuses, options before the command, and the shape of JSON."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from loopback import Site
from shell import Shell

NOW = "2026-11-25T02:00:00Z"
SUMMARY = [
    "cycle",
    "programs",
    "pages",
    "fetched",
    "not_modified",
    "failed",
    "changes",
    "mails",
    "seconds",
]
POLICY = ["category", "stances", "conditions", "confidence", "needs_review", "evidence"]
STATUS = ["program_id", *POLICY, "as_of", "health", "inherited_from"]
CHANGE = [
    "id",
    "program_id",
    "kind",
    "severity",
    "before",
    "after",
    "cycle",
    "status",
    "detected_at",
    "url",
    "group",
    "wave",
    "channel",
]
EVIDENCE = ["visa", "stance", "quote", "start", "end", "rules", "url", "fetched_at", "snapshot"]
COMMANDS = ["programs list", "policies", "changes", "subscriptions", "alerts show", "reclassify"]


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """Two nights: one program changes its policy, one its words, one is never seen."""
    shell = Shell(tmp_path_factory.mktemp("nights"), options=["--now", NOW])
    with Site() as site:
        shell.watch({name: site.url(f"/{name}") for name in ("changed", "reworded", "missing")})
        for sentence in ("We sponsor J-1 and H-1B visas.", "We sponsor J-1 visas only."):
            site.page("/changed", f"<title>Visas</title><p>{sentence}</p>")
            site.page("/reworded", "<title>Visas</title><p>We sponsor J-1 visas only.</p>")
            shell("subscribe", "ada@inbox.example")
            shell.crawl(site.host)
            shell.options = ["--now", "2026-11-26T03:00:00+01:00"]
        site.page("/reworded", "<title>Visas</title><p>The program sponsors only J-1 visas.</p>")
        shell.crawl(site.host)
        yield shell


def test_the_summary_of_a_cycle(shell: Shell, web: Site) -> None:
    web.page("/visas", "<title>Visas</title><p>We sponsor J-1 visas only.</p>")
    shell.watch({"larkspur": web.url("/visas"), "sorrel": web.url("/gone")})
    summary = shell.crawl(web.host)
    assert list(summary) == SUMMARY
    assert summary.pop("seconds") > 0
    assert list(summary.values()) == [1, 2, 2, 1, 0, 1, 0, 0]
    said = shell("crawl", "--allow-host", web.host, "--program", "larkspur").out
    assert said.startswith("cycle 2: 1 programs, 1 pages (1 fetched, of which 0 not modified;")


def test_the_policies(nights: Shell) -> None:
    changed, missing, reworded = nights("policies", "--json").json
    for status in (changed, missing, reworded):
        assert list(status) == STATUS
    assert (changed["program_id"], changed["category"]) == ("changed", "j1_only")
    assert changed["stances"] == {"J-1": "sponsored", "H-1B": "not_sponsored"}
    assert (changed["as_of"], changed["health"]) == ("2026-11-26T02:00:00Z", "ok")
    for evidence in changed["evidence"]:
        assert list(evidence) == EVIDENCE
        assert evidence["quote"] == "We sponsor J-1 visas only."
    assert (missing["category"], missing["as_of"], missing["health"]) == ("unstated", None, "gone")


def test_the_changes(nights: Shell) -> None:
    (change,) = nights("changes", "--json").json
    assert list(change) == CHANGE
    assert (change["id"], change["program_id"], change["cycle"]) == (1, "changed", 2)
    assert (change["kind"], change["severity"]) == ("policy_changed", "critical")
    assert (change["status"], change["detected_at"]) == ("open", "2026-11-26T02:00:00Z")
    for name, category in (("before", "j1_and_h1b"), ("after", "j1_only")):
        assert list(change[name]) == POLICY
        assert change[name]["category"] == category
        assert all(list(evidence) == EVIDENCE for evidence in change[name]["evidence"])


def test_changes_of_wording_are_listed_when_asked_for(nights: Shell) -> None:
    listed = nights("changes", "--json", "--all").json
    assert [(c["id"], c["kind"], c["severity"]) for c in listed] == [
        (1, "policy_changed", "critical"),
        (2, "wording_changed", "minor"),
    ]
    assert nights("changes", "--json", "--status", "accepted", "--all").out == ""


def test_people_read_the_words_that_changed(nights: Shell) -> None:
    said = nights("changes")
    assert "#1 critical policy changed" in said.out
    assert "H-1B: sponsored -> not sponsored" in said.out
    assert said.err == "1 open change\n"
    assert "We sponsor J-1 visas only." in nights("policies").out


def test_subscriptions_and_mail(nights: Shell) -> None:
    (subscription,) = nights("subscriptions", "--json").json
    assert subscription["address"] == "ada@inbox.example"
    (mail,) = nights("alerts", "show", "--json").json
    assert (mail["state"], mail["address"]) == ("sent", "ada@inbox.example")
    assert "H-1B: sponsored -> not sponsored" in " ".join(mail["text"].split())
    assert mail["text"] in nights("alerts", "show", "1").out
    assert nights("alerts", "send", "--json").json == [
        {"composed": 0, "sent": 0, "postponed": 0, "refused": 0, "unconfirmed": 0, "problems": []}
    ]


@pytest.mark.parametrize("command", COMMANDS)
def test_an_empty_database_is_no_failure(shell: Shell, command: str) -> None:
    assert shell(*command.split(), "--json").out == ""
    shell(*command.split())


def test_a_crawl_of_no_programs_is_done(shell: Shell) -> None:
    assert shell.crawl()["pages"] == 0


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["policy"], "No such command 'policy'"),
        (["policies", "--db", "x.db"], "No such option '--db'"),
        (["policies", "--now", NOW], "No such option '--now'"),
        (["--now", "yesterday", "policies"], "'yesterday' is not a time"),
        (["--db", ".", "policies"], "is a directory"),
        (["--config", "nowhere.toml", "policies"], "'nowhere.toml' does not exist"),
        (["changes", "--status", "lost"], "'lost' is not one of"),
        (["crawl", "--allow-host", "http://a.example/"], "'http://a.example/' is no host"),
        (["crawl", "--allow-host", ""], "'' is no host"),
        (["schedule", "--allow-host", "10.0.0.0/8"], "'10.0.0.0/8' is no host"),
        (["subscribe", "ada at inbox"], "ada at inbox"),
        (["unsubscribe"], "Missing argument"),
        (["alerts", "show", "one"], "'one' is not a valid integer"),
    ],
)
def test_wrong_usage_is_status_2(shell: Shell, arguments: list[str], fault: str) -> None:
    said = shell(*arguments, status=2)
    assert fault in said.err.replace("\n", " ")
    assert said.out == ""


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["crawl", "--program", "nobody"], "no program 'nobody'"),
        (["unsubscribe", "nobody@inbox.example"], "no subscription of 'nobody@inbox.example'"),
        (["alerts", "show", "7"], "no mail 7"),
        (["subscribe", "ada@inbox.example", "--program", "nobody"], "no program 'nobody'"),
    ],
)
def test_a_failure_is_status_1_in_one_sentence(
    shell: Shell, arguments: list[str], fault: str
) -> None:
    said = shell(*arguments, status=1)
    assert said.err.startswith(f"Error: {fault}")
    assert said.out == ""


def test_a_time_without_an_offset_is_utc(shell: Shell) -> None:
    shell.options = ["--now", "2026-11-25T02:00:00"]
    shell("subscribe", "ada@inbox.example")
    assert shell("subscriptions", "--json").json[0]["created_at"] == NOW


@pytest.mark.parametrize("option", ["--help", "-h", "--version"])
def test_help_and_version_need_nothing(shell: Shell, option: str) -> None:
    assert "visawatch" in shell(option).out
    assert not shell.db.exists()
