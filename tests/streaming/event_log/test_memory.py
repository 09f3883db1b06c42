from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.event_log import memory
from streaming.event_log.base import EventLog, LogError, StreamNotFound
from streaming.event_log.memory import MemoryEventLog
from streaming.protocol import events
from streaming.protocol.events import Event
from streaming.protocol.packed import PackedEvents
from tests.contracts.event_log_contract import KEEP_SECONDS, EventLogContract
from tests.support.sizes import sized
from tests.support.streaming.log_reader import cancelled, chunk


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    async def advance(self, seconds: float) -> None:
        self.now += seconds


ROOM = 4_000


async def ended(log: MemoryEventLog, number: int, *, chunks: int) -> str:
    """Create a log of that many chunks and an end; return its id."""
    name = f"{number:022}"
    await log.open(name)
    epoch = await log.acquire(name)
    assert epoch is not None
    written = [chunk(seq, f"word{seq}", name) for seq in range(chunks)]
    await log.append(name, epoch, [*written, cancelled(chunks, name)])
    return name


def packed_weight(events: list[Event]) -> int:
    packed = PackedEvents(str(events[0].stream_id))
    packed.extend(events)
    return packed.weight


async def kept(log: MemoryEventLog, names: list[str]) -> list[str]:
    found = []
    for name in names:
        with contextlib.suppress(StreamNotFound):
            found.append((await log.status(name)) and name)
    return found


async def test_ended_logs_that_take_more_than_their_bytes_go_oldest_first() -> None:
    log = MemoryEventLog(keep_seconds=60, keep_bytes=ROOM, now=lambda: 0.0)
    names = [await ended(log, number, chunks=10) for number in range(8)]
    await log.sweep()
    left = await kept(log, names)
    assert left == names[-len(left) :]
    assert 1 < len(left) < 8
    weights = [packed_weight(await log.read(name)) for name in left]
    assert sum(weights) <= ROOM < sum(weights) + weights[0]
    await log.sweep()
    assert await kept(log, names) == left


async def test_streams_that_run_are_not_dropped_for_bytes_and_take_no_room_of_ended_ones() -> None:
    log = MemoryEventLog(keep_seconds=60, keep_bytes=ROOM, now=lambda: 0.0)
    old = await ended(log, 1, chunks=5)
    running = f"{2:022}"
    await log.open(running)
    epoch = await log.acquire(running)
    assert epoch is not None
    await log.append(running, epoch, [chunk(seq, "word" * 9, running) for seq in range(500)])
    await log.sweep()
    assert await kept(log, [old, running]) == [old, running]


async def test_a_log_that_is_forgotten_gives_its_bytes_back() -> None:
    log = MemoryEventLog(keep_seconds=60, keep_bytes=ROOM, now=lambda: 0.0)
    for number in range(20):
        await log.forget(await ended(log, number, chunks=10))
    last = await ended(log, 99, chunks=10)
    await log.sweep()
    assert await kept(log, [last]) == [last]


async def test_without_a_bound_bytes_drop_nothing() -> None:
    log = MemoryEventLog(keep_seconds=60, keep_bytes=0, now=lambda: 0.0)
    names = [await ended(log, number, chunks=200) for number in range(5)]
    await log.sweep()
    assert await kept(log, names) == names


class TestMemoryEventLog(EventLogContract):
    @pytest.fixture
    async def make_log(self) -> EventLog:
        self.clock = clock = Clock()
        log = MemoryEventLog(keep_seconds=KEEP_SECONDS, now=lambda: clock.now)
        await log.begin(self.on_cancel)
        return log

    async def test_only_so_many_ended_streams_are_kept(
        self, make_log: EventLog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(memory, "ENDED_LOGS_AT_MOST", 3)
        names = [f"{number:022}" for number in range(5)]
        for name in names:
            await make_log.open(name)
            epoch = await make_log.acquire(name)
            assert epoch is not None
            await make_log.append(name, epoch, [cancelled(0, name)])
        await make_log.sweep()
        for name in names[:2]:
            with pytest.raises(StreamNotFound):
                await make_log.status(name)
        for name in names[2:]:
            assert (await make_log.status(name)).terminal is not None


TEXTS = st.tuples(
    st.sampled_from([-1, 0, 0, 0, 0, 0, 0, 1]),  # offset from the next seq
    st.sampled_from([None, None, None, "/a", "/b"]),
    st.sampled_from([0, 0, 0, 0, 1]),  # how far the epoch is behind
)


@settings(max_examples=sized(100, 500), deadline=None)
@given(st.lists(TEXTS, max_size=20), st.integers(0, 25))
def test_a_text_is_appended_or_refused_as_the_chunk_that_it_is(
    texts: list[tuple[int, str | None, int]], ends_at: int
) -> None:
    async def outcomes(as_text: bool) -> list[object]:
        log, name, found = MemoryEventLog(keep_seconds=60, now=lambda: 0.0), f"{1:022}", list[Any]()
        await log.open(name)
        epoch = await log.acquire(name)
        assert epoch is not None
        await log.subscribe(name, found.extend, on_gone=lambda: None)
        for number, (offset, path, behind) in enumerate(texts):
            if number == ends_at:
                log.append_now(name, epoch, cancelled((await log.status(name)).last + 1, name))
            seq, token = (await log.status(name)).last + 1 + offset, f"{number} "
            try:
                if as_text:
                    log.append_text(name, epoch - behind, seq, token, path)
                else:
                    event = events.chunk(name, seq, token, path)
                    log.append_now(name, epoch - behind, event)
            except LogError as error:
                found.append((type(error), str(error)))
        return [*found, await log.status(name), await log.read(name)]

    assert asyncio.run(outcomes(True)) == asyncio.run(outcomes(False))
