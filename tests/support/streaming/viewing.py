"""Streams started through the manager and watched as bodies, without HTTP."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from blocks.models import BlockType
from streaming.access.visitor import Visitor
from streaming.admission.subjects import subjects_of
from streaming.database.store import NewStream
from streaming.generating.starting import Started
from streaming.generating.writer import Writer
from streaming.http.event_stream import event_stream
from streaming.loop.bell import Bell
from streaming.process import Process
from streaming.protocol.events import Event
from streaming.protocol.viewer import Viewer
from streaming.watching.hub import Feed
from tests.support.streaming.sse_reader import SseReader
from tests.support.streaming.tape import Tape

VISITOR = Visitor("anonymous:a", None, "a")


async def start(
    process: Process,
    block: BlockType,
    *,
    request_id: str | None = None,
    streaming: bool = True,
    user_id: int | None = None,
    visitor: Visitor = VISITOR,
) -> Started:
    spec = block.spec()
    new = NewStream(
        owner=visitor.owner,
        user_id=user_id,
        session="a",
        block_type=block.slug,
        model=spec.model_name,
        prompt="Why?",
        request_id=request_id,
        subjects=await sync_to_async(subjects_of)(visitor),
    )
    return await process.manager.start(visitor, new, spec, is_streaming=streaming)


async def read(process: Process, feed: Feed, tape: Tape | None = None) -> Tape:
    """Watch a stream until its body ends."""
    tape = tape or Tape()
    tape.begin_again()
    reader = SseReader()
    async with asyncio.timeout(20):
        async for part in event_stream(process, feed, Viewer(feed.window, tape.cursor)):
            for message in reader.feed(part):
                tape.take(json.loads(message.data))
    return tape


def hold_end(process: Process, stream_id: str, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Delay the write of a running stream's end until this event is set."""
    writer = process.generations._running[stream_id].writer
    end, released = Writer.end, asyncio.Event()

    async def held(self: Writer, terminal: Event) -> None:
        if self is writer:
            await released.wait()
        await end(self, terminal)

    monkeypatch.setattr(Writer, "end", held)
    return released


def ends_of(tapes: list[Tape]) -> list[dict[str, Any] | None]:
    return [tape.terminal for tape in tapes]


async def reached(feed: Feed, seq: int) -> None:
    """Wait until a stream has reached this seq, or has ended before."""
    bell = Bell()
    with feed.watched(bell):
        async with asyncio.timeout(20):
            while feed.window.last < seq and not feed.window.has_ended:
                await bell.wait()
