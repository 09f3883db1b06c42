"""Processes that die in mid-answer, and the orphans that they leave."""

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
from streaming.database.joining import joined
from streaming.event_log.base import LogStatus, OnCancel
from streaming.event_log.memory import MemoryEventLog
from streaming.http.event_stream import event_stream
from streaming.models import Stream
from streaming.process import Process
from streaming.protocol import events
from streaming.protocol.events import CancelledBy, Event
from streaming.protocol.viewer import Viewer
from streaming.watching.hub import Feed
from tests.support.streaming.sse_reader import SseReader
from tests.support.streaming.tape import Tape
from tests.support.streaming.viewing import VISITOR, read

DEAD = "a process that died"
MAX_EVENTS = 100_000


class SharedLog(MemoryEventLog):
    """A log that several processes of one test share, and that survives them."""

    survives_process = True
    steady_for = float("inf")
    is_restored = False

    async def begin(self, on_cancel: OnCancel) -> None:
        """Register each process for cancels."""
        on_cancel_before = self._on_cancel

        def notify_all(stream_id: str, by: CancelledBy) -> None:
            on_cancel_before(stream_id, by)
            on_cancel(stream_id, by)

        self._on_cancel = notify_all

    @property
    def steady_seconds(self) -> float:
        return self.steady_for

    async def status(self, stream_id: str) -> LogStatus:
        return replace(await super().status(stream_id), is_restored=self.is_restored)

    async def put(self, stream_id: str, *logged: Event, after: int = -1) -> None:
        """Create a stream whose generator died after writing these events."""
        await self.open(stream_id, after=after)
        epoch = await self.acquire(stream_id)
        assert epoch is not None
        if logged:
            await self.append(stream_id, epoch, logged)
        await self.release(stream_id, epoch)


def share_log(monkeypatch: pytest.MonkeyPatch) -> SharedLog:
    """Give this log to every process that starts from now on."""
    log = SharedLog(keep_seconds=3_600, now=asyncio.get_running_loop().time)
    monkeypatch.setattr(processes, "make_event_log", lambda *args, **options: log)
    return log


def keep_models(monkeypatch: pytest.MonkeyPatch, models: Mapping[str, Provider]) -> None:
    """Give these models to every process that starts from now on, before it takes over streams."""

    def pool(config: ProviderConfig) -> ProviderPool:
        made = ProviderPool(config)
        for name, provider in models.items():
            made.use(name, provider)
        return made

    monkeypatch.setattr(processes, "ProviderPool", pool)


async def kill(process: Process) -> None:
    """Act like `kill -9`: nothing is saved or signed off, and the lock is released."""
    loop = asyncio.get_running_loop()
    if (started := processes._processes.get(loop)) and started.result() is process:
        del processes._processes[loop]
    post_delete.disconnect(process._row_deleted, sender=Stream)
    joined.disconnect(process._streams_joined)
    tasks = [*process.tasks, *process.generations._tasks.others()]
    tasks += process.manager._tasks.others()
    tasks += process.manager._starter._tasks.others()
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
    """Create the row of an orphan that had said `The sky `."""
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
    """Create the row of an orphan that had not said anything."""
    nothing = {"status": "queued", "text": "", "seq": -1, "started_at": None}
    return await leave(block, **{**nothing, **fields})


async def look(process: Process) -> None:
    """Take over orphans, as the process does every two seconds."""
    await process.recovery.look(process.liveness.find_orphans, process.recovery.take_over)


async def read_to(process: Process, feed: Feed, seq: int, tape: Tape | None = None) -> Tape:
    """Watch a stream up to this seq, then disconnect."""
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
    """Build events as a generator logs them, numbered from `first`."""
    return [events.chunk(row.id, seq, token) for seq, token in enumerate(tokens, first)]
