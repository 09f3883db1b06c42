"""Frames are built once and shared; a feed lives as long as somebody may need it."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async

from blocks.models import BlockType
from streaming.errors import Refused
from streaming.event_log.base import StreamNotFound
from streaming.models import Stream
from streaming.process import Process
from streaming.protocol import events
from streaming.protocol.viewer import Viewer
from streaming.watching.hub import Hub
from tests.conftest import Play
from tests.support.streaming.viewing import VISITOR, reached, read, start


async def test_all_viewers_are_given_the_same_frames(
    process: Process, block: BlockType, play: Play
) -> None:
    play("The ", "sky")
    started = await start(process, block)
    await started.feed.ended()
    feeds = await asyncio.gather(
        *(process.manager.watch(started.feed.stream_id, VISITOR.owner) for _ in range(5))
    )
    assert all(feed is started.feed for feed in feeds)
    bells = [process.connections.open().bell for _ in range(2)]
    with started.feed.watched(bells[0]), started.feed.watched(bells[1]):
        first, second = (Viewer(started.feed.window, -1).take() for _ in range(2))
    assert len(first) == 3
    assert all(a is b and a.sse is b.sse for a, b in zip(first, second, strict=True))


async def test_the_feed_of_an_ended_stream_goes_when_nobody_watches_and_comes_back_from_the_log(
    process: Process, block: BlockType, play: Play
) -> None:
    play("The ", "sky")
    started = await start(process, block)
    whole = await read(process, started.feed)
    hub, stream_id = process.hub, started.feed.stream_id
    viewer = started.feed
    with viewer.watched(process.connections.open().bell):
        hub.sweep(idle_seconds=60, ended_seconds=-1)
        assert hub.find(stream_id) is viewer
    hub.sweep(idle_seconds=-1, ended_seconds=60)
    assert hub.find(stream_id) is viewer
    hub.sweep(idle_seconds=60, ended_seconds=-1)
    assert hub.find(stream_id) is None
    again = await read(process, await process.manager.watch(stream_id, VISITOR.owner))
    assert again.events[1:] == whole.events[1:]  # token by token, not a snapshot


async def test_a_stream_counts_as_watched_for_some_seconds_after_its_last_viewer_left(
    process: Process, block: BlockType, play: Play
) -> None:
    play("The ", {"hang": True})
    feed = (await start(process, block)).feed
    hub, stream_id = process.hub, feed.stream_id
    with feed.watched(process.connections.open().bell):
        assert hub.watched(within_seconds=0) == [stream_id]
    assert hub.watched(within_seconds=0) == []
    assert hub.watched(within_seconds=60) == [stream_id]
    await process.manager.cancel(stream_id, VISITOR.owner, by="owner")
    assert hub.watched(within_seconds=60) == []  # it has ended


async def test_a_running_stream_keeps_its_feed_though_nobody_watches(
    process: Process, block: BlockType, play: Play
) -> None:
    play("The ", {"hang": True})
    started = await start(process, block)
    await reached(started.feed, 0)
    process.hub.sweep(idle_seconds=-1, ended_seconds=-1)
    assert process.hub.find(started.feed.stream_id) is started.feed


async def test_a_viewer_whose_log_is_dropped_waits_for_it_to_be_there_again(
    process: Process, block: BlockType, play: Play
) -> None:
    play("The ", {"hang": True})
    started = await start(process, block)
    await reached(started.feed, 0)
    await process.generations.saver.flush()
    reading = asyncio.ensure_future(read(process, started.feed))
    await asyncio.sleep(0)
    log, stream_id = process.log, started.feed.stream_id
    await log.forget(stream_id)
    assert process.hub.polled_feeds() == [started.feed]
    await process.manager.finder.poll()
    assert process.hub.polled_feeds() == [started.feed]

    await log.open(stream_id, after=0)  # another process takes it over
    epoch = await log.acquire(stream_id)
    assert epoch is not None
    await process.manager.finder.poll()
    assert process.hub.polled_feeds() == []
    await log.append(stream_id, epoch, [events.chunk(stream_id, 1, "sky")])
    await log.append(stream_id, epoch, [events.cancelled(stream_id, 2, by="owner")])
    tape = await reading
    assert tape.types == ["start", "chunk", "chunk", "cancelled"]
    assert tape.text == "The sky"


async def test_a_viewer_of_a_stream_without_log_and_row_must_reconnect(
    process: Process, block: BlockType, play: Play
) -> None:
    play("The ", {"hang": True})
    started = await start(process, block)
    await reached(started.feed, 0)
    reading = asyncio.ensure_future(read(process, started.feed))
    await asyncio.sleep(0)
    await process.log.forget(started.feed.stream_id)
    await Stream.objects.all().adelete()
    await process.manager.finder.poll()
    tape = await reading
    assert tape.types == ["start", "chunk", "reconnect"]


async def test_what_was_deleted_anywhere_is_gone_from_memory_too(
    process: Process, block: BlockType, play: Play
) -> None:
    play("The ", "sky")
    started = await start(process, block)
    await started.feed.ended()
    stream_id = started.feed.stream_id
    row = await Stream.objects.aget(pk=stream_id)
    await sync_to_async(row.delete)()  # like the admin
    with pytest.raises(Refused) as refused:
        await process.manager.watch(stream_id, VISITOR.owner)
    assert refused.value.code == "not_found"
    with pytest.raises(StreamNotFound):
        await process.log.status(stream_id)


async def test_a_viewer_that_leaves_is_forgotten(
    process: Process, block: BlockType, play: Play
) -> None:
    play("The ", {"hang": True})
    started = await start(process, block)
    await reached(started.feed, 0)
    reading = [asyncio.ensure_future(read(process, started.feed)) for _ in range(10)]
    await asyncio.sleep(0)
    assert len(started.feed.bells) == 10
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    assert not started.feed.bells
    assert not process.connections


async def test_two_that_ask_at_once_share_one_feed(
    process: Process, block: BlockType, play: Play
) -> None:
    play("The ", "sky")
    started = await start(process, block)
    await started.feed.ended()
    hub = Hub(process.log, now=lambda: 0.0)
    row = started.feed.row
    one, other = await asyncio.gather(hub.follow(row), hub.follow(row))
    assert one is other
    assert one.window.has_ended
    hub.close()
