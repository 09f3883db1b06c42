"""Streams of two processes, each with viewers on the process that generates it and on the other.

    watching = await watch_on_both(service, upstream, plans, seed=seed)
    await watching.until_all_have(5)
    ... a fault ...
    await watching.judge(tmp_path)

Each viewer's connections are recorded while they run; no viewer drops a connection on purpose.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.faults.client import Service, Start, start_of, watch_to_the_end
from tests.support.faults.drive import add_truth, give_verdict
from tests.support.faults.history import TERMINAL, Event, StreamHistory, Viewing
from tests.support.faults.plan import Plan
from tests.support.faults.upstream_server import UpstreamServer
from tests.support.servers.harness import BUSY_SECONDS, eventually
from tests.support.servers.visitor import Socket, Visitor

REFUSED_SECONDS = 2.0 + BUSY_SECONDS
"""Limit for refusing a start that can't be made."""

BACK_SECONDS = 5.0 + BUSY_SECONDS
"""Limit for resuming after an unreachable service has returned."""

IN_FLIGHT_SECONDS = 1.5
"""Events published just before an outage may reach a viewer this much later."""


@dataclass
class Watched:
    """One stream; `home` is the port of the process that generates it."""

    plan: Plan
    home: int
    start: Start
    stream_id: str = ""
    at_home: list[Viewing] = field(default_factory=list)
    away: list[Viewing] = field(default_factory=list)

    @property
    def viewings(self) -> list[Viewing]:
        return [*self.at_home, *self.away]


class Watching:
    """The streams and viewers of one test, created by `watch_on_both`. For one event loop."""

    def __init__(self, service: Service, upstream: UpstreamServer, *, seed: int) -> None:
        self.service = service
        self.upstream = upstream
        self.seed = seed
        self.streams: list[Watched] = []
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def viewings(self) -> list[Viewing]:
        return [viewing for stream in self.streams for viewing in stream.viewings]

    def begin(self, plans: Iterable[Plan], *, deadline_seconds: float) -> None:
        """Start a stream for each plan, alternating between processes and between transports.

        Each stream gets a viewer over each transport on each process.
        """
        for number, plan in enumerate(plans):
            ports = self.service.ports
            start = start_of(plan.prompt, random.Random(f"{self.seed}/{plan.key}"))
            stream = Watched(plan, ports[number % len(ports)], start)
            self.streams.append(stream)
            starter = "sw"[number // len(ports) % 2]
            work = self._watch_all(stream, starter, deadline_seconds)
            self._tasks.append(asyncio.get_running_loop().create_task(work))

    async def _watch_all(self, stream: Watched, starter: str, deadline_seconds: float) -> None:
        known = asyncio.Event()

        async def watch(port: int, transport: str, *, starts: bool = False) -> None:
            is_home = port == stream.home
            name = f"{stream.plan.key}/{'home' if is_home else 'away'}/{transport}"
            viewing = Viewing(name)
            (stream.at_home if is_home else stream.away).append(viewing)
            if not starts:
                await known.wait()

            def tell(stream_id: str) -> None:
                stream.stream_id = stream_id
                known.set()

            await watch_to_the_end(
                Service([port], self.service.cookies),
                stream.start if starts else None,
                stream_id="" if starts else stream.stream_id,
                rng=random.Random(f"{self.seed}/{name}"),
                transports=transport,
                deadline_seconds=deadline_seconds,
                on_start=tell if starts else None,
                viewing=viewing,
            )

        async with asyncio.TaskGroup() as group:
            for port in self.service.ports:
                for transport in "sw":
                    starts = port == stream.home and transport == starter
                    group.create_task(watch(port, transport, starts=starts))

    async def until_all_have(self, chunks: int) -> None:
        """Wait until every viewer has received this many chunks, perhaps merged into fewer."""
        await eventually(lambda: all(seq_of(viewing) >= chunks - 1 for viewing in self.viewings))

    async def ended(self) -> None:
        """Wait until every viewer is done or has reached its deadline."""
        await asyncio.gather(*self._tasks)

    async def judge(
        self, folder: Path, *, ends: Iterable[str] = ("complete",), recovered: Collection[str] = ()
    ) -> None:
        """Wait for all ends, then check everything that must hold after any fault.

        Args:
            ends: the allowed types of terminal events.
            recovered: ids of the streams that another process took over.

        Raises:
            AssertionError: a breach; the message contains the seed.
        """
        await self.ended()
        histories = [
            StreamHistory(
                stream_id=stream.stream_id,
                viewings=stream.viewings,
                request_id=stream.start.request_id,
                prompt=stream.start.prompt,
                expected_text=stream.plan.text,
                recoveries=int(stream.stream_id in recovered),
            )
            for stream in self.streams
        ]
        await add_truth(self.service, histories, self.upstream)
        give_verdict(histories, seed=self.seed, folder=folder)
        allowed = set(ends)
        found = {event["type"] for viewing in self.viewings for event in _ends_of(viewing)}
        assert found <= allowed, found
        await self.nothing_is_left()

    async def nothing_is_left(self) -> None:
        """Assert that no row is still running and that no upstream call is open."""
        for status in ("queued", "running"):
            path = f"/api/streams?status={status}&limit=100"
            answer = await self.service.visitor().call("GET", path)
            assert answer == (200, {"results": [], "next": None}), answer
        await asyncio.to_thread(self.upstream.wait_until_closed)

    # --- assertions about an outage ---------------------------------------------

    def assert_no_connection_ended(self) -> None:
        """Assert that each viewer saw everything, to the end, on one connection."""
        for viewing in self.viewings:
            ways = [(c.ended_by, round(c.ended_at - c.began_at, 1)) for c in viewing.connections]
            assert viewing.ways == ["terminal"], (viewing.name, ways)

    def assert_nothing_was_shown(self, begin: float, end: float) -> None:
        """Assert that no viewer received a logged event or a snapshot between two times.

        The check allows for events of active streams that were already on their way.
        """
        shown = [
            (viewing.name, round(at - begin, 2), event)
            for stream in self.streams
            for viewing in stream.viewings
            for at, event in timed(viewing)
            if "seq" in event and begin + (0 if stream.plan.hold else IN_FLIGHT_SECONDS) < at < end
        ]
        assert not shown, shown[:5]

    def assert_went_on(self, begin: float, *, within: float = BACK_SECONDS) -> None:
        """Assert that every viewer still waiting for the end received more, soon after a time."""
        late = []
        for viewing in self.viewings:
            times = [at for at, event in timed(viewing) if "seq" in event]
            following = [at for at in times if at >= begin]
            if following and following[0] - begin > within:
                late.append((viewing.name, round(following[0] - begin, 2)))
        assert not late, late[:5]
        assert self.count_since(begin), "no viewer was still waiting"

    def assert_paused(self, begin: float, end: float) -> None:
        """Assert that an outage delayed events, and that half of the viewers waited for them."""
        self.assert_nothing_was_shown(begin, end)
        self.assert_went_on(end)
        assert self.count_since(end) >= len(self.viewings) / 2
        self.assert_no_connection_ended()

    def count_since(self, begin: float) -> int:
        """Count the viewers that received a logged event since a time."""
        return sum(
            any("seq" in event and at >= begin for at, event in timed(viewing))
            for viewing in self.viewings
        )

    def assert_no_snapshots(self, *, at_most_away: int = 0) -> None:
        """Limit the snapshots: none at the generating process, at most this many at the other."""
        for stream in self.streams:
            for viewing in stream.at_home:
                assert count_of(viewing, "snapshot") == 0, viewing.name
            for viewing in stream.away:
                assert count_of(viewing, "snapshot") <= at_most_away, viewing.name


async def watch_on_both(
    service: Service,
    upstream: UpstreamServer,
    plans: Iterable[Plan],
    *,
    seed: int,
    deadline_seconds: float = 90.0,
) -> Watching:
    """Start a stream for each plan, see `Watching.begin`; returns once every viewer watches."""
    print(f"seed {seed}")
    watching = Watching(service, upstream, seed=seed)
    watching.begin(plans, deadline_seconds=deadline_seconds)
    viewers = len(watching.streams) * len(service.ports) * 2
    await eventually(
        lambda: (
            len(watching.viewings) == viewers
            and all(viewing.events for viewing in watching.viewings)
        )
    )
    return watching


def timed(viewing: Viewing) -> list[tuple[float, Event]]:
    return [
        pair
        for connection in viewing.connections
        for pair in zip(connection.times, connection.events, strict=True)
    ]


def seq_of(viewing: Viewing) -> int:
    """Return the newest seq that a viewer holds; -1 for none."""
    return max((event["seq"] for event in viewing.events if "seq" in event), default=-1)


def count_of(viewing: Viewing, kind: str) -> int:
    return sum(event["type"] == kind for event in viewing.events)


def _ends_of(viewing: Viewing) -> list[Event]:
    return [event for event in viewing.events if event["type"] in TERMINAL]


# --- starts that can't be made --------------------------------------------------


async def assert_start_is_refused(visitor: Visitor, *, within: float = REFUSED_SECONDS) -> None:
    """Assert that GET, POST and JSON each return a problem in time, with a retry delay."""
    path = "/api/stream/ai-block/ask-question"
    ask: dict[str, Callable[[], Any]] = {
        "get": lambda: visitor.open(f"{path}?prompt=no"),
        "post": lambda: visitor.open(path, method="POST", data={"prompt": "no"}),
        "json": lambda: visitor.open(
            path, method="POST", data={"prompt": "no"}, headers={"Accept": "application/json"}
        ),
    }

    async def one(name: str) -> None:
        begun = time.monotonic()
        async with await ask[name]() as client:
            seconds = time.monotonic() - begun
            assert client.status == 503, (name, client.status)
            assert client.headers["content-type"] == "application/problem+json"
            assert int(client.headers["retry-after"]) >= 1
            await client.until(lambda c: b"}" in c.body)
            assert b'"code": "store_unavailable"' in client.body, client.body
        assert seconds < within, (name, seconds)

    await asyncio.gather(*map(one, ask))


async def assert_start_is_refused_by_socket(visitor: Visitor) -> None:
    """Assert that a new socket opens, answers a start with `refused` in time, and stays open."""
    begun = time.monotonic()
    async with visitor.socket("?follow=none") as socket:
        assert time.monotonic() - begun < REFUSED_SECONDS
        await assert_start_is_refused_on(socket)


async def assert_start_is_refused_on(socket: Socket, *, within: float = REFUSED_SECONDS) -> None:
    begun = time.monotonic()
    await socket.send(type="start", ref="no", block_type="ask-question", prompt="no")
    answer = await socket.until(lambda frame: frame.get("ref") == "no")
    seconds = time.monotonic() - begun
    assert (answer["type"], answer["code"]) == ("refused", "store_unavailable"), answer
    assert answer["retry_after_ms"] >= 1000
    assert seconds < within, seconds
    await socket.send(type="ping")
    assert (await socket.until(lambda frame: True))["type"] == "pong"
