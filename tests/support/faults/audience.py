"""Streams that several seats watch: each seat has its own transports and processes.

    histories = await watch_from([Seat("a", at_a), Seat("b", at_b, "w")], plans, seed=seed)

The first seat starts a stream; the others attach to it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.faults.client import Service, start_of, watch_to_the_end
from tests.support.faults.history import Event, StreamHistory, Viewing
from tests.support.faults.plan import Plan


@dataclass(frozen=True)
class Seat:
    name: str
    service: Service  # this seat connects to its `ports`, which may change meanwhile
    transports: str = "sw"
    drops: int = 0


async def watch_from(
    seats: Sequence[Seat],
    plans: Iterable[Plan],
    *,
    seed: int,
    block: str = "ask-question",
    deadline_seconds: float = 60.0,
    on_start: Callable[[Plan, str], None] | None = None,
    on_viewing: Callable[[Viewing], None] | None = None,
    **options: Any,
) -> list[StreamHistory]:
    """Start a stream for each plan at the same time, and watch each from all seats to its end.

    Args:
        on_start: called once with a plan and the id of its stream.
        on_viewing: called with each viewing before its first connection.
        options: of the block.

    Returns:
        Histories in the order of the plans, without `log`, `row` and `calls`: see `add_truth`.
    """

    async def one(plan: Plan) -> StreamHistory:
        start = start_of(plan.prompt, random.Random(f"{seed}/{plan.key}"), block, **options)
        known: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def tell(stream_id: str) -> None:
            known.set_result(stream_id)
            if on_start is not None:
                on_start(plan, stream_id)

        async def take(number: int, seat: Seat) -> Viewing:
            viewing = Viewing(f"{plan.key}/{seat.name}")
            if on_viewing is not None:
                on_viewing(viewing)
            return await watch_to_the_end(
                seat.service,
                start if number == 0 else None,
                stream_id="" if number == 0 else await known,
                rng=random.Random(f"{seed}/{plan.key}/{number}"),
                viewing=viewing,
                transports=seat.transports,
                drops=seat.drops,
                deadline_seconds=deadline_seconds,
                on_start=tell if number == 0 else None,
            )

        async with asyncio.timeout(deadline_seconds + 10):
            viewings = await asyncio.gather(*(take(n, seat) for n, seat in enumerate(seats)))
        return StreamHistory(
            stream_id=known.result(),
            viewings=viewings,
            request_id=start.request_id,
            prompt=start.prompt,
            expected_text=plan.text if plan.size and not plan.quiz else None,
        )

    return await asyncio.gather(*(one(plan) for plan in plans))


def ends_of(histories: Iterable[StreamHistory]) -> list[Event]:
    """Return the terminal event of each stream, from its log."""
    ends = []
    for history in histories:
        assert history.log, history.stream_id
        ends.append(history.log[-1])
    return ends


def assert_told_in_time(
    histories: Iterable[StreamHistory],
    lasts: Mapping[str, int],
    *,
    since: float,
    within_seconds: float,
) -> None:
    """Assert that each viewer received a new event or its end soon after a moment.

    Args:
        lasts: the newest seq of each stream's log at that moment.
        since: that moment.
    """
    for history in histories:
        for viewing in history.viewings:
            times = [
                at - since
                for connection in viewing.connections
                for event, at in zip(connection.events, connection.times, strict=True)
                if event.get("seq", -1) > lasts[history.stream_id]
            ]
            assert times, f"{viewing.name} had nothing new"
            assert min(times) <= within_seconds, f"{viewing.name}: {min(times):.1f} s"
