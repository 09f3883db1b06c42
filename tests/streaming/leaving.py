"""Processes that die in mid-answer, and the streams that they leave."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
from django.db.models.signals import post_delete
from django.utils import timezone

from blocks.models import BlockType
from blocks.providers.base import Provider
from blocks.providers.registry import ProviderConfig, ProviderPool
from streaming import process as processes
from streaming.database import store
from streaming.event_log.base import HearCancel, LogStatus
from streaming.event_log.memory import MemoryEventLog
from streaming.http.event_stream import event_stream
from streaming.models import Stream
from streaming.process import Process
from streaming.protocol import events
from streaming.protocol.events import CancelledBy, Event
from streaming.protocol.viewer import Viewer
from streaming.watching.hub import Feed
from tests.streaming.protocol.sse_reader import SseReader
from tests.streaming.tape import Tape
from tests.streaming.viewing import VISITOR, read

DEAD = "a process that died"
MAX_EVENTS = 100_000


class SharedLog(MemoryEventLog):
    """A log that several processes of one test have, and that survives them."""

    survives_process = True  # type: ignore[misc]
    steady_for = float("inf")
    is_restored = False

    async def begin(self, hear_cancel: HearCancel) -> None:
        """Each process hears."""
        hear_before = self._hear_cancel

        def hear(stream_id: str, by: CancelledBy) -> None:
            hear_before(stream_id, by)
            hear_cancel(stream_id, by)

        self._hear_cancel = hear

    @property
    def steady_seconds(self) -> float:
        return self.steady_for

    async def status(self, stream_id: str) -> LogStatus:
        return replace(await super().status(stream_id), is_restored=self.is_restored)

    async def put(self, stream_id: str, *logged: Event, after: int = -1) -> None:
        """A stream as a generator leaves it that died when it had written these events."""
        await self.open(stream_id, after=after)
        epoch = await self.acquire(stream_id)
        assert epoch is not None
        if logged:
            await self.append(stream_id, epoch, logged)
        await self.release(stream_id, epoch)


def share_log(monkeypatch: pytest.MonkeyPatch) -> SharedLog:
    """The log of every process that starts from now on."""
    log = SharedLog(keep_seconds=3_600, now=asyncio.get_running_loop().time)
    monkeypatch.setattr(processes, "make_event_log", lambda *args, **options: log)
    return log


def keep_models(monkeypatch: pytest.MonkeyPatch, models: Mapping[str, Provider]) -> None:
    """Every process that starts from now on has these models before it takes anything up."""

    def pool(config: ProviderConfig) -> ProviderPool:
        made = ProviderPool(config)
        for name, provider in models.items():
            made.use(name, provider)
        return made

    monkeypatch.setattr(processes, "ProviderPool", pool)


async def kill(process: Process) -> None:
    """As `kill -9` does: nothing is saved, nothing signed off, and the lock is let go of."""
    loop = asyncio.get_running_loop()
    if (started := processes._processes.get(loop)) and started.result() is process:
        del processes._processes[loop]
    post_delete.disconnect(process._row_deleted, sender=Stream)
    tasks = [*process._tasks, *process.generations._tasks.others()]
    tasks += process.manager._tasks.others()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    process.hub.close()
    lock, process.liveness._lock = process.liveness._lock, None
    assert lock is not None
    os.close(lock)
    await process.writes.aclose()
    await process.keeping.aclose()
    await process.asking.aclose()


async def leave(block: BlockType, *, process: str = DEAD, **fields: Any) -> Stream:
    """The row of a stream whose process died; it had said `The sky `."""
    values = {
        "status": "running",
        "text": "The sky ",
        "seq": 1,
        "mark": MAX_EVENTS - 1,
        "started_at": timezone.now(),
        "created_at": timezone.now(),
        **fields,
    }
    return await Stream.objects.acreate(
        id=store.new_stream_id(),
        owner=VISITOR.owner,
        session="a",
        block_type=block.slug,
        model="x",
        prompt="Why?",
        process=process,
        **values,
    )


async def leave_unbegun(block: BlockType, **fields: Any) -> Stream:
    """The row of a stream whose process died before anything was said."""
    nothing = {"status": "queued", "text": "", "seq": -1, "started_at": None}
    return await leave(block, **{**nothing, **fields})


async def look(process: Process) -> None:
    """Take up what was left, as the process does every two seconds."""
    await process.recovery.look(process.liveness.find_left, process.recovery.take_over)


async def read_to(process: Process, feed: Feed, seq: int, tape: Tape | None = None) -> Tape:
    """Watch a stream up to this number, then be cut off."""
    tape = tape or Tape()
    tape.begin_again()
    reader = SseReader()
    async with asyncio.timeout(20):
        async with aclosing(event_stream(process, feed, Viewer(feed.window, tape.cursor))) as body:
            async for part in body:
                for message in reader.feed(part):
                    tape.take(json.loads(message.data))
                if tape.cursor >= seq:
                    break
    return tape


async def watch(process: Process, row: Stream, *, after: int = -1) -> Tape:
    """Watch a stream from a cursor to its end."""
    tape = Tape()
    tape.cursor = after
    if after >= 0:
        tape.state.seq = after
    return await read(process, await process.manager.watch(row.id, VISITOR.owner), tape)


def chunks(row: Stream, first: int, *tokens: str) -> list[Event]:
    """As a generator logs them, numbered from `first`."""
    return [events.chunk(row.id, seq, token) for seq, token in enumerate(tokens, first)]
