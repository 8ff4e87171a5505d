"""Settings from visawatch.toml and the environment; every fault is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from processes import powerless
from shell import Shell

from visawatch.config import Config, ConfigError, MailSettings, load


def written(shell: Shell, text: str | bytes) -> Path:
    file = shell.folder / "mine.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    shell.options = ["--config", str(file)]
    return file


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[crawl]\ndelay = 1\n", "unknown key 'crawl.delay'"),
        ("[crawling]\ndelay_seconds = 1\n", "unknown key 'crawling'"),
        ("contact = 'me'\n", "unknown key 'contact'"),
        ("[crawl]\ndelay_seconds = -1\n", "'crawl.delay_seconds': Expected `float` >= 0.0"),
        ("[crawl]\ndelay_seconds = 'slow'\n", "'crawl.delay_seconds': Expected `float`, got `str`"),
        ("[crawl]\ndelay_seconds = nan\n", "'crawl.delay_seconds': Expected `float` >= 0.0"),
        ("[render]\nsandbox = 'perhaps'\n", "'render.sandbox': Expected `bool`, got `str`"),
        ("[log]\nformat = 'xml'\n", "'log.format': Invalid enum value 'xml', it is text or json"),
        ("[monitor]\nnightly_at = '25:00'\n", "'monitor.nightly_at'"),
        ("[web]\nport = 99999\n", "'web.port'"),
        ("crawl = 3\n", "'crawl': Expected a section, got 3"),
        ("[crawl\n", "not valid TOML"),
        ("[crawl]\ndepth = 1\ndepth = 2\n", "not valid TOML"),
        ("contact = 'Montréal'\n".encode("latin-1"), "not valid TOML"),
    ],
)
def test_a_fault_of_the_file_is_named(shell: Shell, text: str | bytes, fault: str) -> None:
    file = written(shell, text)
    said = shell("policies", status=1)
    assert said.err.startswith(f"Error: {file}: ")
    assert fault in said.err
    assert said.out == ""
    assert not shell.db.exists()


def test_all_faults_are_named_at_once(shell: Shell) -> None:
    written(shell, "[crawl]\ndelay = 1\ndepth = -1\n")
    said = shell("policies", status=1).err
    assert "'crawl.delay'" in said
    assert "'crawl.depth'" in said


@pytest.mark.parametrize(
    ("variable", "value", "fault"),
    [
        ("VISAWATCH_MAIL__SMTP", "x", "VISAWATCH_MAIL__SMTP: unknown key 'mail.smtp'"),
        ("VISAWATCH_MAIL_SMTP_URL", "x", "unknown variable VISAWATCH_MAIL_SMTP_URL"),
        ("VISAWATCH_CRAWL__DEPTH", "deep", "VISAWATCH_CRAWL__DEPTH: 'crawl.depth'"),
        ("VISAWATCH_CRAWL__ALLOW_HOSTS", "a.example", "VISAWATCH_CRAWL__ALLOW_HOSTS: Expecting"),
        ("VISAWATCH_CRAWL__DEPTH", "1" * 5000, "'crawl.depth': Integer value out of range"),
        ("VISAWATCH_CRAWL__DEPTH", "\udcff", "'crawl.depth': is not UTF-8"),
        ("VISAWATCH_CRAWL__ALLOW_HOSTS", "[1]", "'crawl.allow_hosts': Expected `str`, got `int`"),
        ("VISAWATCH_CRAWL__ALLOW_HOSTS", "[" * 99_999, "as JSON"),
        ("VISAWATCH_MAIL", "x", "VISAWATCH_MAIL: Expecting value"),
        ("VISAWATCH_MAIL", "[1]", "VISAWATCH_MAIL: 'mail': Expected a section, got [1]"),
    ],
)
def test_a_fault_of_the_environment_is_named(
    shell: Shell, variable: str, value: str, fault: str
) -> None:
    assert fault in shell("policies", status=1, env={variable: value}).err


def test_the_environment_wins_over_the_file_and_the_file_over_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "visawatch.toml"
    file.write_text("[mail]\nsmtp_url = 'smtp://file.example'\nsender = 'a@file.example'\n")
    monkeypatch.setenv("VISAWATCH_MAIL__SMTP_URL", "smtp://environment.example")
    monkeypatch.setenv("VISAWATCH_CRAWL__ALLOW_HOSTS", '["10.0.0.7", "localhost:8080"]')
    config = load(file)
    assert config.mail.smtp_url == "smtp://environment.example"
    assert config.mail.sender == "a@file.example"
    assert config.mail.maildir == "mail"
    assert config.crawl.allow_hosts == ("10.0.0.7", "localhost:8080")
    monkeypatch.setenv("visawatch_mail", '{"maildir": "out", "smtp_url": "smtp://later.example"}')
    assert load(file).mail == MailSettings("smtp://environment.example", "a@file.example", "out")
    monkeypatch.undo()
    assert load(None) == Config()


def test_a_file_that_cannot_be_read_is_named(public: Path) -> None:
    file = public / "visawatch.toml"
    file.touch(mode=0o000)
    with powerless(), pytest.raises(ConfigError, match=r"visawatch.toml: cannot be read: Perm"):
        load(file)


def test_the_file_in_the_folder_is_found(shell: Shell) -> None:
    (shell.folder / "visawatch.toml").write_text("[crawl]\ndelay = 1\n")
    found = shell.bare("policies", status=1)
    assert found.err.startswith("Error: visawatch.toml: unknown key 'crawl.delay'")


def test_a_secret_in_a_mail_url_is_not_repeated(shell: Shell) -> None:
    url = {"VISAWATCH_MAIL__SMTP_URL": "ftp://watch:hunter2@mail.example"}
    said = shell("alerts", "send", status=1, env={**url, "VISAWATCH_MAIL__SENDER": "a@b.example"})
    assert "mail.smtp_url must begin with smtps://" in said.err
    assert "hunter2" not in said.err


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ('[mail]\nsmtp_url = "smtps://watch:hunter2@mail.example"', "mail.smtp_url"),
        ('[verify]\nimap_url = "imaps://watch:hunter2@mail.example"', "verify.imap_url"),
        ('[web]\nmetrics_token = "hunter2"', "web.metrics_token"),
        ('[mail]\nsmtp_url = "smtps://mail.example"', ""),
    ],
)
def test_a_file_with_a_secret_that_others_can_read_is_told(
    public: Path, text: str, secret: str
) -> None:
    file = public / "visawatch.toml"
    file.write_text(text)
    for mode, told in ((0o644, bool(secret)), (0o640, False), (0o600, False)):
        file.chmod(mode)
        said = Shell(public).bare("policies").err
        assert ("every user of this machine can read" in said) is told
        assert secret in said or not told
        assert "hunter2" not in said
