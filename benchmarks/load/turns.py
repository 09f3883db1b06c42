"""Sides that take turns on one machine, so that what it does meanwhile befalls all of them alike.

Machines that share their processors with others are faster now and slower then, by more than what
is to be told apart, and for seconds at a time. So the streams of all sides are open at once, and a
script's `turn_ms` lets each side speak for a moment while the others are silent, over and over.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .client import Ask, Connection, Watched, connect

TURN_SECONDS = 0.6
"""Short, so that a stream is never silent for so long that its process looks after it."""

GUARD_SECONDS = 0.15
"""At the begin of a turn: the side before it is done by then, and this one is under way."""

OPEN_EVERY_SECONDS = 0.0037  # no part of the time between tokens: those spread evenly


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

    def begins(self, now: float, *, turns: int) -> Iterator[tuple[int, float]]:
        """Each side and when its turn begins (seconds), from the first whole period on."""
        period = self.period_seconds
        first = (now // period + 1) * period
        for turn in range(turns):
            for side in range(self.sides):
                yield side, first + turn * period + side * TURN_SECONDS


@dataclass(frozen=True)
class Turn:
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
    turns: list[Turn]


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
    taken: list[list[Turn]] = [[] for _ in asks]
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


async def _turn(begin: float, cpu: Callable[[], Mapping[str, float]]) -> Turn:
    await asyncio.sleep(begin + GUARD_SECONDS - time.monotonic())
    began, before = time.monotonic_ns(), cpu()
    await asyncio.sleep(begin + TURN_SECONDS - time.monotonic())
    ended, after = time.monotonic_ns(), cpu()
    return Turn((began, ended), {name: after[name] - before[name] for name in before})


def tokens_of(turn: Turn, arrivals: Sequence[int]) -> int:
    """How many of the arrivals (ns, sorted) fall into a turn's window."""
    begin, end = turn.window
    return bisect_left(arrivals, end) - bisect_left(arrivals, begin)


def script(schedule: Schedule, side: int, *, tokens: int, rate: float) -> dict[str, Any]:
    """What the streams of a side say: so many tokens, at a rate (per second) while it speaks."""
    step = {"clock": tokens, "every_ms": 1000 / rate, "turn_ms": schedule.turn_ms(side)}
    return {"steps": [step]}
