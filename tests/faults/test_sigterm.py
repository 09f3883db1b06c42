"""SIGTERM of one of two web processes under load.

It refuses starts, short answers end there, and the other process takes over the rest.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faults.audience import Seat, ends_of, watch_from
from tests.support.faults.client import Service
from tests.support.faults.cluster import Cluster, running_cluster
from tests.support.faults.drive import add_truth, give_verdict
from tests.support.faults.history import Viewing
from tests.support.faults.line import LineEnded, SseLine
from tests.support.faults.plan import Plan
from tests.support.servers.harness import BUSY_SECONDS, eventually
from tests.support.servers.stopping import Stopping

SEED = 20_264
DRAIN_SECONDS = 6
WITHIN_SECONDS = DRAIN_SECONDS + 2.0 + BUSY_SECONDS


@pytest.fixture(scope="module")
def draining(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    environment = {"STREAM_DRAIN_SECONDS": str(DRAIN_SECONDS)}
    with running_cluster(tmp_path_factory.mktemp("sigterm"), environment=environment) as cluster:
        yield cluster


@pytest.fixture
def cluster(draining: Cluster) -> Cluster:
    draining.ensure(web=2)
    return draining


async def assert_starts_are_refused(service: Service, port: int) -> None:
    """Check that both transports refuse starts soon after the signal, with a retry delay."""
    visitor = service.visitor(port)

    async def refused() -> bool:
        async with await visitor.open(
            "/api/stream/ai-block/ask-question", method="POST", data={"prompt": "no plan"}
        ) as client:
            if client.status == 200:
                return False
            problem = await client.json()
            assert (client.status, problem["code"]) == (503, "shutting_down")
            assert int(client.headers["retry-after"]) >= 1
            return True

    while not await refused():  # polls the server: there is no event
        pass


async def knock(service: Service, port: int, stream_id: str) -> list[str]:
    """Start watching repeatedly until nobody listens; return the outcome of each attempt."""
    watching: list[asyncio.Task[str]] = []

    async def watch(line: SseLine) -> str:
        types: list[str] = []
        try:
            while True:
                types += [event["type"] for event in await line.read()]
        except LineEnded as ended:
            line.reset()
            return types[-1] if types else ended.why

    while True:
        try:
            path = f"/api/streams/{stream_id}/events?after=5"
            line = await SseLine.open(port, path, headers=service.headers(port))
        except LineEnded:
            return await asyncio.gather(*watching)
        watching.append(asyncio.ensure_future(watch(line)))
        await asyncio.sleep(0.1)


def connections_at(viewing: Viewing, port: int) -> list[str]:
    return [c.ended_by for c in viewing.connections if c.port == port]


async def test_under_fifty_streams_each_ends_there_or_in_the_other_process(
    cluster: Cluster, tmp_path: Path
) -> None:
    short = [
        Plan(f"short-{n}", tokens=50, every_ms=40, hold=1, after=25, seed=n) for n in range(25)
    ]
    long = [
        Plan(f"long-{n}", tokens=260, every_ms=40, hold=1, after=220, seed=n) for n in range(25)
    ]
    plans = short + long
    first, second = cluster.web
    async with cluster.visited() as service:
        at_first = Service([first.port], service.cookies)
        at_second = Service([second.port], service.cookies)
        seats = [Seat("starter", at_first), Seat("sse", at_first, "s"), Seat("ws", at_first, "w")]
        seats.append(Seat("other", at_second))
        ids: dict[str, str] = {}
        watching = asyncio.ensure_future(
            watch_from(
                seats,
                plans,
                seed=SEED,
                on_start=lambda plan, stream_id: ids.update({plan.key: stream_id}),
            )
        )
        async with (
            service.visitor(first.port).socket("?follow=none") as socket,
            service.visitor(first.port).socket("?follow=none") as idle,
        ):
            await cluster.reached(ids.values(), 15, count=len(plans))
            stopping = Stopping(first)
            cluster.release(short)
            await assert_starts_are_refused(service, first.port)
            await socket.send(type="start", ref="x", block_type="ask-question", prompt="no plan")
            refused = await socket.receive()
            assert (refused["type"], refused["code"]) == ("refused", "shutting_down")
            assert refused["retry_after_ms"] >= 1000
            # New viewers are first served as usual, then told to reconnect, then refused.
            outcomes = await knock(service, first.port, ids[long[0].key])
            assert outcomes[0] == "reconnect", outcomes
            assert set(outcomes) <= {"reconnect", "http 503", "lost"}, outcomes
            assert await idle.until_closed() == 1012
            assert idle.frames[-1]["type"] == "reconnect"
        seconds = await stopping.seconds()
        assert DRAIN_SECONDS <= seconds <= WITHIN_SECONDS
        first.assert_nothing_broke()
        cluster.take_out(first)
        cluster.release(long)
        at_first.ports[:] = service.ports[:] = [second.port]
        histories = await watching
        await add_truth(service, histories, cluster.upstream)
        for history in histories[25:]:
            history.recoveries = 1
        give_verdict(histories, seed=SEED, folder=tmp_path)

    assert {end["type"] for end in ends_of(histories)} == {"complete"}
    assert set(cluster.recoveries(ids.values())) == {0}  # handed over, not found dead
    for history in histories[:25]:
        assert history.calls == 1
        for viewing in history.viewings:
            assert viewing.ways == ["terminal"]
    for history in histories[25:]:
        assert history.calls == 2
        *at_that, other = history.viewings
        assert other.ways == ["terminal"]
        for viewing in at_that:
            told = connections_at(viewing, first.port)
            assert told[0] == "reconnect", (viewing.name, told)
            assert set(told) <= {"reconnect", "refused", "http 503"}
            assert connections_at(viewing, second.port)[-1] == "terminal"
        assert not any(e["type"] in ("reset", "snapshot") for e in history.log or [])


async def test_who_waits_for_an_answer_repeats_the_question_in_the_other_process(
    cluster: Cluster,
) -> None:
    """The end of the drain cuts the wait short, and no answer is lost or paid twice."""
    plan = Plan("awaited", tokens=20, hold=1, after=10)
    first, second = cluster.web
    async with cluster.visited() as service:
        path = "/api/stream/ai-block/ask-question?wait=1"
        question = {"prompt": plan.prompt, "request_id": str(uuid.uuid4())}
        waiting = asyncio.ensure_future(
            service.visitor(first.port).open(
                path, method="POST", data=question, headers={"Accept": "application/json"}
            )
        )
        await eventually(lambda: cluster.upstream.stats_of(plan.key).calls == 1)
        stopping = Stopping(first)
        async with await waiting as client:
            problem = await client.json()
        assert (client.status, problem["code"]) == (503, "shutting_down")
        assert client.headers["content-type"] == "application/problem+json"
        assert int(client.headers["retry-after"]) >= 1
        assert DRAIN_SECONDS <= await stopping.seconds() <= WITHIN_SECONDS
        first.assert_nothing_broke()
        cluster.take_out(first)
        cluster.release([plan])
        status, stream = await service.visitor(second.port).call("POST", path, question)
        assert (status, stream["status"], stream["text"]) == (200, "complete", plan.text)
    assert cluster.recoveries([stream["stream_id"]]) == [0]
