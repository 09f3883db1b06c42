"""Two processes on a real PostgreSQL: a stream's whole life, and the database connections."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.faults.both import count_of
from tests.support.faults.client import Service, start_of, watch_to_the_end
from tests.support.faults.drive import add_truth, drive, give_verdict
from tests.support.faults.history import Viewing
from tests.support.faults.plan import Plan
from tests.support.faults.postgres_server import PostgresDatabase, PostgresServer
from tests.support.faults.redis_server import running_redis
from tests.support.faults.upstream_server import UpstreamServer, running_upstream
from tests.support.servers.admin_browser import SWITCHES, AdminBrowser
from tests.support.servers.harness import BUSY_SECONDS, ROOT, Server, eventually, running_many
from tests.support.servers.visitor import Held, Visitor

SEED = 15_018
OPEN_STREAMS = 200
CONNECTIONS_PER_PROCESS = 11
"""Four request threads, one for all sockets, one to save, one to look around."""


@dataclass
class Pair:
    servers: list[Server]
    upstream: UpstreamServer
    database: PostgresDatabase

    @property
    def ports(self) -> list[int]:
        return [server.port for server in self.servers]


@pytest.fixture(scope="module")
def pair_of_module(
    postgres_of_session: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    if not postgres_of_session.is_running:
        postgres_of_session.start()
    folder = tmp_path_factory.mktemp("on-postgres")
    database = postgres_of_session.make_migrated("a_pair", folder / "servers")
    with running_redis(folder / "redis") as redis, running_upstream() as upstream:
        environment = {**upstream.environment, "REDIS_URL": redis.url, "AI_IDLE_SECONDS": "300"}
        with running_many(2, database, environment=environment) as servers:
            yield Pair(servers, upstream, database)


@pytest.fixture
def pair(pair_of_module: Pair) -> Iterator[Pair]:
    yield pair_of_module
    for server in pair_of_module.servers:
        print(server.output)  # shown if the test fails
    for server in pair_of_module.servers:
        server.assert_unharmed()


async def until_deleted(visitor: Visitor, stream_id: str) -> None:
    """Wait for the row to follow the log; until then the stream counts as running."""
    for _ in range(200):
        status, problem = await visitor.call("DELETE", f"/api/streams/{stream_id}")
        if status == 204:
            return
        assert (status, problem["code"]) == (409, "still_running")
        await asyncio.sleep(0.05)
    raise AssertionError("its row never ended")


async def test_a_stream_is_started_here_and_watched_resumed_and_cancelled_there(pair: Pair) -> None:
    service = await Service.arrive(pair.ports)
    here, there = map(service.visitor, pair.ports)
    plan = Plan("life", tokens=40, every_ms=5, hold=1, after=10)
    async with await here.ask(plan.prompt) as client:
        stream_id = (await client.until_event("start"))["stream_id"]
        await client.until(lambda c: sum(e["type"] == "chunk" for e in c.events) == 10)
        held = Held().take_all(client.events)

    async with there.socket() as socket:
        (active,) = socket.frames[0]["active"]
        assert (active["stream_id"], active["status"]) == (stream_id, "running")
        await socket.send(type="resume", ref="r", stream_id=stream_id, after=held.cursor)
        await socket.until(lambda frame: frame.get("ref") == "r")
        pair.upstream.release(plan.key)
        await socket.until_end(stream_id)
        held.take_all(socket.events_of(stream_id))
    assert held.text == plan.text and held.snapshots == 0
    assert held.terminal is not None and held.terminal["type"] == "complete"
    for visitor in (here, there):
        row = await visitor.snapshot(stream_id)
        assert (row["status"], row["text"]) == ("complete", plan.text)
        assert row["usage"] == {"input_tokens": 11, "output_tokens": 40}
        assert row["ended_at"] > row["started_at"] >= row["created_at"]

    endless = Plan("cancelled", tokens=0)
    async with await here.ask(endless.prompt) as client:
        await client.until_event("chunk")
        stream_id = client.events[0]["stream_id"]
        status, row = await there.call("POST", f"/api/streams/{stream_id}/cancel")
        assert (status, row["status"]) == (200, "cancelled")
        assert (await client.until_end())[-1]["by"] == "owner"
    await until_deleted(there, stream_id)
    for visitor in (here, there):
        assert (await visitor.call("GET", f"/api/streams/{stream_id}"))[0] == 404
    await asyncio.to_thread(pair.upstream.wait_until_closed)


async def test_all_answers_are_deleted_there_with_those_that_run_here(pair: Pair) -> None:
    service = await Service.arrive(pair.ports)
    here, there = map(service.visitor, pair.ports)
    ended = Plan("all-ended", tokens=3)
    path = "/api/stream/ai-block/ask-question?wait=1"
    status, row = await here.call("POST", path, {"prompt": ended.prompt})
    assert (status, row["status"]) == (200, "complete")
    endless = Plan("all-running", tokens=0)
    async with await here.ask(endless.prompt) as client:
        await client.until_event("chunk")
        running = client.events[0]["stream_id"]
        status, done = await there.call("DELETE", "/api/streams")
        assert (status, done) == (200, {"deleted": 2, "complete": True})
        events = await client.until_end()
    ends = [event for event in events if event["type"] in ("complete", "error", "cancelled")]
    assert [(event["type"], event["by"]) for event in ends] == [("cancelled", "owner")]
    for visitor in (here, there):
        for stream_id in (row["stream_id"], running):
            assert (await visitor.call("GET", f"/api/streams/{stream_id}"))[0] == 404
        assert (await visitor.call("GET", "/api/streams"))[1]["results"] == []
    await asyncio.to_thread(pair.upstream.wait_until_closed)


async def test_history_is_searched_and_paged_as_anywhere(pair: Pair) -> None:
    service = await Service.arrive(pair.ports)
    here, there = map(service.visitor, pair.ports)
    words = ["Über die See", "50% of it_all", "a\\b 'quoted' \"too\"", "Καλημέρα 😀"]
    path = "/api/stream/ai-block/ask-question?wait=1"
    for number, word in enumerate(words):
        prompt = f"{word} {Plan(f'found-{number}', tokens=3, seed=number).prompt}"
        status, row = await here.call("POST", path, {"prompt": prompt})
        assert (status, row["status"]) == (200, "complete"), row

    async def found(q: str) -> list[str]:
        status, page = await there.call("GET", f"/api/streams?q={q}")
        assert status == 200, page
        return [row["prompt"].split(" plan(")[0] for row in page["results"]]

    assert await found("%C3%9Cber%20DIE") == words[:1]
    assert await found("0%25%20of%20it_") == words[1:2]  # no wildcards
    assert await found("d_e%20see") == []
    assert await found("%5Cb%20%27quo") == words[2:3]
    assert await found("%CE%9A%CE%B1%CE%BB%CE%B7%CE%BC") == words[3:]
    in_text = Plan("found-2", tokens=3, seed=2).text.split()[1]
    assert words[2] in await found(in_text)

    pages, cursor = [], ""
    while cursor is not None:
        status, page = await there.call("GET", f"/api/streams?limit=3{cursor}")
        assert status == 200
        pages.append([row["prompt"].split(" plan(")[0] for row in page["results"]])
        cursor = None if page["next"] is None else f"&cursor={page['next']}"
    assert pages == [[words[3], words[2], words[1]], [words[0]]]


async def test_one_request_is_one_stream_however_often_and_wherever_it_is_made(
    pair: Pair, tmp_path: Path
) -> None:
    service = await Service.arrive(pair.ports)
    plans = [Plan(f"same-{n}", tokens=30, every_ms=10, seed=n) for n in range(10)]
    histories = await drive(service, plans, seed=SEED, viewers=6, drops=1)
    await add_truth(service, histories, pair.upstream)
    give_verdict(histories, seed=SEED, folder=tmp_path)
    assert all(history.calls == 1 for history in histories)
    ports = {c.port for history in histories for v in history.viewings for c in v.connections}
    assert ports == set(pair.ports)

    start = start_of(plans[0].prompt, random.Random(f"{SEED}/{plans[0].key}"))
    path = "/api/stream/ai-block/ask-question"
    for port in pair.ports:
        body = {"prompt": "another", "request_id": start.request_id}
        status, problem = await service.visitor(port).call("POST", path, body)
        assert (status, problem["code"]) == (409, "request_conflict")
    someone = await Visitor.arrive(pair.ports[0])
    body = {"prompt": Plan("someone-s").prompt, "request_id": start.request_id}
    status, row = await someone.call("POST", f"{path}?wait=1", body)
    assert (status, row["status"]) == (200, "complete")


async def test_a_cancel_by_request_that_comes_first_wins_in_the_other_process(pair: Pair) -> None:
    service = await Service.arrive(pair.ports)
    here, there = map(service.visitor, pair.ports)
    request_id = str(uuid.uuid4())
    status, answer = await here.call("POST", "/api/streams/cancel", {"request_id": request_id})
    assert (status, answer["stream_id"]) == (200, None)
    body = {"prompt": Plan("never").prompt, "request_id": request_id}
    status, row = await there.call("POST", "/api/stream/ai-block/ask-question?wait=1", body)
    assert (status, row["status"]) == (200, "cancelled")
    assert pair.upstream.stats_of("never").calls == 0


async def test_the_admin_s_switch_reaches_both_processes(pair: Pair) -> None:
    visitor = await Visitor.arrive(pair.ports[0])
    service = Service(pair.ports, visitor.cookies)
    admin = await AdminBrowser.log_in(pair.ports[0])

    async def until_all(enabled: bool) -> float:
        begun = time.monotonic()
        for port in pair.ports:
            while True:
                _, config = await service.visitor(port).call("GET", "/api/config")
                if config["streaming"]["enabled"] is enabled:
                    break
        return time.monotonic() - begun

    async with service.visitor(pair.ports[1]).socket("?follow=none") as socket:
        await admin.submit(SWITCHES, enabled="False")
        assert await until_all(False) < 2.0 + BUSY_SECONDS
        told = await socket.until(lambda frame: frame["type"] == "settings")
        assert told["streaming"]["enabled"] is False
        for port in pair.ports:
            plan = Plan(f"whole-{port}", tokens=5)
            async with await service.visitor(port).ask(plan.prompt) as client:
                events = await client.until_end()
            assert [event["type"] for event in events] == ["start", "chunk", "complete"]
            assert events[1]["token"] == plan.text
        await admin.submit(SWITCHES, enabled="")
        assert await until_all(True) < 2.0 + BUSY_SECONDS


async def test_200_open_streams_hold_no_connection_to_the_database(pair: Pair) -> None:
    service = await Service.arrive(pair.ports)
    bound = CONNECTIONS_PER_PROCESS * len(pair.ports)
    plans = [
        Plan(f"open-{n}", tokens=6, every_ms=0, hold=1, after=3, seed=n)
        for n in range(OPEN_STREAMS)
    ]
    viewings = [Viewing(plan.key) for plan in plans]
    counts: dict[int, int] = {}
    watching = []
    for begin in range(0, OPEN_STREAMS, 20):
        some = range(begin, begin + 20)
        watching += [
            asyncio.ensure_future(
                watch_to_the_end(
                    Service([pair.ports[number % 2]], service.cookies),
                    start_of(plans[number].prompt, random.Random(number)),
                    rng=random.Random(number),
                    transports="sw"[number // 2 % 2],
                    deadline_seconds=120,
                    viewing=viewings[number],
                )
            )
            for number in some
        ]
        await eventually(lambda some=some: all(count_of(viewings[n], "chunk") for n in some))
        counts[begin + 20] = pair.database.server.backends(pair.database.name)
    for _ in range(10):
        await asyncio.sleep(0.1)
        found = pair.database.server.backends(pair.database.name)
        counts[OPEN_STREAMS] = max(counts[OPEN_STREAMS], found)
    print(counts)
    assert 2 <= max(counts.values()) <= bound
    with pair.database.server.connect() as connection:
        held = connection.execute(
            "SELECT state, query FROM pg_stat_activity WHERE datname = %s"
            " AND state <> 'idle' AND now() - state_change > interval '1 second'",
            [pair.database.name],
        ).fetchall()
    assert held == [], "a transaction is open for a second"
    assert sum(one.open for one in pair.upstream.stats().values()) == OPEN_STREAMS
    for plan in plans:
        await asyncio.to_thread(pair.upstream.release, plan.key)
    await asyncio.gather(*watching)
    for plan, viewing in zip(plans, viewings, strict=True):
        assert viewing.end is not None and viewing.end["type"] == "complete"
        tokens = [event["token"] for event in viewing.events if event["type"] == "chunk"]
        assert "".join(tokens) == plan.text
        assert viewing.ways == ["terminal"]
    assert pair.database.server.backends(pair.database.name) <= bound


@pytest.mark.timeout(360)  # seven files of tests
def test_what_the_database_is_trusted_with_passes_on_postgresql_too(
    postgres: PostgresServer,
) -> None:
    files = [
        "database/test_history",
        "database/test_old_answers",
        "generating/test_liveness",
        "generating/test_saver",
        "generating/test_taking_over",
        "generating/test_taking_over_failures",
        "own_data/test_deleting",
    ]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    # Threads that end with the run leave their connections to it.
    command += ["-W", "ignore::pytest.PytestUnraisableExceptionWarning"]
    # The database is removed with its cluster. The excluded test covers SQLite's own settings.
    left_out = (
        "tests/streaming/generating/test_saver.py::test_sqlite_writes_ahead_and_begins_at_once"
    )
    run = subprocess.run(
        [*command, "--reuse-db", "--durations=5", f"--deselect={left_out}"]
        + [f"tests/streaming/{name}.py" for name in files],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": postgres.make_database("suite")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    print(run.stdout)
