"""Sides that take turns: who speaks when, and that a client of theirs stays connected."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from benchmarks.load.client import Ask, Connection, connect
from benchmarks.load.turns import TURN_SECONDS, Schedule, Turn, script, tokens_of
from blocks.providers.script import Clock, parse_script

SCHEDULE = Schedule(3)


def test_each_side_has_a_turn_in_each_period_and_none_overlap() -> None:
    begins = list(SCHEDULE.begins(100.0, turns=4))
    assert [side for side, _ in begins] == [0, 1, 2] * 4
    assert begins[0][1] >= 100.0
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


def test_tokens_count_from_the_windows_begin_to_before_its_end() -> None:
    assert tokens_of(Turn((20, 30), {}), [10, 19, 20, 25, 29, 30]) == 3


async def test_a_client_answers_the_servers_pings() -> None:
    """Else it is dropped in the middle of a measurement."""
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(3)
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        await reader.readexactly(5)
        writer.write(b'\x81\x0b{"token":1}' + b"\x89\x04ABCD" + b"\x81\x02{}")
        heard.put_nowait(await reader.readexactly(10))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        connection: Connection = await connect(Ask(port, b"GET", b"frame"))
        async with asyncio.timeout(5):
            assert await heard.get() == b"\x8a\x84\x00\x00\x00\x00ABCD"
            await connection.ended
        connection.close()
