"""Upstream failures become one truthful end, the same for viewers of both processes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.faults.audience import Seat, ends_of, watch_from
from tests.support.faults.client import Service
from tests.support.faults.cluster import Cluster, running_cluster
from tests.support.faults.drive import add_truth, give_verdict
from tests.support.faults.history import StreamHistory
from tests.support.faults.plan import Plan

SEED = 20_267
RETRIES = 1
MAX_EVENTS = 400
PATIENCE = {
    "AI_FIRST_TOKEN_SECONDS": "1",
    "AI_IDLE_SECONDS": "1",
    "AI_RETRIES": str(RETRIES),
    "STREAM_MAX_EVENTS": str(MAX_EVENTS),
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("upstream")
    with running_cluster(folder, environment=PATIENCE) as cluster:
        yield cluster


async def run(
    cluster: Cluster,
    service: Service,
    plan: Plan,
    folder: Path,
    *,
    retries: int = RETRIES,
    block: str = "ask-question",
    on_start: Any = None,
) -> StreamHistory:
    """Start it at the first process, watch it at both over both transports, and check it."""
    seats = [
        Seat(f"{number}-{transport}", Service([port], service.cookies), transport)
        for number, port in enumerate(cluster.ports)
        for transport in "sw"
    ]
    (history,) = await watch_from(seats, [plan], seed=SEED, block=block, on_start=on_start)
    history.retries = retries
    await add_truth(service, [history], cluster.upstream)
    give_verdict([history], seed=SEED, folder=folder)
    for viewing in history.viewings:
        assert viewing.ways == ["terminal"], viewing.name
    return history


BEFORE_THE_FIRST_TOKEN = {
    "429": "provider_rate_limited",
    "500": "provider_unavailable",
    "cut": "provider_interrupted",
    "reset": "provider_interrupted",
}


@pytest.mark.parametrize("fault", BEFORE_THE_FIRST_TOKEN)
async def test_a_trouble_that_stays_ends_the_stream_after_its_retries(
    cluster: Cluster, tmp_path: Path, fault: str
) -> None:
    async with cluster.visited() as service:
        plan = Plan(f"stays-{fault}", fault=fault, after=0, retry_after=1)
        history = await run(cluster, service, plan, tmp_path)
    (end,) = ends_of([history])
    expected = ("error", BEFORE_THE_FIRST_TOKEN[fault], True)
    assert (end["type"], end["code"], end["retryable"]) == expected
    assert history.row is not None and history.row["text"] == ""
    assert history.calls == 1 + RETRIES


@pytest.mark.parametrize("fault", BEFORE_THE_FIRST_TOKEN)
async def test_a_trouble_that_passes_before_the_first_token_is_not_seen(
    cluster: Cluster, tmp_path: Path, fault: str
) -> None:
    async with cluster.visited() as service:
        plan = Plan(f"passes-{fault}", fault=fault, after=0, times=1, retry_after=1)
        history = await run(cluster, service, plan, tmp_path)
    (end,) = ends_of([history])
    assert (end["type"], end["finish_reason"]) == ("complete", "stop")
    assert history.calls == 2


async def test_a_service_that_stays_silent_is_not_asked_again(
    cluster: Cluster, tmp_path: Path
) -> None:
    async with cluster.visited() as service:
        plan = Plan("silent", fault="silent")
        history = await run(cluster, service, plan, tmp_path, retries=0)
        stats = cluster.upstream.stats_of(plan.key)
    (end,) = ends_of([history])
    assert (end["type"], end["code"], end["retryable"]) == ("error", "provider_timeout", True)
    assert (stats.calls, stats.closed_early) == (1, 1)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("cut", "provider_interrupted"),
        ("reset", "provider_interrupted"),
        ("malformed", "provider_malformed"),
        ("stall", "provider_timeout"),
    ],
)
async def test_a_trouble_in_mid_answer_keeps_what_came_and_calls_nobody_again(
    cluster: Cluster, tmp_path: Path, fault: str, code: str
) -> None:
    async with cluster.visited() as service:
        plan = Plan(f"mid-{fault}", tokens=30, fault=fault, after=12)
        history = await run(cluster, service, plan, tmp_path, retries=0)
    (end,) = ends_of([history])
    assert (end["type"], end["code"], end["retryable"]) == ("error", code, True)
    assert history.row is not None
    assert history.row["text"] == "".join(map(plan.token, range(12)))
    assert history.calls == 1


@pytest.mark.parametrize(
    ("fault", "code"), [("401", "provider_rejected"), ("empty", "empty_answer")]
)
async def test_an_answer_that_never_comes_is_told_as_what_it_is(
    cluster: Cluster, tmp_path: Path, fault: str, code: str
) -> None:
    async with cluster.visited() as service:
        history = await run(cluster, service, Plan(f"no-{fault}", fault=fault), tmp_path)
    (end,) = ends_of([history])
    assert (end["type"], end["code"]) == ("error", code)


async def test_a_quiz_that_is_cut_keeps_its_whole_questions_alone(
    cluster: Cluster, tmp_path: Path
) -> None:
    async with cluster.visited() as service:
        plan = Plan("quiz-cut", quiz=3, fault="cut", after=55)
        history = await run(cluster, service, plan, tmp_path, retries=0, block="quiz")
    (end,) = ends_of([history])
    assert (end["type"], end["code"]) == ("error", "provider_interrupted")
    assert history.row is not None
    paths = [item["path"] for item in history.row["items"]]
    assert paths[:2] == ["/title", "/questions/0"] and len(paths) < 4


async def test_an_endless_answer_ends_at_the_number_of_events_that_a_stream_may_have(
    cluster: Cluster, tmp_path: Path
) -> None:
    async with cluster.visited() as service:
        plan = Plan("endless", tokens=0, every_ms=1)
        history = await run(cluster, service, plan, tmp_path, retries=0)
        stats = cluster.upstream.stats_of(plan.key)
    (end,) = ends_of([history])
    assert (end["type"], end["code"]) == ("error", "output_too_long")
    assert end["seq"] == MAX_EVENTS - 1
    assert history.row is not None
    assert history.row["text"] == "".join(map(plan.token, range(MAX_EVENTS - 1)))
    assert (stats.calls, stats.closed_early) == (1, 1)


async def test_an_endless_answer_ends_when_it_is_cancelled_at_the_other_process(
    cluster: Cluster, tmp_path: Path
) -> None:
    cancelling: list[asyncio.Task[Any]] = []
    async with cluster.visited() as service:

        async def cancel(stream_id: str) -> None:
            await cluster.reached([stream_id], 10)
            visitor = service.visitor(cluster.ports[1])
            status, _ = await visitor.call("POST", f"/api/streams/{stream_id}/cancel")
            assert status == 200

        def begin(plan: Plan, stream_id: str) -> None:
            cancelling.append(asyncio.ensure_future(cancel(stream_id)))

        plan = Plan("endless-cancelled", tokens=0, every_ms=20)
        history = await run(cluster, service, plan, tmp_path, retries=0, on_start=begin)
        await asyncio.gather(*cancelling)
        stats = cluster.upstream.stats_of(plan.key)
    (end,) = ends_of([history])
    assert (end["type"], end["by"]) == ("cancelled", "owner")
    assert history.row is not None and history.row["text"].startswith(plan.token(0))
    assert (stats.calls, stats.closed_early) == (1, 1)
