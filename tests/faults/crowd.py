"""A crowd of streams at two processes: lost lines, both transports, cancels from beside.

    outcome = await send_crowd(service, upstream, streams=500, seed=seed, over_seconds=60)
    give_verdict(outcome.histories, seed=seed, folder=tmp_path)

Each stream has a viewer who loses the line again and again. A tenth of the streams are started at
one process and cancelled at the other, by somebody else; each of those has two more viewers, one
at each process, who stay on the line.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.faults.audience import Seat, watch_from
from tests.faults.client import Service
from tests.faults.drive import add_truth, drive
from tests.faults.history import StreamHistory
from tests.faults.plan import Plan
from tests.faults.upstream_server import UpstreamServer

DROPS = 3
CANCELLED_OF = 10
"""One of so many streams is cancelled."""

RESUME_P99_SECONDS = 2.0
CANCEL_P99_SECONDS = 1.0

_EVERY_MS = 40.0


@dataclass(frozen=True)
class Outcome:
    """What became of it; `cancel_seconds` are from the call to the end that a viewer saw who was
    on the line all the while."""

    ordinary: list[StreamHistory]
    cancelled: list[StreamHistory]
    cancel_seconds: list[float]

    @property
    def histories(self) -> list[StreamHistory]:
        return [*self.ordinary, *self.cancelled]

    @property
    def resume_seconds(self) -> list[float]:
        return [
            seconds
            for history in self.histories
            for viewing in history.viewings
            for seconds in viewing.resume_seconds()
        ]


async def send_crowd(
    service: Service,
    upstream: UpstreamServer,
    *,
    streams: int,
    seed: int,
    over_seconds: float,
    name: str = "crowd",
    deadline_seconds: float = 60.0,
) -> Outcome:
    """Start so many streams, spread evenly, and watch each to its end; then read the truth.

    Args:
        service: of two processes.
        name: what the keys of the plans begin with.
        deadline_seconds: of each stream.
    """
    rng = random.Random(f"{seed}/{name}")
    few = streams // CANCELLED_OF
    plans = [
        Plan(f"{name}-{n}", tokens=rng.randrange(30, 70), every_ms=_EVERY_MS, seed=n)
        for n in range(streams - few)
    ]
    ordinary, cancelled = await asyncio.gather(
        drive(
            service,
            plans,
            seed=seed,
            drops=DROPS,
            over_seconds=over_seconds,
            deadline_seconds=deadline_seconds,
        ),
        asyncio.gather(
            *(
                _cancelled(
                    service,
                    # Far too long to end by itself.
                    Plan(f"{name}-cancelled-{n}", tokens=1000, every_ms=_EVERY_MS, seed=n),
                    home=n % 2,
                    after_seconds=over_seconds * (n + rng.random()) / few,
                    seed=seed,
                    deadline_seconds=deadline_seconds,
                )
                for n in range(few)
            )
        ),
    )
    outcome = Outcome(
        ordinary,
        [history for history, _ in cancelled],
        [seconds for _, found in cancelled for seconds in found],
    )
    await add_truth(service, outcome.histories, upstream)
    return outcome


async def _cancelled(
    service: Service,
    plan: Plan,
    *,
    home: int,
    after_seconds: float,
    seed: int,
    deadline_seconds: float,
) -> tuple[StreamHistory, list[float]]:
    """One stream that is cancelled, and what its viewers waited for the end."""
    await asyncio.sleep(after_seconds)
    at_home, away = (
        Service([service.ports[number]], service.cookies) for number in (home, 1 - home)
    )
    known: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def cancel() -> float:
        stream_id = await known
        await asyncio.sleep(random.Random(f"{seed}/{plan.key}/cancel").uniform(0.5, 2.0))
        asked_at = time.monotonic()  # as the loop's clock
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
    """The smallest value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
