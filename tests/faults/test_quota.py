"""A limit of tokens at two processes: concurrent starts, a killed process, and what is counted."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.faults.postgres_server import PostgresServer
from tests.support.faults.redis_server import running_redis
from tests.support.servers.harness import AnyDatabase, Database, Server, running_many
from tests.support.servers.visitor import START, Visitor

LIMIT = 4_000
HANGS = "begin and wait"

Service = tuple[list[Server], AnyDatabase]


@pytest.fixture(params=["sqlite", "postgres"])
def service(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> Iterator[Service]:
    database: AnyDatabase
    if request.param == "postgres":
        postgres: PostgresServer = request.getfixturevalue("postgres_of_session")
        if not postgres.is_running:
            postgres.start()
        database = postgres.make_migrated("quota", tmp_path / "servers")
    else:
        database = Database(template, tmp_path / "database")
    with running_redis(tmp_path / "redis") as redis:
        environment = {"REDIS_URL": redis.url, "LIMIT_TOKENS_PER_DAY": str(LIMIT)}
        with running_many(2, database, environment=environment, is_quick=True) as servers:
            yield servers, database


def rows(database: AnyDatabase, statement: str) -> list[tuple[Any, ...]]:
    if isinstance(database, Database):
        with sqlite3.connect(database.path) as sqlite:
            return sqlite.execute(statement).fetchall()
    with psycopg.connect(database.url) as postgres:
        return postgres.execute(statement.encode()).fetchall()


async def test_no_more_starts_than_fit_and_each_end_is_counted_once_whoever_writes_it(
    service: Service,
) -> None:
    servers, database = service
    first = await Visitor.arrive(servers[0].port)
    second = Visitor(servers[1].port)
    second.cookies = first.cookies
    both = [first, second]

    answers = await asyncio.gather(
        *(visitor.call("POST", START, {"prompt": HANGS}) for visitor in both for _ in range(8))
    )
    codes = Counter(answer.get("code", "started") for _, answer in answers)
    ((reserved,),) = set(rows(database, "SELECT reserved_tokens FROM streaming_stream"))
    assert codes == {"started": LIMIT // reserved, "quota_exceeded": 16 - LIMIT // reserved}
    assert rows(database, "SELECT tokens FROM streaming_tokenuse") == []

    started = [answer["stream_id"] for status, answer in answers if status == 201]
    servers[0].kill()
    for stream_id in started:
        await second.call("POST", f"/api/streams/{stream_id}/cancel")  # 503 until it is taken over
        async with await second.watch(stream_id) as client:
            await client.until_event("cancelled")
    status, _ = await second.call("POST", START, {"prompt": "Hello?"})
    assert status == 201
    ((used,),) = set(
        rows(database, "SELECT SUM(tokens) FROM streaming_tokenuse WHERE subject = 'all'")
    )
    ended = (
        "SELECT SUM(input_tokens + output_tokens) FROM streaming_stream WHERE ended_at IS NOT NULL"
    )
    ((of_rows,),) = rows(database, ended)
    assert used == of_rows > 0
    servers[1].assert_unharmed()
