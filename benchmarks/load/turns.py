"""Sides that take turns on one machine, so that what it does meanwhile befalls all of them alike.

Machines that share their processors with others are faster now and slower then, by more than what
is to be told apart, and for seconds at a time. So the streams of all sides are open at once, and a
script's `turn_ms` lets each side speak for a moment while the others are silent, over and over.
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
"""Short, so that no stream of three sides is silent for the two seconds after which a process looks
up its log (`CHECK_SECONDS` in `following.py`)."""

GUARD_SECONDS = 0.3
"""The beginning of a turn, which is not measured: what the side before it was late with is done by
then, and this side is under way."""

OPEN_EVERY_SECONDS = 0.007  # no divisor of the time between tokens: those spread evenly


@dataclass(frozen=True)
class Schedule:
    """Who speaks when: side 0 first, all of them in each period. By the system's monotonic clock.

    Args:
        sides: how many take turns.
    """

    sides: int

    @property
    def period_seconds(self) -> float:
        return self.sides * TURN_SECONDS

    def turn_ms(self, side: int) -> list[int]:
        """As a script wants it."""
        turn = round(TURN_SECONDS * 1000)
        return [side * turn, (side + 1) * turn, self.sides * turn]

    def tokens(self, *, opening_seconds: float, turns: int, rate: float) -> int:
        """So many for each stream that all of them speak until the last turn is over.

        Args:
            opening_seconds: from the first stream to the last one, at most.
            turns: that are measured after that.
            rate: tokens per second while a side speaks.
        """
        before = math.ceil(opening_seconds / self.period_seconds) + 2
        return (before + turns) * math.ceil(TURN_SECONDS * rate)

    def begins(self, now: float, *, turns: int) -> Iterator[tuple[int, float]]:
        """Each side and when its turn begins (seconds), from the first whole period on."""
        period = self.period_seconds
        first = (now // period + 1) * period
        for turn in range(turns):
            for side in range(self.sides):
                yield side, first + turn * period + side * TURN_SECONDS


@dataclass(frozen=True)
class Measured:
    """What a side used in one turn, after its guard; times in ns, CPU in seconds."""

    window: tuple[int, int]
    cpu: Mapping[str, float]

    @property
    def seconds(self) -> float:
        return (self.window[1] - self.window[0]) / 1e9


@dataclass(frozen=True)
class Sampled:
    """One side: what its connections received, and its turns."""

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
    """Open all streams of all sides, take the CPU of each side's turns, wait for the ends.

    Args:
        asks: for each side, what the connection of a number asks for.
        cpus: for each side, the CPU time that it has used so far, in seconds, by any names.
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
    """What the streams of a side say: so many tokens, at a rate (per second) while it speaks."""
    step = {"clock": tokens, "every_ms": 1000 / rate, "turn_ms": schedule.turn_ms(side)}
    return {"steps": [step]}
