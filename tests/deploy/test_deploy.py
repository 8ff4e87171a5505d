"""The units, the container file, the alert rules and docs/operations.md: true, and sandboxed."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from redisserver import serving
from shell import PATIENCE, ROOT
from test_cli_docs import command_of

from monitor.engine import board
from monitor.engine.link import connect
from monitor.vitals import vitals
from store import cycles
from store.database import Store
from web.metrics import text

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
OURS = [unit for unit in UNITS if "tell" not in unit.name]
SANDBOX = {
    "User": "visawatch",
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "RestrictSUIDSGID": "yes",
    "SystemCallFilter": "@system-service",
    "UMask": "0077",
}
REDIS = (DEPLOY / "redis.conf").read_text()
NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


def options(unit: Path) -> dict[str, str]:
    lines = [line.partition("=") for line in unit.read_text().splitlines() if line[:1].isalpha()]
    return {key: value for key, _, value in lines}


@pytest.mark.parametrize("unit", OURS, ids=lambda unit: unit.stem)
def test_a_unit_runs_a_command_that_there_is_in_a_sandbox(unit: Path) -> None:
    found = options(unit)
    assert SANDBOX.items() <= found.items()
    command = found["ExecStart"].removeprefix("/opt/visawatch/bin/")
    assert command_of(command).startswith("visawatch ")


@pytest.mark.parametrize("name", ["backup", "doctor"])
def test_what_needs_no_network_has_none(name: str) -> None:
    found = options(DEPLOY / "systemd" / f"visawatch-{name}.service")
    assert found["PrivateNetwork"] == "yes"
    assert found["OnFailure"] == "visawatch-tell@%n.service"
    assert (DEPLOY / "systemd" / f"visawatch-{name}.timer").exists()


def test_with_an_engine_the_doctor_may_have_the_network() -> None:
    found = options(DEPLOY / "systemd" / "visawatch-doctor.service.d" / "engine.conf")
    assert found["PrivateNetwork"] == "no"
    assert "AF_INET" in found["RestrictAddressFamilies"]


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    for unit in (DEPLOY / "systemd").glob("visawatch*.[st][ei]*[er]"):
        content = unit.read_text()
        for program in ("/opt/visawatch/bin/visawatch", "/usr/sbin/sendmail"):
            content = content.replace(f"ExecStart={program}", "ExecStart=/bin/true")
        (tmp_path / unit.name).write_text(content)
    files = [str(file) for file in tmp_path.iterdir()]
    for folder in (DEPLOY / "systemd").glob("*.d"):  # which change a unit where they are installed
        shutil.copytree(folder, tmp_path / folder.name)
    command = ["systemd-analyze", "verify", "--man=no", *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", OURS, ids=lambda unit: unit.stem)
def test_systemd_rates_the_sandbox_well(unit: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=25", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-200:]  # 2.5 of 10, at most


def test_the_alert_rules_ask_for_metrics_that_there_are(store: Store) -> None:
    with store.writing():
        cycle, _ = cycles.open_one(store, "2026-11-25T02:00:00Z")
        cycles.finish(store, cycle.id, "2026-11-25T02:10:00Z", {"pages": 3})
    measured = set(re.findall(r"^(visawatch_\w+)", text(vitals(store, NOW)).decode(), re.MULTILINE))
    asked = set(re.findall(r"visawatch_\w+", (DEPLOY / "alerts.yml").read_text()))
    assert asked
    assert asked <= measured


def stages() -> list[list[tuple[str, str]]]:
    """The instructions of the container file and what they say, by stage; the first is before."""
    text = (DEPLOY / "Containerfile").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found: list[list[tuple[str, str]]] = [[]]
    for line in "\n".join(lines).replace("\\\n", "").splitlines():
        name, _, rest = line.partition(" ")
        if name == "FROM":
            found.append([])
        found[-1].append((name, rest))
    return found


def test_the_container_is_not_roots_and_writes_one_volume() -> None:
    _, build, last = stages()
    names = [name for name, _ in last]
    said = dict(last)
    assert said["USER"] == "10001:10001"  # a number: nothing has to be looked up to see who it is
    assert "RUN" not in names[names.index("USER") :]
    assert [rest for name, rest in last if name == "VOLUME"] == [said["WORKDIR"]] == ["/data"]
    (made,) = [rest for name, rest in last if name == "RUN"]
    assert "-o visawatch -g visawatch -m 0700 /data" in made
    assert "pip wheel --require-hashes" in build[[name for name, _ in build].index("RUN")][1]


def test_no_database_and_no_settings_come_into_the_containers_build() -> None:
    def named(file: str) -> set[str]:
        lines = (ROOT / file).read_text().splitlines()
        return {line.strip("/").removeprefix("**/") for line in lines if line[:1] not in ("", "#")}

    assert named(".gitignore") | {".git"} <= named(".dockerignore")


def test_the_container_has_nothing_but_what_was_built() -> None:
    before, build, last = stages()
    assert before == [("ARG", "PYTHON=docker.io/library/python:3.11-slim")]
    assert [dict(stage)["FROM"] for stage in (build, last)] == ["${PYTHON} AS build", "${PYTHON}"]
    assert [rest for name, rest in last if name == "COPY"] == [
        "--from=build /opt/visawatch /opt/visawatch"
    ]
    known = {"FROM", "COPY", "RUN", "ENV", "USER", "WORKDIR", "VOLUME", "EXPOSE", "STOPSIGNAL"}
    for name, rest in (*build, *last):
        assert name in {*known, "ENTRYPOINT", "CMD"}
        assert not re.search(r"(?i)password|secret|token|https?://|apt|sudo", rest)


def test_the_container_runs_a_command_that_there_is_and_is_told_to_stop() -> None:
    said = dict(stages()[-1])
    words = [*json.loads(said["ENTRYPOINT"]), *json.loads(said["CMD"])]  # no shell in between
    assert command_of(shlex.join(words)) == "visawatch schedule"
    assert said["STOPSIGNAL"] == "SIGTERM"
    assert said["EXPOSE"] == "8000"


def test_the_compose_file_runs_commands_that_there_are_without_rights() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    ours = {name: service for name, service in services.items() if name != "redis"}
    commands = {command_of(shlex.join(["visawatch", *one["command"]])) for one in ours.values()}
    assert commands == {"visawatch schedule", "visawatch worker", "visawatch serve"}
    for service in services.values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    for option in re.findall(r"^(appendonly|appendfsync|maxmemory-policy) (.*)$", REDIS, re.M):
        assert f"--{' '.join(option)}" in services["redis"]["command"]


def test_the_workers_of_the_compose_file_have_the_engine_and_nothing_else() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    worker, writer, redis = services["worker"], services["schedule"], services["redis"]
    assert worker["environment"] == writer["environment"]
    assert set(worker["environment"]) == {"VISAWATCH_ENGINE__URL"}
    assert "volumes" not in worker
    assert "ports" not in redis  # none but these containers reach it
    assert worker["stop_grace_period"] == writer["stop_grace_period"]


def test_the_workers_unit_waits_for_work_and_is_drained_by_a_stop(tmp_path: Path) -> None:
    """What systemd runs, with what stands in the secrets' file, and SIGTERM as it stops it."""
    settings = tmp_path / "visawatch.toml"
    settings.write_text("")
    line = options(DEPLOY / "systemd" / "visawatch-worker@.service")["ExecStart"]
    line = line.replace("/etc/visawatch/visawatch.toml", str(settings))
    command = [sys.executable, "-m", "visawatch", *shlex.split(line)[1:]]
    with serving(tmp_path / "redis") as server, server.client() as client:
        env = {**os.environ, "PYTHONPATH": str(ROOT), "VISAWATCH_ENGINE__URL": server.url}
        with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as worker:
            assert worker.stderr is not None
            try:
                assert "waits for work" in worker.stderr.readline()
                until = time.monotonic() + PATIENCE
                while client.zcard(board.WORKERS) == 0:
                    assert time.monotonic() < until
                    time.sleep(0.05)
            finally:
                worker.terminate()
            assert worker.wait(PATIENCE) == 0
        assert client.zcard(board.WORKERS) == 0


def test_redis_understands_its_settings(tmp_path: Path) -> None:
    (tmp_path / "redis.conf").write_text(REDIS)
    with serving(tmp_path / "redis", "--include", str(tmp_path / "redis.conf")) as server:
        connect(server.url).close()
        with server.client() as client:
            for name, value in re.findall(r"^([a-z-]+) (\S+)$", REDIS, re.MULTILINE):
                kept = client.config_get(name)[name]
                assert kept == {'""': "", "512mb": str(512 << 20)}.get(value, value)


def test_what_the_guide_names_is_there() -> None:
    guide = (ROOT / "docs" / "operations.md").read_text()
    files = set(re.findall(r"(?<![\w/])deploy/[\w./@-]*\w", guide))
    assert len(files) > 5
    assert [name for name in files if not (ROOT / name).exists()] == []
    keys = {
        *(board.RUN, board.WORKERS, board.REFUSED, board.HOST + "NAME"),
        *(board.work("RUN"), board.results("RUN")),
    }
    assert set(re.findall(r"visawatch:[\w:-]+", guide)) == keys


def test_every_command_in_the_guide_is_understood() -> None:
    guide = (ROOT / "docs" / "operations.md").read_text()
    said = re.findall(
        r"^(?:sudo .*/bin/)?(visawatch (?:--db|--config|-v) .*)$", guide, re.MULTILINE
    )
    said += re.findall(r"`(visawatch (?:backup|restore|reclassify|doctor)[^`]*)`", guide)
    used = {command_of(line) for line in said}
    assert used >= {
        "visawatch worker",
        "visawatch backup",
        "visawatch restore",
        "visawatch programs import",
    }
