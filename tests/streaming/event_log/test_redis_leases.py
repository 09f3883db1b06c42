"""One generator at a time: an expired lease is free to take, and its old holder is fenced."""

from __future__ import annotations

import asyncio

import pytest

from streaming.event_log.base import LogEnded, StaleEpoch, StreamNotFound
from streaming.event_log.redis.log import LEASE_SECONDS
from tests.support.faults.redis_server import RedisServer
from tests.support.streaming.log_reader import STREAM, Reader, cancelled, chunk
from tests.support.streaming.redis_logs import ProcessLog, RedisClock, chunks, eventually


async def test_a_lease_that_ran_out_is_taken_over_and_its_holder_is_fenced(
    here: ProcessLog, there: ProcessLog, clock: RedisClock
) -> None:
    epoch = await here.take()
    await here.append(STREAM, epoch, chunks(0, 2))
    readers = [await Reader().follow(log) for log in (here, there)]
    assert await there.acquire(STREAM) is None
    await clock.advance(LEASE_SECONDS * 0.8)
    assert await there.acquire(STREAM) is None
    await clock.advance(LEASE_SECONDS * 0.4)
    assert not (await there.status(STREAM)).is_held
    later = await there.acquire(STREAM)
    assert later is not None
    assert later > epoch
    for batch in ([chunk(2)], [chunk(7)], [cancelled(2)]):
        with pytest.raises(StaleEpoch):
            await here.append(STREAM, epoch, batch)
    assert not await here.renew(STREAM, epoch)
    await here.release(STREAM, epoch)  # this lease is no longer its own
    assert (await here.status(STREAM)).is_held
    await there.append(STREAM, later, [*chunks(2, 4), cancelled(4)])
    for reader in readers:  # in the fenced process, too
        await reader.until(4)
        assert reader.seqs == [0, 1, 2, 3, 4]


async def test_a_lease_that_is_renewed_does_not_run_out(
    here: ProcessLog, there: ProcessLog, clock: RedisClock
) -> None:
    epoch = await here.take()
    for _ in range(4):
        await clock.advance(LEASE_SECONDS * 0.8)
        assert await here.renew(STREAM, epoch)
    assert await there.acquire(STREAM) is None


async def test_a_holder_whose_lease_ran_out_writes_on_until_another_takes_it(
    here: ProcessLog, there: ProcessLog, clock: RedisClock
) -> None:
    epoch = await here.take()
    await clock.advance(LEASE_SECONDS * 2)
    await here.append(STREAM, epoch, [chunk(0)])
    assert await here.renew(STREAM, epoch)
    assert await there.acquire(STREAM) is None


async def test_of_many_who_want_a_lease_one_gets_it(here: ProcessLog, there: ProcessLog) -> None:
    await here.open(STREAM)
    for _ in range(30):
        tries = [log.acquire(STREAM) for log in (here, there) for _ in range(10)]
        got = [epoch for epoch in await asyncio.gather(*tries) if epoch is not None]
        assert len(got) == 1
        await here.release(STREAM, got[0])


async def test_epochs_only_grow_however_often_a_lease_changes_hands(
    here: ProcessLog, there: ProcessLog
) -> None:
    await here.open(STREAM)
    epochs = []
    for turn in range(200):
        log = (here, there)[turn % 2]
        epoch = await log.acquire(STREAM)
        assert epoch is not None
        epochs.append(epoch)
        await log.release(STREAM, epoch)
    assert epochs == sorted(set(epochs))


async def test_an_epoch_from_before_redis_was_emptied_is_stale_afterwards(
    server: RedisServer, here: ProcessLog, there: ProcessLog
) -> None:
    for _ in range(30):
        epoch = await here.take()
        await here.append(STREAM, epoch, [chunk(0)])
        server.flush()
        with pytest.raises(StreamNotFound):
            await here.append(STREAM, epoch, [chunk(1)])
        later = await there.take(after=0)
        assert later > epoch
        with pytest.raises(StaleEpoch):
            await here.append(STREAM, epoch, [chunk(1)])
        assert not await here.renew(STREAM, epoch)
        assert await there.renew(STREAM, later)
        await there.forget(STREAM)


async def test_a_lease_that_is_lost_unnoticed_does_not_cut_the_news_off(
    here: ProcessLog, there: ProcessLog, clock: RedisClock
) -> None:
    epoch = await here.take()
    reader = await Reader().follow(here)
    await clock.advance(LEASE_SECONDS * 2)
    later = await there.acquire(STREAM)
    assert later is not None
    await there.append(STREAM, later, chunks(0, 3))
    assert not await here.renew(STREAM, epoch)  # as its lease loop does every 2 s
    await reader.until(2)
    await there.append(STREAM, later, [cancelled(3)])
    await reader.until(3)
    assert reader.seqs == [0, 1, 2, 3]


async def test_the_end_gives_the_lease_back(here: ProcessLog, there: ProcessLog) -> None:
    epoch = await here.take()
    await here.append(STREAM, epoch, [cancelled(0)])
    assert not (await there.status(STREAM)).is_held
    with pytest.raises(LogEnded):
        await there.acquire(STREAM)
    assert not await here.renew(STREAM, epoch)
    await there.store_cancel(STREAM, "owner")
    assert here.intents == []


async def test_subscribers_of_a_dropped_log_are_notified_when_its_lease_is_released(
    here: ProcessLog, there: ProcessLog
) -> None:
    epoch = await here.take()
    reader = await Reader().follow(here)
    await there.forget(STREAM)
    assert not await here.renew(STREAM, epoch)
    await here.release(STREAM, epoch)
    await eventually(lambda: reader.gone == 1)


async def test_followers_stay_with_a_writer_that_opens_its_lost_log_again(
    server: RedisServer, here: ProcessLog
) -> None:
    epoch = await here.take()
    await here.append(STREAM, epoch, chunks(0, 2))
    reader = await Reader().follow(here)
    server.flush()
    assert not await here.renew(STREAM, epoch)
    assert STREAM in here._held  # its events still originate here, so nobody checks Redis
    later = await here.take(STREAM, after=1)
    await here.append(STREAM, later, [chunk(2), cancelled(3)])
    await reader.until(3)
    assert (reader.seqs, reader.gone) == ([0, 1, 2, 3], 0)
