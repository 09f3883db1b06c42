"""Sides that take turns: their order, and that their client stays connected."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

import pytest

from benchmarks.load import turns
from benchmarks.load.client import Ask, Connection, connect
from benchmarks.load.report import count_within
from benchmarks.load.turns import TURN_SECONDS, Schedule, script
from blocks.providers.script import Clock, parse_script

SCHEDULE = Schedule(3)


def test_each_side_has_a_turn_in_each_period_and_none_overlap() -> None:
    begins = list(SCHEDULE.begins(100.0, turns=4))
    assert [side for side, _ in begins] == [0, 1, 2] * 4
    assert 100.0 <= begins[0][1] <= 100.0 + SCHEDULE.period_seconds
    gaps = [after - before for (_, before), (_, after) in pairwise(begins)]
    assert gaps == pytest.approx([TURN_SECONDS] * 11)


@pytest.mark.parametrize("side", range(3))
def test_a_side_speaks_in_the_turns_that_are_measured(side: int) -> None:
    said = parse_script(script(SCHEDULE, side, tokens=10, rate=50))
    (step,) = said.replies[0].takes[0]
    assert isinstance(step, Clock) and step.turn is not None
    for other, begin in SCHEDULE.begins(1234.5, turns=3):
        middle = begin + TURN_SECONDS / 2
        assert (step.turn.postpone(middle, step.every_seconds) == middle) is (other == side)


@pytest.mark.parametrize("opening_seconds", [0.0, 7.9, 60.0])
@pytest.mark.parametrize("rate", [50.0, 33.0])
def test_no_stream_ends_before_the_last_turn(opening_seconds: float, rate: float) -> None:
    tokens = SCHEDULE.tokens(opening_seconds=opening_seconds, turns=5, rate=rate)
    (step,) = parse_script(script(SCHEDULE, 0, tokens=tokens, rate=rate)).replies[0].takes[0]
    assert isinstance(step, Clock) and step.turn is not None
    for opened in [1000.0 + place * 0.17 for place in range(20)]:
        due = opened
        for _ in range(tokens):
            due = step.turn.postpone(due + step.every_seconds, step.every_seconds)
        begins = list(SCHEDULE.begins(opened + opening_seconds, turns=5))
        last = max(begin for side, begin in begins if side == 0)
        assert due > last + TURN_SECONDS - 2 * step.every_seconds


def test_a_window_has_its_begin_and_not_its_end() -> None:
    assert count_within((20, 30), [10, 19, 20, 25, 29, 30]) == 3


async def test_each_sides_cpu_is_taken_in_its_own_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window begins after the turn's guard and lasts until its end."""
    monkeypatch.setattr(turns, "TURN_SECONDS", 0.04)
    monkeypatch.setattr(turns, "GUARD_SECONDS", 0.01)
    begun: list[float] = []
    begins = Schedule.begins

    def noted(self: Schedule, now: float, *, turns: int) -> Iterator[tuple[int, float]]:
        for side, begin in begins(self, now, turns=turns):
            begun.append(begin)
            yield side, begin

    monkeypatch.setattr(Schedule, "begins", noted)
    asked: list[tuple[int, float]] = []
    left: asyncio.Queue[None] = asyncio.Queue()

    def cpu_of(side: int) -> Callable[[], Mapping[str, float]]:
        def cpu() -> Mapping[str, float]:
            asked.append((side, time.monotonic()))
            return {"ours": float(len(asked))}

        return cpu

    async def ask(number: int) -> Ask:
        return Ask(port, b"GET")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(3)
        writer.write(b'{"type":"chunk","token":"1 "}{"type":"complete"}')
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.put_nowait(None)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        sampled = await turns.sample(
            [ask] * 3, [cpu_of(side) for side in range(3)], streams=2, turns=2, limit_seconds=5
        )
        for _ in range(6):
            await left.get()
    assert [side for side, _ in asked] == [0, 0, 1, 1, 2, 2] * 2
    for number, (_, at) in enumerate(asked):
        assert at >= begun[number // 2] + (0.04 if number % 2 else 0.01)
    assert [turn.cpu for side in sampled for turn in side.turns] == [{"ours": 1.0}] * 6
    assert [len(side.watched) for side in sampled] == [2, 2, 2]


async def test_a_client_answers_the_servers_pings() -> None:
    """Otherwise the server drops it during a measurement. A ping may arrive in two parts."""
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    cut, seen, left = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(3)
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        await reader.readexactly(5)
        writer.write(b'\x81\x0b{"token":1}' + b"\x89\x04AB")
        await writer.drain()
        cut.set()
        await seen.wait()
        writer.write(b"CD" + b"\x81\x02{}")
        heard.put_nowait(await reader.readexactly(10))
        writer.close()
        await writer.wait_closed()
        left.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        connection: Connection = await connect(Ask(port, b"GET", b"frame"))
        async with asyncio.timeout(5):
            await cut.wait()
            await connection.begun  # the first part of the ping has arrived
            seen.set()
            assert await heard.get() == b"\x8a\x84\x00\x00\x00\x00ABCD"
            await connection.ended
            connection.close()
            await left.wait()
