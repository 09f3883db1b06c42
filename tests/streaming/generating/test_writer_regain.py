"""A log lost under its living generator is restored, unless another process has taken over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from blocks.delta import Text
from streaming.event_log.base import LogStatus, LogUnavailable, StaleEpoch
from streaming.event_log.memory import MemoryEventLog
from streaming.generating import writer as writers
from streaming.generating.writer import Writer
from streaming.protocol import events
from streaming.protocol.events import Event
from streaming.protocol.state import StreamState

STREAM = "0123456789abcdefghijkl"


class EmptiedLog(MemoryEventLog):
    """A remote log that can be emptied, or be unreachable for a number of calls."""

    appends_synchronously = False  # type: ignore[misc]

    def __init__(self) -> None:
        super().__init__(keep_seconds=60, now=lambda: 0.0)
        self.away_for = 0
        self.mute_for = 0  # number of replies to `status` that get lost
        self.released: list[int] = []

    async def append(self, stream_id: str, epoch: int, events: Sequence[Event]) -> None:
        await asyncio.sleep(0)
        await super().append(stream_id, epoch, events)

    async def open(self, stream_id: str, *, after: int = -1) -> None:
        if self.away_for:
            self.away_for -= 1
            raise LogUnavailable
        await super().open(stream_id, after=after)

    async def status(self, stream_id: str) -> LogStatus:
        status = await super().status(stream_id)
        if self.mute_for:
            self.mute_for -= 1
            raise LogUnavailable
        return status

    async def release(self, stream_id: str, epoch: int) -> None:
        self.released.append(epoch)
        await super().release(stream_id, epoch)

    async def seqs(self) -> list[int | None]:
        return [event.seq for event in await self.read(STREAM)]


@pytest.fixture
async def log() -> EmptiedLog:
    made = EmptiedLog()
    await made.open(STREAM)
    return made


@pytest.fixture
async def writer(log: EmptiedLog) -> AsyncIterator[Writer]:
    """A writer that has written the numbers 0 and 1."""
    epoch = await log.acquire(STREAM)
    assert epoch is not None
    made = Writer(log, STREAM, epoch, state=StreamState(), mark=1_000)
    await say(made, "0", "1")
    yield made
    await made.aclose()


async def say(writer: Writer, *tokens: str) -> None:
    for token in tokens:
        await writer.put(Text(token))
    async with asyncio.timeout(10):
        await writer.drained()


async def test_what_comes_after_an_emptied_log_has_the_numbers_that_follow(
    writer: Writer, log: EmptiedLog
) -> None:
    before = writer.epoch
    await log.forget(STREAM)
    await say(writer, "2", "3")
    assert await log.seqs() == [2, 3]
    assert writer.epoch > before
    assert (writer.state.seq, writer.state.text) == (3, "0123")
    await writer.end(events.cancelled(STREAM, writer.next_seq, by="owner"))
    assert await log.seqs() == [2, 3, 4]


async def test_nothing_that_waited_is_lost_or_written_twice(
    writer: Writer, log: EmptiedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "RETRY_SECONDS", 0)
    for round_ in range(5):
        await log.forget(STREAM)
        log.away_for = round_
        await say(writer, *(str(number) for number in range(20)))
    assert await log.seqs() == list(range(82, 102))
    assert writer.state.seq == 101
    assert len(writer.state.text) == 2 + 5 * (10 + 20)


async def test_an_answer_that_gets_lost_after_the_lease_was_had_makes_no_stranger_of_it(
    writer: Writer, log: EmptiedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "RETRY_SECONDS", 0)
    acquire = log.acquire

    async def acquire_and_fall_silent(stream_id: str) -> int | None:
        log.mute_for = 3
        return await acquire(stream_id)

    monkeypatch.setattr(log, "acquire", acquire_and_fall_silent)
    await log.forget(STREAM)
    await say(writer, "2")
    assert await log.seqs() == [2]
    assert (writer.epoch, log.released) == ((await log.status(STREAM)).epoch, [])


async def test_a_lease_of_a_log_that_stands_elsewhere_is_given_back(
    writer: Writer, log: EmptiedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ = log.open

    async def be_second(stream_id: str, *, after: int = -1) -> None:
        await open_(stream_id, after=500)

    monkeypatch.setattr(log, "open", be_second)
    await log.forget(STREAM)
    await writer.put(Text("2"))
    with pytest.raises(StaleEpoch):
        async with asyncio.timeout(10):
            await writer.drained()
    assert len(log.released) == 1 and not (await log.status(STREAM)).is_held


async def test_a_log_that_went_back_in_time_goes_on_where_the_writer_is(
    writer: Writer, log: EmptiedLog
) -> None:
    """A Redis that restarted with data saved some time ago."""
    await log.forget(STREAM)
    await log.open(STREAM)
    log._last_epoch = 0  # its own count went back, too
    assert await log.acquire(STREAM) == writer.epoch
    await log.append(STREAM, writer.epoch, [events.chunk(STREAM, 0, "0")])
    log._last_epoch = 7  # Redis' epochs follow the clock
    await say(writer, "2")
    assert await log.seqs() == [2]
    assert writer.state.text == "012"


async def test_a_stream_that_somebody_else_has_by_now_is_left_to_them(
    writer: Writer, log: EmptiedLog
) -> None:
    await log.forget(STREAM)
    await log.open(STREAM, after=500)
    theirs = await log.acquire(STREAM)
    assert theirs is not None
    await writer.put(Text("2"))
    with pytest.raises(StaleEpoch):
        async with asyncio.timeout(10):
            await writer.drained()
    with pytest.raises(StaleEpoch):
        await writer.regain(writer.epoch)
    status = await log.status(STREAM)
    assert (status.last, status.epoch, status.is_held) == (500, theirs, True)
    assert (writer.state.seq, writer.state.text) == (1, "01")


async def test_a_stream_that_somebody_opened_again_from_its_row_is_left_to_them(
    writer: Writer, log: EmptiedLog
) -> None:
    """The other process has no lease yet, but will take one at another number than this writer."""
    await log.forget(STREAM)
    open_, opened = log.open, asyncio.Event()

    async def late(stream_id: str, *, after: int = -1) -> None:
        if not opened.is_set():
            opened.set()
            await open_(stream_id, after=500)
        await open_(stream_id, after=after)

    log.open = late  # type: ignore[method-assign]
    with pytest.raises(StaleEpoch):
        await writer.regain(writer.epoch)
    assert (await log.status(STREAM)).last == 500


async def test_two_that_find_it_lost_regain_it_once(writer: Writer, log: EmptiedLog) -> None:
    """Both the task that renews the lease and the writer may notice the loss."""
    await log.forget(STREAM)
    before = writer.epoch
    await asyncio.gather(*(writer.regain(before) for _ in range(5)), say(writer, "2"))
    assert writer.epoch == before + 1
    assert await log.seqs() == [2]
    await writer.regain(before)  # a delayed notification
    assert writer.epoch == before + 1


async def test_a_batch_under_way_while_the_lease_s_keeper_regains_the_log_is_written_all_the_same(
    writer: Writer, log: EmptiedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, append = writer.epoch, log.append

    async def append_late(stream_id: str, epoch: int, events: Sequence[Event]) -> None:
        if epoch == before:
            await writer.regain(before)
        await append(stream_id, epoch, events)

    monkeypatch.setattr(log, "append", append_late)
    await log.forget(STREAM)
    await say(writer, "2", "3")
    assert await log.seqs() == [2, 3]
    assert writer.epoch > before


async def test_a_log_that_is_just_being_regained_is_not_taken_for_somebody_else_s(
    writer: Writer, log: EmptiedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, status = writer.epoch, log.status
    is_acquired, may_go_on = asyncio.Event(), asyncio.Event()

    async def slow_status(stream_id: str) -> LogStatus:
        found = await status(stream_id)
        if found.epoch > before:
            is_acquired.set()
            await may_go_on.wait()
        return found

    monkeypatch.setattr(log, "status", slow_status)
    await log.forget(STREAM)
    regaining = asyncio.ensure_future(writer.regain(before))
    async with asyncio.timeout(10):
        await is_acquired.wait()
        asking = asyncio.ensure_future(writer.has_regained(before))
        await asyncio.sleep(0)
        may_go_on.set()
        assert await asking
        await regaining
    assert not await writer.has_regained(writer.epoch)
