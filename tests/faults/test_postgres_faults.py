"""PostgreSQL dies under running streams: viewers get their ends, and the rows follow."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from psycopg.rows import dict_row

from tests.support.faults.both import (
    Watched,
    assert_start_is_refused,
    assert_start_is_refused_on,
    watch_on_both,
)
from tests.support.faults.client import Service
from tests.support.faults.missing import skip_loudly
from tests.support.faults.plan import Plan
from tests.support.faults.postgres_server import (
    POSTGRES_BINARIES,
    PostgresDatabase,
    PostgresServer,
    running_postgres,
)
from tests.support.faults.redis_server import running_redis
from tests.support.faults.upstream_server import UpstreamServer
from tests.support.servers.harness import BUSY_SECONDS, Server, eventually, running_many
from tests.support.servers.quick_clock import QUICKER

SEED = 77_003
STREAMS = 20
REFUSED_SECONDS = 5.0 + BUSY_SECONDS
OLD_BEAT_SECONDS = 7.0
"""After this time, every heartbeat in the database is too old to prove that its process lives."""

LOOKS = 3
"""Heartbeats of each process, each with a scan for orphans, that must leave the streams alone."""


@pytest.fixture(scope="module")
def postgres_of_module() -> Iterator[PostgresServer]:
    if not POSTGRES_BINARIES:
        skip_loudly("no PostgreSQL on this machine, so nothing of its faults was tested.")
    with running_postgres() as server:
        yield server


def plans_of(name: str) -> list[Plan]:
    """Plan streams: a quarter sends beyond the outage, and half are far from their end then."""
    plans = []
    for number in range(STREAMS):
        held: dict[str, Any] = {"hold": 1, "after": 5} if number % 4 < 2 else {}
        plans.append(Plan(f"{name}-{number}", tokens=60, every_ms=20, seed=number, **held))
    return plans


class Rows:
    """The database's own record of the streams."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    def of(self, streams: list[Watched]) -> list[dict[str, Any]]:
        ids = [stream.stream_id for stream in streams]
        with self._database.server.connect(self._database.name) as connection:
            cursor = connection.cursor(row_factory=dict_row)
            cursor.execute("SELECT * FROM streaming_stream WHERE id = ANY(%s)", [ids])
            rows = {row["id"]: row for row in cursor.fetchall()}
        return [rows[stream_id] for stream_id in ids]

    async def have_more_beats(self, count: int) -> None:
        """Wait until each process has written this many more heartbeats."""
        for _ in range(count):
            before = self._beats()
            await eventually(lambda before=before: self._beats().isdisjoint(before))

    def _beats(self) -> set[tuple[str, datetime]]:
        with self._database.server.connect(self._database.name) as connection:
            return set(connection.execute("SELECT id, beat_at FROM streaming_serverprocess"))

    def have_ended(self, streams: list[Watched]) -> bool:
        return all(row["ended_at"] for row in self.of(streams))

    def are_whole(self, streams: list[Watched]) -> None:
        """Check that every row is complete.

        Raises:
            AssertionError: a row lacks something.
        """
        for row, stream in zip(self.of(streams), streams, strict=True):
            end = stream.viewings[0].end
            assert end is not None and row["terminal"] == end
            assert (row["status"], row["text"]) == ("complete", stream.plan.text)
            assert (row["input_tokens"], row["output_tokens"]) == (11, 60)
            assert row["ttft_ms"] == end["ttft_ms"]
            assert row["created_at"] <= row["started_at"] < row["ended_at"], row
            assert row["recoveries"] == 0


@pytest.mark.parametrize("count", [2, 1], ids=["two-on-redis", "one-on-memory"])
async def test_postgresql_is_killed_and_comes_back(
    count: int, postgres_of_module: PostgresServer, upstream: UpstreamServer, tmp_path: Path
) -> None:
    postgres = postgres_of_module
    if not postgres.is_running:
        postgres.start()
    database = postgres.make_migrated(f"faults_{count}", tmp_path / "servers")
    rows = Rows(database)
    environment = {**upstream.environment, "AI_STREAMING_RUNNER": "inline"}
    clock = asyncio.get_running_loop().time
    with ExitStack() as stack:
        if count > 1:
            environment["REDIS_URL"] = stack.enter_context(running_redis(tmp_path / "redis")).url
        # Of two, both survive and must keep their streams: with a quick clock, a busy machine could
        # make one look dead. One alone has nobody to mistake it.
        is_quick = count == 1
        old_beat_seconds = OLD_BEAT_SECONDS / QUICKER if is_quick else OLD_BEAT_SECONDS
        servers: list[Server] = stack.enter_context(
            running_many(count, database, environment=environment, is_quick=is_quick)
        )
        service = await Service.arrive([server.port for server in servers])
        visitors = [service.visitor(port) for port in service.ports]
        plans = plans_of(f"killed-{count}")
        async with visitors[-1].socket("?follow=none") as socket:
            watching = await watch_on_both(service, upstream, plans, seed=SEED + count)
            await watching.until_all_have(5)
            late = [stream for stream in watching.streams if stream.plan.hold][::2]
            early = [stream for stream in watching.streams if stream not in late]

            await asyncio.to_thread(postgres.kill)
            gone_at = clock()
            for stream in early:
                await asyncio.to_thread(upstream.release, stream.plan.key)
            for _ in range(2):
                for visitor in visitors:
                    await assert_start_is_refused(visitor, within=REFUSED_SECONDS)
                await assert_start_is_refused_on(socket, within=REFUSED_SECONDS)
            for visitor in visitors:
                async with await visitor.open("/history") as page:
                    assert (page.status, page.headers["retry-after"]) == (503, "3")
            await eventually(lambda: all(v.end for stream in early for v in stream.viewings))
            await asyncio.sleep(max(0.0, gone_at + old_beat_seconds - clock()))

            await asyncio.to_thread(postgres.start)
            await eventually(lambda: rows.have_ended(early))
            await rows.have_more_beats(LOOKS)
            rows.are_whole(early)
            assert not any(row["ended_at"] for row in rows.of(late))
            for stream in late:
                await asyncio.to_thread(upstream.release, stream.plan.key)
            await watching.judge(tmp_path)
            rows.are_whole(watching.streams)
            watching.assert_no_connection_ended()
            watching.assert_no_snapshots()

        for port in service.ports:
            path = "/api/stream/ai-block/ask-question?wait=1"
            ask = {"prompt": Plan(f"again-{count}-{port}", tokens=3).prompt}
            status, row = await service.visitor(port).call("POST", path, ask)
            assert (status, row["status"]) == (200, "complete")
        for server in servers:
            server.assert_unharmed()
