"""A crowd of streams on two processes: dropped connections, both transports, cancels by others.

    outcome = await send_crowd(service, upstream, streams=500, seed=seed, over_seconds=60)
    give_verdict(outcome.histories, seed=seed, folder=tmp_path)

Each stream has a viewer that repeatedly drops its connection. A tenth of the streams start at one
process, and another client cancels them at the other process. Each of those has two more viewers,
one at each process, that stay connected.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.faults.audience import Seat, watch_from
from tests.support.faults.client import Service
from tests.support.faults.drive import add_truth, drive
from tests.support.faults.history import StreamHistory
from tests.support.faults.plan import Plan
from tests.support.faults.resume import resume_seconds
from tests.support.faults.upstream_server import UpstreamServer

DROPS = 3
CANCELLED_OF = 10
"""One of this many streams is cancelled."""

RESUME_P99_SECONDS = 2.0
CANCEL_P99_SECONDS = 1.0

_EVERY_MS = 70.0
_TOKENS = (16, 28)  # a stream takes a second or two, so it runs during its viewer's drops


@dataclass(frozen=True)
class Outcome:
    """The results of a crowd.

    `cancel_seconds` are from the cancel call to the end seen by a viewer that stayed connected.
    """

    ordinary: list[StreamHistory]
    cancelled: list[StreamHistory]
    cancel_seconds: list[float]

    @property
    def histories(self) -> list[StreamHistory]:
        return [*self.ordinary, *self.cancelled]

    @property
    def resume_seconds(self) -> list[float]:
        return [seconds for history in self.histories for seconds in resume_seconds(history)]

    def shortfalls(self) -> list[str]:
        """Describe deviations from the planned crowd: another end, or too few drops."""
        found = []
        for kind, histories in (("complete", self.ordinary), ("cancelled", self.cancelled)):
            for history in histories:
                end = history.log[-1] if history.log else {}
                if end.get("type") != kind:
                    found.append(f"{history.prompt}: {end or 'no end'}, and not {kind}")
                losing = history.viewings[-1]
                if losing.drops < DROPS:
                    found.append(f"{losing.name}: {losing.drops} lost lines, and not {DROPS}")
        return found


async def send_crowd(
    service: Service,
    upstream: UpstreamServer,
    *,
    streams: int,
    seed: int,
    over_seconds: float,
    at_once: int = 16,
    name: str = "crowd",
    deadline_seconds: float = 60.0,
) -> Outcome:
    """Start streams at an even rate and watch each to its end; then read the truth.

    Args:
        service: of two processes.
        at_once: streams watched at the same time. On a slow machine the others wait, so that the
            figures measure the service and not a queue in front of it.
        name: prefix of the plans' keys.
        deadline_seconds: of each stream.
    """
    rng = random.Random(f"{seed}/{name}")
    turns = asyncio.Semaphore(at_once)
    ordinary: list[StreamHistory] = []
    cancelled: list[StreamHistory] = []
    cancel_seconds: list[float] = []

    async def one(number: int, tokens: int) -> None:
        await asyncio.sleep(over_seconds * number / streams)
        async with turns:
            if number % CANCELLED_OF:
                plan = Plan(f"{name}-{number}", tokens=tokens, every_ms=_EVERY_MS, seed=number)
                ordinary.extend(
                    await drive(
                        service, [plan], seed=seed, drops=DROPS, deadline_seconds=deadline_seconds
                    )
                )
            else:
                # Far too long to end before the cancel.
                plan = Plan(f"{name}-{number}", tokens=1000, every_ms=_EVERY_MS, seed=number)
                home = number // CANCELLED_OF % 2
                history, waited = await _cancelled(service, plan, home, seed, deadline_seconds)
                cancelled.append(history)
                cancel_seconds.extend(waited)

    await asyncio.gather(*(one(number, rng.randint(*_TOKENS)) for number in range(streams)))
    outcome = Outcome(ordinary, cancelled, cancel_seconds)
    await add_truth(service, outcome.histories, upstream)
    return outcome


async def _cancelled(
    service: Service, plan: Plan, home: int, seed: int, deadline_seconds: float
) -> tuple[StreamHistory, list[float]]:
    """Run one stream and cancel it; return its history and its viewers' waits for the end."""
    at_home, away = (
        Service([service.ports[number]], service.cookies) for number in (home, 1 - home)
    )
    known: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def cancel() -> float:
        stream_id = await known
        await asyncio.sleep(random.Random(f"{seed}/{plan.key}/cancel").uniform(0.5, 1.5))
        asked_at = time.monotonic()  # the loop uses the same clock
        status, stream = await away.visitor().call("POST", f"/api/streams/{stream_id}/cancel")
        assert (status, stream["status"]) == (200, "cancelled"), stream
        return asked_at

    watching = watch_from(
        [
            Seat("at-home", at_home),
            Seat("away", away),
            Seat("losing", service, drops=DROPS),
        ],
        [plan],
        seed=seed,
        deadline_seconds=deadline_seconds,
        on_start=lambda _, stream_id: known.set_result(stream_id),
    )
    (history,), asked_at = await asyncio.gather(watching, cancel())
    waited = [
        connection.times[-1] - asked_at
        for viewing in history.viewings
        for connection in viewing.connections
        if connection.ended_by == "terminal" and connection.times[0] <= asked_at
    ]
    return history, waited


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least this percentage of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
