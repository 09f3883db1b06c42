"""`kill -9` of one of two web processes: the other takes over its streams, for all viewers."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.faults.audience import Seat, assert_told_in_time, ends_of, watch_from
from tests.support.faults.client import Service
from tests.support.faults.cluster import QUICKLY_GONE_SECONDS, Cluster, running_cluster
from tests.support.faults.drive import add_truth, give_verdict
from tests.support.faults.history import StreamHistory
from tests.support.faults.plan import Plan

SEED = 20_262
HELD = {"every_ms": 40, "hold": 1}
"""However slow the machine is, no answer ends before the process dies."""

FAILS = "explain-eli10"
"""A block that is set to fail instead of restarting on another process."""


def let_one_block_fail(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE blocks_blocktype SET on_generator_lost = 'fail' WHERE slug = ?", [FAILS]
        )


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("killed")
    with running_cluster(folder, prepare=let_one_block_fail, is_quick=True) as cluster:
        yield cluster


@pytest.fixture
def cluster(two_processes: Cluster) -> Cluster:
    two_processes.ensure(web=2)
    return two_processes


class Scene:
    """Streams of the first process, watched on both processes over both transports."""

    def __init__(self, cluster: Cluster, service: Service) -> None:
        self.cluster = cluster
        self.first, self.second = cluster.web
        self.at_first = Service([self.first.port], service.cookies)
        self.at_second = Service([self.second.port], service.cookies)
        self.service = service
        self.started: dict[str, str] = {}  # key → stream
        self.lasts: dict[str, int] = {}  # stream → last seq of its log when the process died
        self.killed_at = 0.0

    def seats(self, transports: str) -> list[Seat]:
        return [
            Seat("starter", self.at_first, transports),
            Seat("beside", self.at_first),
            Seat("other-sse", self.at_second, "s"),
            Seat("other-websocket", self.at_second, "w"),
        ]

    def watch(
        self, plans: list[Plan], *, block: str = "ask-question", seats: list[Seat] | None = None
    ) -> asyncio.Task[list[StreamHistory]]:
        """Start half of them over each transport."""

        def tell(plan: Plan, stream_id: str) -> None:
            self.started[plan.key] = stream_id

        async def both() -> list[StreamHistory]:
            halves = [
                watch_from(
                    seats or self.seats(transport),
                    plans[begin::2],
                    seed=SEED,
                    block=block,
                    on_start=tell,
                )
                for begin, transport in enumerate("sw")
            ]
            return [history for half in await asyncio.gather(*halves) for history in half]

        return asyncio.ensure_future(both())

    def kill_first(self, plans: list[Plan]) -> None:
        assert len(self.cluster.unended()) == len(plans)
        self.killed_at = self.cluster.kill(self.first)
        self.at_first.ports[:] = self.service.ports[:] = [self.second.port]
        self.lasts = {id: self.cluster.last_of(id) for id in self.started.values()}
        self.cluster.release(plans)

    def assert_told_in_time(self, histories: list[StreamHistory]) -> None:
        assert_told_in_time(
            histories, self.lasts, since=self.killed_at, within_seconds=QUICKLY_GONE_SECONDS
        )

    def recoveries(self) -> set[int]:
        return set(self.cluster.recoveries(self.started.values()))

    async def judge(self, histories: list[StreamHistory], folder: Path, *, recoveries: int) -> None:
        for history in histories:
            history.recoveries = recoveries
        await add_truth(self.service, histories, self.cluster.upstream)
        give_verdict(histories, seed=SEED, folder=folder)


async def test_text_goes_on_from_its_last_word_for_the_viewers_of_both_processes(
    cluster: Cluster, tmp_path: Path
) -> None:
    rng = random.Random(SEED)
    plans = [
        Plan(f"text-{n}", tokens=rng.randrange(70, 120), after=50, seed=n, **HELD)
        for n in range(20)
    ]
    async with cluster.visited() as service:
        scene = Scene(cluster, service)
        watching = scene.watch(plans)
        await cluster.reached(scene.started.values(), 20, count=len(plans))
        scene.kill_first(plans)
        histories = await watching
        await scene.judge(histories, tmp_path, recoveries=1)

    assert {end["type"] for end in ends_of(histories)} == {"complete"}
    assert scene.recoveries() == {1}
    assert_told_in_time(
        histories, scene.lasts, since=scene.killed_at, within_seconds=QUICKLY_GONE_SECONDS
    )
    for plan in plans:
        stats = cluster.upstream.stats_of(plan.key)
        assert stats.calls == 2 and stats.strangers == 0, stats
        assert len(stats.continued_at) == 1
    for history in histories:
        starter, beside, *others = history.viewings
        for viewing in (starter, beside):  # these had to reconnect
            assert {c.port for c in viewing.connections} == {scene.first.port, scene.second.port}
        for viewing in others:  # these were not even disturbed
            assert [c.ended_by for c in viewing.connections] == ["terminal"]
        assert not any(e["type"] in ("reset", "snapshot") for e in history.log or [])


async def test_quizzes_start_again_and_say_so(cluster: Cluster, tmp_path: Path) -> None:
    plans = [Plan(f"quiz-{n}", quiz=3, after=40, seed=n, **HELD) for n in range(4)]
    async with cluster.visited() as service:
        scene = Scene(cluster, service)
        watching = scene.watch(plans, block="quiz")
        await cluster.reached(scene.started.values(), 10, count=len(plans))
        scene.kill_first(plans)
        histories = await watching
        await scene.judge(histories, tmp_path, recoveries=1)

    assert scene.recoveries() == {1}
    assert_told_in_time(
        histories, scene.lasts, since=scene.killed_at, within_seconds=QUICKLY_GONE_SECONDS
    )
    for plan, history in zip(plans[::2] + plans[1::2], histories, strict=True):
        stats = cluster.upstream.stats_of(plan.key)
        assert stats.calls == 2 and stats.continued_at == []
        (reset,) = [e for e in history.log or [] if e["type"] == "reset"]
        assert reset["reason"] == "recovered"
        assert reset["seq"] == scene.lasts[history.stream_id] + 1
        end = (history.log or [])[-1]
        assert end["type"] == "complete" and len(end["result"]["questions"]) == 3


async def test_what_may_not_be_generated_again_ends_as_lost_with_its_text(
    cluster: Cluster, tmp_path: Path
) -> None:
    unwilling = [Plan(f"unwilling-{n}", tokens=0, every_ms=40, seed=n) for n in range(4)]
    used_up = [Plan(f"used-up-{n}", tokens=0, every_ms=40, seed=n) for n in range(4)]
    async with cluster.visited() as service:
        scene = Scene(cluster, service)
        watching = [scene.watch(unwilling, block=FAILS), scene.watch(used_up)]
        await cluster.reached(scene.started.values(), 10, count=8)
        plans = unwilling + used_up
        for plan in used_up:  # as if three generators had already died
            cluster.change(
                "UPDATE streaming_stream SET recoveries = 3 WHERE id = ?", scene.started[plan.key]
            )
        scene.kill_first(plans)
        histories = [history for task in watching for history in await task]
        await scene.judge(histories, tmp_path, recoveries=0)

    assert_told_in_time(
        histories, scene.lasts, since=scene.killed_at, within_seconds=QUICKLY_GONE_SECONDS
    )
    for end, history in zip(ends_of(histories), histories, strict=True):
        assert (end["type"], end["code"], end["retryable"]) == ("error", "generator_lost", True)
        assert end["seq"] == scene.lasts[history.stream_id] + 1
        assert history.row is not None and history.row["text"]


async def test_the_death_of_a_process_that_only_serves_viewers_changes_nothing_for_the_others(
    cluster: Cluster, tmp_path: Path
) -> None:
    plans = [Plan(f"watched-{n}", tokens=80, after=50, seed=n, **HELD) for n in range(8)]
    async with cluster.visited() as service:
        scene = Scene(cluster, service)
        seats = [
            Seat("starter", scene.at_second),
            Seat("sse", scene.at_first, "s"),
            Seat("websocket", scene.at_first, "w"),
        ]
        watching = scene.watch(plans, seats=seats)
        await cluster.reached(scene.started.values(), 20, count=len(plans))
        scene.kill_first(plans)
        histories = await watching
        await scene.judge(histories, tmp_path, recoveries=0)

    assert scene.recoveries() == {0}
    assert {end["type"] for end in ends_of(histories)} == {"complete"}
    for history in histories:
        starter, *killed = history.viewings
        assert [c.ended_by for c in starter.connections] == ["terminal"]
        for viewing in killed:
            assert viewing.connections[0].ended_by == "lost"
            assert {c.port for c in viewing.connections} == {scene.first.port, scene.second.port}
