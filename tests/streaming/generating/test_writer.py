"""A generation's output reaches the log in order, at once if possible, else in batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from blocks.delta import Item, Reset, Text
from streaming.event_log.base import EventLog, LogEnded, StaleEpoch
from streaming.event_log.memory import MemoryEventLog
from streaming.generating import writer as writers
from streaming.generating.writer import MarkReached, Writer
from streaming.protocol import events
from streaming.protocol.events import Event
from streaming.protocol.state import StreamState

STREAM = "0123456789abcdefghijkl"
MARK = 100_000


class RemoteLog:
    """A remote log: each append waits for `answer`, and fails on command."""

    appends_synchronously = False

    def __init__(self) -> None:
        self.batches: list[list[Event]] = []
        self.asides: list[tuple[Event, int]] = []
        self.failures: list[Exception] = []
        self._calls: asyncio.Queue[None] = asyncio.Queue()
        self._answers: asyncio.Queue[None] = asyncio.Queue()

    async def append(self, stream_id: str, epoch: int, batch: Sequence[Event]) -> None:
        self._calls.put_nowait(None)
        await self._answers.get()
        if self.failures:
            raise self.failures.pop(0)
        self.batches.append(list(batch))

    def tell(self, stream_id: str, epoch: int, aside: Event, *, after: int) -> None:
        self.asides.append((aside, after))

    async def called(self) -> None:
        async with asyncio.timeout(10):
            await self._calls.get()

    def answer(self, times: int = 1) -> None:
        for _ in range(times):
            self._answers.put_nowait(None)

    @property
    def seqs(self) -> list[int | None]:
        return [event.seq for batch in self.batches for event in batch]


@pytest.fixture
async def remote() -> RemoteLog:
    return RemoteLog()


@pytest.fixture
async def writer(remote: Any) -> AsyncIterator[Writer]:
    made = Writer(remote, STREAM, 1, state=StreamState(), mark=MARK)
    yield made
    await made.aclose()


async def test_a_log_at_hand_has_each_event_when_put_returns() -> None:
    log = MemoryEventLog(keep_seconds=1, now=lambda: 0.0)
    await log.open(STREAM)
    epoch = await log.acquire(STREAM)
    assert epoch is not None
    taken: list[Event] = []
    await log.subscribe(STREAM, taken.extend, on_gone=lambda: None)
    writer = Writer(log, STREAM, epoch, state=StreamState(), mark=MARK)
    deltas = [Text("a"), Reset("retry"), Item("/nodes/0", {"label": "x"}), Text("b")]
    for number, delta in enumerate(deltas):
        await writer.put(delta)
        assert len(taken) == number + 1
    await writer.end(events.cancelled(STREAM, writer.next_seq, by="owner"))
    assert [event.type for event in taken] == ["chunk", "reset", "item", "chunk", "cancelled"]
    assert [event.seq for event in taken] == list(range(5))
    with pytest.raises(LogEnded):
        await writer.put(Text("c"))
    await writer.aclose()


async def test_a_writer_gathers_while_a_flush_is_under_way(
    writer: Writer, remote: RemoteLog
) -> None:
    await writer.put(Text("0"))
    await remote.called()
    for number in range(1, 50):
        await writer.put(Text(str(number)))
    remote.answer(2)
    async with asyncio.timeout(10):
        await writer.drained()
    assert [len(batch) for batch in remote.batches] == [1, 49]
    assert remote.seqs == list(range(50))


async def test_what_the_log_does_not_have_yet_is_not_in_the_state(
    writer: Writer, remote: RemoteLog
) -> None:
    await writer.put(Text("0"))
    await remote.called()
    await writer.put(Text("1"))
    assert (writer.state.seq, writer.state.text) == (-1, "")
    assert writer.next_seq == 2
    remote.answer()
    await remote.called()
    assert (writer.state.seq, writer.state.text) == (0, "0")
    remote.answer()
    async with asyncio.timeout(10):
        await writer.drained()
    assert (writer.state.seq, writer.state.text) == (1, "01")


async def test_thinking_overtakes_no_event_and_does_not_follow_the_end(
    writer: Writer, remote: RemoteLog
) -> None:
    assert writer.tell_thinking(0)
    await writer.put(Reset("retry"))
    assert not writer.tell_thinking(1_000)
    remote.answer()
    await writer.drained()
    assert writer.tell_thinking(1_050)
    told = [(aside.fields["since_ms"], after) for aside, after in remote.asides]
    assert told == [(0, -1), (1_050, 0)]
    assert remote.seqs == [0]
    writer.seal()
    assert not writer.tell_thinking(2_100)


async def test_a_generation_far_ahead_of_the_log_waits_for_it(
    writer: Writer, remote: RemoteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "PENDING_AT_MOST", 3)
    for number in range(3):
        await writer.put(Text(str(number)))
    ahead = asyncio.ensure_future(writer.put(Text("3")))
    await remote.called()
    done, _ = await asyncio.wait({ahead}, timeout=0.05)
    assert not done
    remote.answer(3)
    async with asyncio.timeout(10):
        await ahead
        await writer.drained()
    assert remote.seqs == [0, 1, 2, 3]


async def test_a_log_that_refuses_is_heard_of_by_whoever_puts_next(
    writer: Writer, remote: RemoteLog
) -> None:
    remote.failures = [StaleEpoch()]
    await writer.put(Text("0"))
    remote.answer()
    with pytest.raises(StaleEpoch):
        async with asyncio.timeout(10):
            await writer.drained()
    with pytest.raises(StaleEpoch):
        await writer.put(Text("1"))


async def test_the_last_number_is_kept_for_the_end() -> None:
    log: EventLog = MemoryEventLog(keep_seconds=1, now=lambda: 0.0)
    await log.open(STREAM)
    epoch = await log.acquire(STREAM)
    assert epoch is not None
    writer = Writer(log, STREAM, epoch, state=StreamState(), mark=2)
    await writer.put(Text("0"))
    await writer.put(Text("1"))
    with pytest.raises(MarkReached):
        await writer.put(Text("2"))
    await writer.end(events.cancelled(STREAM, writer.next_seq, by="owner"))
    assert (await log.status(STREAM)).last == 2
