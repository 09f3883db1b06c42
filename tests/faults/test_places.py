"""The stream limits of one visitor at two processes on one Redis: races, ends and crashes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from itertools import cycle, islice, product
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.faults.postgres_server import PostgresDatabase, PostgresServer
from tests.support.faults.redis_server import running_redis
from tests.support.servers.harness import (
    AnyDatabase,
    Database,
    Server,
    eventually,
    running,
    running_many,
)
from tests.support.servers.visitor import Visitor

BLOCK = "ask-question"
URL = f"/api/stream/ai-block/{BLOCK}"
LIMITS = {"LIMIT_RUNNING_PER_OWNER": "10", "LIMIT_ANONYMOUS_STARTS_PER_HOUR": "28"}
AT_ONCE = 50
HANGS = "begin and wait"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def two_servers(
    request: pytest.FixtureRequest, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Server]]:
    """Two servers for all tests on a database; the last of these kills the first one.

    Their clock is quick: places do not depend on who generates a stream.
    """
    folder = tmp_path_factory.mktemp(request.param)
    database: AnyDatabase
    if request.param == "postgres":
        postgres: PostgresServer = request.getfixturevalue("postgres_of_session")
        if not postgres.is_running:
            postgres.start()
        database = postgres.make_migrated("places", folder / "servers")
    else:
        database = Database(template, folder / "database")
    with running_redis(folder / "redis") as redis:
        environment = {"REDIS_URL": redis.url, **LIMITS}
        with running_many(2, database, environment=environment, is_quick=True) as servers:
            yield servers


async def post(visitor: Visitor, prompt: str, query: str = "") -> tuple[int, Any]:
    return await visitor.call("POST", URL + query, {"prompt": prompt})


async def test_the_limits_hold_at_both_processes_together_and_no_longer_than_streams_run(
    two_servers: list[Server],
) -> None:
    first = await Visitor.arrive(two_servers[0].port)
    second = Visitor(two_servers[1].port)
    second.cookies = first.cookies
    both = [first, second]

    codes, running = await at_once(both)
    assert codes == {"started": 10, "too_many_streams": 40}
    for stream_id in running:
        assert (await second.call("POST", f"/api/streams/{stream_id}/cancel"))[0] == 200

    for _ in range(9):
        assert (await post(first, HANGS))[0] == 201
    for number in range(9):  # each right after the previous one, at the other process
        status, answer = await post(both[number % 2], "Hello?", "?wait=1")
        assert (status, answer.get("status")) == (200, "complete"), answer
    for visitor in both:  # 10 + 9 + 9 were accepted
        status, problem = await post(visitor, "Hello?")
        assert (status, problem["code"]) == (429, "rate_limited")


async def test_the_limits_hold_at_one_process_without_redis(template: Path, tmp_path: Path) -> None:
    database = Database(template, tmp_path / "database")
    with running("serve", database, environment=LIMITS) as server:
        codes, running_ids = await at_once([await Visitor.arrive(server.port)])
        assert codes == {"started": 10, "too_many_streams": 40}
        assert len(set(running_ids)) == 10


async def test_streams_of_a_killed_process_hold_their_places_until_their_ends(
    two_servers: list[Server],
) -> None:
    first = await Visitor.arrive(two_servers[0].port)
    second = Visitor(two_servers[1].port)
    second.cookies = first.cookies
    held = [(await post(first, HANGS))[1]["stream_id"] for _ in range(10)]
    two_servers[0].kill()
    status, problem = await post(second, HANGS)
    assert (status, problem["code"]) == (429, "too_many_streams")
    for stream_id in held:
        await second.call("POST", f"/api/streams/{stream_id}/cancel")  # 503 until it is taken over
        async with await second.watch(stream_id) as client:
            await client.until_event("cancelled")
    for _ in range(10):
        assert (await post(second, HANGS))[0] == 201
    two_servers[1].assert_unharmed()


async def at_once(visitors: list[Visitor]) -> tuple[Counter[str], list[str]]:
    """Send 50 starts at once, in turn by JSON, event stream and socket, and to each process."""
    codes: Counter[str] = Counter()
    started: list[str] = []

    def count(answer: dict[str, Any]) -> None:
        codes[answer.get("code", "started")] += 1
        if "code" not in answer:
            started.append(answer["stream_id"])

    async def by_json(visitor: Visitor) -> None:
        count((await post(visitor, HANGS))[1])

    async def by_event_stream(visitor: Visitor) -> None:
        async with await visitor.open(f"{URL}?prompt=begin+and+wait") as client:
            if client.status == 200:
                count(await client.until_event("start"))
            else:
                await client.until(lambda c: c.has_ended)
                count(await client.json())

    async def by_socket(visitor: Visitor) -> None:
        async with visitor.socket("?follow=none") as socket:
            await socket.send(type="start", ref="r", block_type=BLOCK, prompt=HANGS)
            count(await socket.until(lambda frame: frame.get("ref") == "r"))

    ways = cycle(product((by_json, by_event_stream, by_socket), visitors))
    await asyncio.gather(*(way(visitor) for way, visitor in islice(ways, AT_ONCE)))
    return codes, started


async def test_on_postgres_starts_of_one_owner_count_one_after_the_other(
    postgres_database: PostgresDatabase,
) -> None:
    """Without the lock, two transactions would miss each other's rows."""
    with running("serve", postgres_database, environment=LIMITS) as server:
        ada, bob = await Visitor.arrive(server.port), await Visitor.arrive(server.port)
        _, started = await post(ada, HANGS)
        with postgres_database.server.connect(postgres_database.name) as connection:
            row = connection.execute(
                "SELECT owner_key FROM streaming_stream WHERE id = %s", [started["stream_id"]]
            ).fetchone()
            assert row is not None
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", row)
                starting = asyncio.ensure_future(post(ada, HANGS))
                await eventually(lambda: count_waiting(connection) == 1)
                assert not starting.done()
        assert (await starting)[0] == 201
        assert (await post(bob, HANGS))[0] == 201


def count_waiting(connection: psycopg.Connection) -> int:
    row = connection.execute(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    ).fetchone()
    assert row is not None
    count: int = row[0]
    return count
