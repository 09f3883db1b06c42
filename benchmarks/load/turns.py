"""Lets several sides take turns on one machine, so that its varying speed affects them equally.

The speed of machines with shared processors varies for seconds at a time, by more than the
differences to measure. Therefore the streams of all sides are open at once. A script's `turn_ms`
lets each side send for a moment while the others are silent, in rotation.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .client import Ask, Connection, Watched, connect

TURN_SECONDS = 0.8
"""Short enough that no stream of three sides is silent for two seconds.

After two silent seconds a process checks the stream's log (`CHECK_SECONDS` in `following.py`).
"""

GUARD_SECONDS = 0.3
"""The unmeasured beginning of a turn: the previous side finishes late work, and this one starts."""

OPEN_EVERY_SECONDS = 0.007  # not a divisor of the token interval, so tokens spread evenly


@dataclass(frozen=True)
class Schedule:
    """The order of the turns: from side 0 on, one turn for each side per period.

    Times refer to the system's monotonic clock.

    Args:
        sides: the number of sides.
    """

    sides: int

    @property
    def period_seconds(self) -> float:
        return self.sides * TURN_SECONDS

    def turn_ms(self, side: int) -> list[int]:
        """Return the turn in the format of a script."""
        turn = round(TURN_SECONDS * 1000)
        return [side * turn, (side + 1) * turn, self.sides * turn]

    def tokens(self, *, opening_seconds: float, turns: int, rate: float) -> int:
        """Return the tokens for each stream that keep all streams sending until the last turn ends.

        Args:
            opening_seconds: the most time from the first stream to the last one.
            turns: the number of turns measured after that.
            rate: tokens per second within a turn.
        """
        before = math.ceil(opening_seconds / self.period_seconds) + 2
        return (before + turns) * math.ceil(TURN_SECONDS * rate)

    def begins(self, now: float, *, turns: int) -> Iterator[tuple[int, float]]:
        """Yield each side and the start of its turn (seconds), from the first whole period on."""
        period = self.period_seconds
        first = (now // period + 1) * period
        for turn in range(turns):
            for side in range(self.sides):
                yield side, first + turn * period + side * TURN_SECONDS


@dataclass(frozen=True)
class Measured:
    """The use of one side in one turn, after the guard; times in ns, CPU in seconds."""

    window: tuple[int, int]
    cpu: Mapping[str, float]

    @property
    def seconds(self) -> float:
        return (self.window[1] - self.window[0]) / 1e9


@dataclass(frozen=True)
class Sampled:
    """One side: the data that its connections received, and its turns."""

    watched: list[Watched]
    turns: list[Measured]


async def sample(
    asks: Sequence[Callable[[int], Awaitable[Ask]]],
    cpus: Sequence[Callable[[], Mapping[str, float]]],
    *,
    streams: int,
    turns: int,
    limit_seconds: float,
) -> list[Sampled]:
    """Open the streams of all sides, measure the CPU of each turn, and wait for the ends.

    Args:
        asks: for each side, returns the request of the connection with a given number.
        cpus: for each side, returns the CPU time used so far, in seconds, under any names.
        limit_seconds: how long to wait for the ends after the last turn.
    """
    schedule = Schedule(len(asks))
    connections: list[list[Connection]] = [[] for _ in asks]
    taken: list[list[Measured]] = [[] for _ in asks]
    try:
        for number in range(streams):
            for opened, ask in zip(connections, asks, strict=True):
                opened.append(await connect(await ask(number)))
                await asyncio.sleep(OPEN_EVERY_SECONDS)
        everyone = [connection for opened in connections for connection in opened]
        await asyncio.wait([c.begun for c in everyone], timeout=limit_seconds)
        for side, begin in schedule.begins(time.monotonic(), turns=turns):
            taken[side].append(await _turn(begin, cpus[side]))
        await asyncio.wait([c.ended for c in everyone], timeout=limit_seconds)
    finally:
        for opened in connections:
            for connection in opened:
                connection.close()
    return [
        Sampled([connection.watched for connection in opened], took)
        for opened, took in zip(connections, taken, strict=True)
    ]


async def _turn(begin: float, cpu: Callable[[], Mapping[str, float]]) -> Measured:
    await asyncio.sleep(begin + GUARD_SECONDS - time.monotonic())
    began, before = time.monotonic_ns(), cpu()
    await asyncio.sleep(begin + TURN_SECONDS - time.monotonic())
    ended, after = time.monotonic_ns(), cpu()
    return Measured((began, ended), {name: after[name] - before[name] for name in before})


def script(schedule: Schedule, side: int, *, tokens: int, rate: float) -> dict[str, Any]:
    """Return the script of a side: `tokens` tokens, at `rate` per second within its turns."""
    step = {"clock": tokens, "every_ms": 1000 / rate, "turn_ms": schedule.turn_ms(side)}
    return {"steps": [step]}
