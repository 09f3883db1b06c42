"""Messages that are late, lost or overtaken: finally no event is missing or repeated."""

from __future__ import annotations

import asyncio
import random
from functools import partial

import pytest

from streaming.event_log.base import LogUnavailable, StreamNotFound
from streaming.event_log.redis import delivery
from streaming.event_log.redis import log as redis_log
from streaming.event_log.redis.delivery import Page
from streaming.event_log.redis.pubsub import OnMessage
from tests.support.faults.redis_server import RedisServer
from tests.support.streaming.log_reader import STREAM, Reader, cancelled, chunk
from tests.support.streaming.redis_logs import (
    Deaf,
    ProcessLog,
    channel_of,
    chunks,
    eventually,
    names,
)


@pytest.fixture
def no_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the periodic check of silent streams."""
    monkeypatch.setattr(delivery, "CHECK_SECONDS", 3_600.0)


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check silent streams soon."""
    monkeypatch.setattr(delivery, "CHECK_SECONDS", 0.2)


class Slow:
    """Delays the pages that a log reads, after Redis has returned them."""

    def __init__(self, log: ProcessLog) -> None:
        self._read_page = log._delivery._read_page
        self.has_read = asyncio.Event()
        self.go_on = asyncio.Event()
        log._delivery._read_page = self._take  # type: ignore[method-assign]

    async def _take(self, stream_id: str, after: int) -> Page:
        page = await self._read_page(stream_id, after)
        self.has_read.set()
        await self.go_on.wait()
        return page


# --- lost -----------------------------------------------------------------------------


@pytest.mark.usefixtures("no_looks")
async def test_what_was_lost_is_repaired_by_the_next_message(
    here: ProcessLog, there: ProcessLog
) -> None:
    epoch = await here.take()
    reader = await Reader().follow(there)
    deaf = Deaf(there)
    await here.append(STREAM, epoch, chunks(0, 4))
    await deaf.until_lost()
    assert reader.seqs == []
    deaf.is_deaf = False
    await here.append(STREAM, epoch, chunks(4, 6))
    await reader.until(5)
    assert reader.events == chunks(0, 6)


async def test_what_was_lost_is_repaired_without_any_further_message(
    here: ProcessLog, there: ProcessLog
) -> None:
    epoch = await here.take()
    reader = await Reader().follow(there)
    Deaf(there)
    await here.append(STREAM, epoch, [*chunks(0, 3), cancelled(3)])
    await reader.until(3)
    assert reader.seqs == [0, 1, 2, 3]


@pytest.mark.usefixtures("quick_looks")
async def test_a_drop_whose_message_was_lost_is_noticed(
    here: ProcessLog, there: ProcessLog
) -> None:
    await here.open(STREAM)
    reader = await Reader().follow(there)
    Deaf(there)
    await here.forget(STREAM)
    await reader.until_gone()
    assert reader.gone == 1


async def test_messages_that_come_twice_or_late_are_given_once(
    here: ProcessLog, there: ProcessLog
) -> None:
    epoch = await here.take()
    reader = await Reader().follow(there)
    channel = channel_of(there)
    on_message, kept = channel.on_message, []

    def twice_and_late(data: bytes) -> None:
        kept.append(data)
        for message in kept:
            on_message(message)

    channel.on_message = twice_and_late
    for seq in range(20):
        await here.append(STREAM, epoch, [chunk(seq, str(seq))])
    await reader.until(19)
    assert reader.events == chunks(0, 20)


@pytest.mark.usefixtures("quick_looks")
async def test_some_messages_lost_at_random_in_many_streams_leave_no_gap(
    here: ProcessLog, there: ProcessLog
) -> None:
    dice = random.Random(11)
    lost = 0

    def maybe(on_message: OnMessage, data: bytes) -> None:
        nonlocal lost
        if dice.random() < 0.3:
            lost += 1
        else:
            on_message(data)

    async def generate(stream_id: str) -> None:
        epoch = await here.take(stream_id)
        reader = await Reader().follow(there, stream_id=stream_id)
        channel = channel_of(there, stream_id)
        channel.on_message = partial(maybe, channel.on_message)
        events = [*chunks(0, 40, stream_id), cancelled(40, stream_id)]
        await here.append_in_batches(stream_id, epoch, events, lambda: dice.randint(1, 5))
        await reader.until(40)
        assert reader.events == events

    await asyncio.gather(*map(generate, names(40)))
    assert lost > 100


@pytest.mark.usefixtures("quick_looks")
async def test_a_repair_that_failed_is_tried_again_without_any_news(
    here: ProcessLog, there: ProcessLog
) -> None:
    epoch = await here.take()
    reader = await Reader().follow(there)
    read_page, failed = there._delivery._read_page, 0

    async def fail_at_first(stream_id: str, after: int) -> Page:
        nonlocal failed
        if failed < 3:
            failed += 1
            raise LogUnavailable
        return await read_page(stream_id, after)

    there._delivery._read_page = fail_at_first  # type: ignore[method-assign]
    deaf = Deaf(there)
    await here.append(STREAM, epoch, chunks(0, 3))
    await deaf.until_lost()
    there._delivery.catch_up()
    await reader.until(2)
    assert failed == 3


@pytest.mark.usefixtures("no_looks")
async def test_what_could_not_be_read_while_redis_was_away_is_read_as_soon_as_it_is_back(
    server: RedisServer, here: ProcessLog, there: ProcessLog
) -> None:
    epoch = await here.take()
    reader = await Reader().follow(there)
    deaf = Deaf(there)
    await here.append(STREAM, epoch, chunks(0, 3))
    await deaf.until_lost()
    server.stop()
    there._delivery.catch_up()
    await eventually(lambda: there._reads.is_unreachable)
    assert reader.seqs == []
    server.cont()
    await reader.until(2)
    assert reader.events == chunks(0, 3)


async def test_who_could_not_be_brought_up_is_followed_up_no_more(
    here: ProcessLog, there: ProcessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_log, "PAGE_BATCHES", 2)
    epoch = await here.take()
    await here.append_in_batches(STREAM, epoch, chunks(0, 6), lambda: 1)
    read_page, pages = there._delivery._read_page, 0

    async def fail_at_the_second(stream_id: str, after: int) -> Page:
        nonlocal pages
        pages += 1
        if pages == 2:
            raise LogUnavailable
        return await read_page(stream_id, after)

    there._delivery._read_page = fail_at_the_second  # type: ignore[method-assign]
    reader = Reader()
    with pytest.raises(LogUnavailable):
        await reader.follow(there)
    assert reader.seqs == [0, 1]
    assert there._delivery._subscribed_to == {}
    again = await Reader().follow(there)
    await here.append(STREAM, epoch, [chunk(6)])
    await again.until(6)
    assert reader.seqs == [0, 1]


# --- overtaken ------------------------------------------------------------------------


@pytest.mark.usefixtures("no_looks")
@pytest.mark.parametrize("end", [False, True])
@pytest.mark.parametrize("is_in_the_writers_process", [False, True])
async def test_what_is_appended_while_a_follower_reads_is_given_to_it_at_once(
    here: ProcessLog, there: ProcessLog, *, is_in_the_writers_process: bool, end: bool
) -> None:
    epoch = await here.take()
    await here.append(STREAM, epoch, chunks(0, 2))
    log = here if is_in_the_writers_process else there
    other = await Reader().follow(log)
    slow = Slow(log)
    following = asyncio.ensure_future(Reader().follow(log))
    await slow.has_read.wait()
    await here.append(STREAM, epoch, [cancelled(2) if end else chunk(2)])
    await other.until(2)
    slow.go_on.set()
    reader = await following
    await reader.until(2)
    assert reader.seqs == [0, 1, 2]


async def test_who_begins_to_follow_while_the_lease_is_taken_here_is_not_refused(
    here: ProcessLog, there: ProcessLog
) -> None:
    await here.open(STREAM)
    want = here._pubsub.want
    wanted, taken = asyncio.Event(), asyncio.Event()

    async def slow_want(channel: bytes, on_message: OnMessage) -> None:
        asking = asyncio.ensure_future(want(channel, on_message))
        await asyncio.sleep(0)
        here._delivery.fed_here(STREAM)  # the lease's reply overtakes that of SUBSCRIBE
        wanted.set()
        await asking
        taken.set()

    here._pubsub.want = slow_want  # type: ignore[method-assign]
    reader = await Reader().follow(here)
    assert wanted.is_set()
    assert taken.is_set()
    epoch = await here.acquire(STREAM)
    assert epoch is not None
    await here.append(STREAM, epoch, [chunk(0)])
    await reader.until(0)


@pytest.mark.usefixtures("no_looks")
async def test_the_last_news_of_an_earlier_generator_is_not_lost_by_taking_over(
    here: ProcessLog, there: ProcessLog
) -> None:
    epoch = await there.take()
    reader = await Reader().follow(here)
    deaf = Deaf(here)  # withholds messages in flight when this process took the lease
    await there.append(STREAM, epoch, chunks(0, 3))
    await deaf.until_lost()
    await there.release(STREAM, epoch)
    assert await here.acquire(STREAM) is not None
    await reader.until(2)  # before the new generator has any event
    assert reader.events == chunks(0, 3)


async def test_a_subscriber_that_catches_up_while_the_log_is_dropped_is_notified(
    here: ProcessLog, there: ProcessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its generator finds that Redis lost data, and restarts the log from its own position."""
    monkeypatch.setattr(redis_log, "PAGE_BATCHES", 1)
    epoch = await here.take()
    for seq in range(3):
        await here.append(STREAM, epoch, chunks(seq, seq + 1))
    slow = Slow(there)
    gone = asyncio.Event()
    following = asyncio.ensure_future(
        there.subscribe(STREAM, lambda events: slow.has_read.clear(), on_gone=gone.set)
    )
    await slow.has_read.wait()
    slow.go_on.set()
    await eventually(lambda: not slow.has_read.is_set())  # it has the first page
    slow.go_on.clear()
    await slow.has_read.wait()
    await here.forget(STREAM)
    await here.open(STREAM, after=2)
    await gone.wait()
    slow.go_on.set()
    with pytest.raises(StreamNotFound):
        await following
