"""What a Redis server has to be like for an engine, and what is wrong with one that is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

OLDEST = (6, 2)  # XAUTOCLAIM
FULL = 0.9  # of its memory: soon workers wait


@dataclass(frozen=True, slots=True)
class Server:
    """What a server says of itself. `fsync` is "" if it was not asked, or does not say."""

    version: str
    cluster: bool
    eviction: str  # what it does when its memory is full
    most_memory: int  # bytes; 0: all there is
    memory: int
    keeps: bool  # an append-only file
    writes: bool  # its last write of that went well
    fsync: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with a server; nobody works with one where it is `fatal`."""

    found: str  # after its address
    do: str
    fatal: bool = False


def server_of(info: Mapping[str, Any]) -> Server:
    """The server that gave this answer to INFO."""
    return Server(
        version=str(info.get("redis_version", "0")),
        cluster=bool(info.get("cluster_enabled")),
        eviction=str(info.get("maxmemory_policy", "noeviction")),
        most_memory=int(info.get("maxmemory", 0)),
        memory=int(info.get("used_memory", 0)),
        keeps=bool(info.get("aof_enabled")),
        writes=info.get("aof_last_write_status", "ok") == "ok",
    )


def faults(server: Server) -> Iterator[Fault]:
    """All that is wrong with a server, the worst first."""
    parts = tuple(int(part) for part in server.version.split(".")[:2] if part.isdigit())
    if parts < OLDEST:
        needed = f"{'.'.join(map(str, OLDEST))} is needed"
        yield Fault(f"is Redis {server.version}, which is too old", needed, fatal=True)
    if server.cluster:
        yield Fault("is a cluster", "the engine needs a server of its own", fatal=True)
    if server.most_memory and server.eviction != "noeviction":
        yield Fault(
            f"forgets what it was told when its memory is full (maxmemory-policy "
            f"{server.eviction})",
            "set `maxmemory-policy noeviction`, and workers wait instead",
            fatal=True,
        )
    if not server.keeps:
        yield Fault(
            "keeps nothing over a restart, after which hosts may be asked sooner than they should",
            "set `appendonly yes` and `appendfsync always`",
        )
    elif not server.writes:
        yield Fault(
            "cannot write its append-only file",
            "look into its log, and at the room on its disk: until then workers wait",
        )
    if server.keeps and server.fsync not in ("", "always"):
        yield Fault(
            f"may forget the last moments when its machine fails (appendfsync {server.fsync})",
            "set `appendfsync always`",
        )
    if server.most_memory and server.memory > FULL * server.most_memory:
        share = round(100 * server.memory / server.most_memory)
        yield Fault(
            f"has used {share} % of its memory (maxmemory); when it is full, workers wait",
            "raise `maxmemory`; what else is in it (`redis-cli --bigkeys`) belongs elsewhere",
        )
