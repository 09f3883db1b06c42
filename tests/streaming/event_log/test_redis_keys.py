"""The keys in Redis: one hash tag for each stream, always with an expiry, and none left over."""

from __future__ import annotations

import asyncio
import gc
import random

import pytest

from streaming.event_log.base import LogUnavailable, StreamNotFound
from streaming.event_log.redis.log import UNFINISHED_SECONDS
from tests.contracts.event_log_contract import KEEP_SECONDS
from tests.streaming.event_log.conftest import MakeLog
from tests.support.faults.redis_server import RedisServer
from tests.support.streaming.log_reader import STREAM, Reader, cancelled, chunk
from tests.support.streaming.redis_logs import (
    Deaf,
    ProcessLog,
    RedisClock,
    chunks,
    eventually,
    names,
)


def keys(server: RedisServer) -> dict[str, int]:
    """Map every existing key to its remaining lifetime in seconds."""
    client = server.client()
    return {str(key): int(client.ttl(key)) for key in client.scan_iter("*")}


async def test_every_key_has_the_streams_tag_and_an_end_at_every_moment(
    server: RedisServer, here: ProcessLog, there: ProcessLog, clock: RedisClock
) -> None:
    facts, log = f"test:{{{STREAM}}}", f"test:{{{STREAM}}}:log"

    def kept(*names: str, seconds: float) -> None:
        found = keys(server)
        assert set(found) == set(names)
        for left in found.values():
            assert seconds - 60 <= left <= seconds + 1

    await here.open(STREAM)
    kept(facts, seconds=UNFINISHED_SECONDS)
    epoch = await here.acquire(STREAM)
    assert epoch is not None
    kept(facts, seconds=UNFINISHED_SECONDS)
    await here.append(STREAM, epoch, [chunk(0)])
    kept(facts, log, seconds=UNFINISHED_SECONDS)
    await there.store_cancel(STREAM, "owner")
    await there.mark_watched([STREAM, "unknown"])
    assert await here.renew(STREAM, epoch)
    kept(facts, log, seconds=UNFINISHED_SECONDS)
    await clock.advance(1_000)
    await here.append(STREAM, epoch, [chunk(1)])
    kept(facts, log, seconds=UNFINISHED_SECONDS - 1_000)
    await here.release(STREAM, epoch)
    later = await there.acquire(STREAM)  # the new owner has a whole day again
    assert later is not None
    kept(facts, log, seconds=UNFINISHED_SECONDS)
    await there.append(STREAM, later, [cancelled(2)])
    kept(facts, log, seconds=KEEP_SECONDS)
    await clock.advance(KEEP_SECONDS + 1)
    assert keys(server) == {}
    with pytest.raises(StreamNotFound):
        await here.status(STREAM)


async def test_a_log_that_was_taken_in_two_runs_of_redis_says_so_until_its_generator_has_begun(
    server: RedisServer, here: ProcessLog
) -> None:
    facts = f"test:{{{STREAM}}}"
    await here.open(STREAM)
    for _ in range(2):
        epoch = await here.acquire(STREAM)
        assert epoch is not None
        assert not (await here.status(STREAM)).is_restored
        await here.release(STREAM, epoch)
    server.client().hset(facts, "run", "of a Redis before this one")
    for _ in range(2):
        epoch = await here.acquire(STREAM)
        assert epoch is not None
        assert (await here.status(STREAM)).is_restored
        await here.release(STREAM, epoch)
    epoch = await here.acquire(STREAM)
    assert epoch is not None
    assert await here.renew(STREAM, epoch)  # a process that renews has begun
    assert not (await here.status(STREAM)).is_restored


async def test_a_log_whose_first_lease_was_lost_with_redis_says_so_too(
    server: RedisServer, here: ProcessLog
) -> None:
    facts = f"test:{{{STREAM}}}"
    await here.open(STREAM)
    assert server.client().hget(facts, "run") == server.client().info("server")["run_id"]
    server.client().hset(facts, "run", "of a Redis before this one")
    assert await here.acquire(STREAM) is not None
    assert (await here.status(STREAM)).is_restored


async def test_a_user_of_redis_who_may_not_ask_for_its_run_goes_without(
    server: RedisServer, here: ProcessLog
) -> None:
    server.client().execute_command("ACL", "SETUSER", "default", "-info")
    try:
        await here.open(STREAM)
        assert await here.acquire(STREAM) is not None
        assert not (await here.status(STREAM)).is_restored
    finally:
        server.client().execute_command("ACL", "SETUSER", "default", "+info")


async def test_an_answer_of_one_event_expires_whole(
    server: RedisServer, here: ProcessLog, clock: RedisClock
) -> None:
    epoch = await here.take()
    await here.append(STREAM, epoch, [cancelled(0)])
    assert all(0 < left <= KEEP_SECONDS for left in keys(server).values())
    assert len(keys(server)) == 2


async def test_nothing_is_left_of_forgotten_streams(
    server: RedisServer, here: ProcessLog, there: ProcessLog
) -> None:
    dice = random.Random(1)
    readers = []
    for stream_id in names(50):
        await here.open(stream_id)
        if dice.random() < 0.8:
            epoch = await here.acquire(stream_id)
            assert epoch is not None
            await here.append(stream_id, epoch, chunks(0, dice.randint(1, 5), stream_id))
        if dice.random() < 0.5:
            readers += [await Reader().follow(log, stream_id=stream_id) for log in (here, there)]
    await asyncio.gather(*map(there.forget, names(50)))
    assert keys(server) == {}
    # The writers of these streams learn it from their leases, which are gone.
    await asyncio.gather(*map(here.forget, names(50)))
    for reader in readers:
        await reader.until_gone()
        assert reader.gone == 1
    for log in (here, there):
        assert log._held == {}
        assert log._delivery._subscribed_to == {}
        assert set(log._pubsub._wanted) == {log._cancels}
    await eventually(lambda: set(server.client().pubsub_channels()) == {"test:cancels"})


async def test_nothing_is_kept_in_the_process_of_streams_that_ended(
    here: ProcessLog, there: ProcessLog
) -> None:
    for stream_id in names(20):
        epoch = await here.take(stream_id)
        readers = [await Reader().follow(log, stream_id=stream_id) for log in (here, there)]
        await here.append(stream_id, epoch, [cancelled(0, stream_id)])
        for reader in readers:
            await reader.until(0)
    for log in (here, there):
        assert log._held == {}
        assert log._delivery._subscribed_to == {}
        assert set(log._pubsub._wanted) == {log._cancels}
        assert log._delivery._repairing == set()


async def test_two_deployments_in_one_redis_do_not_see_each_other(make_log: MakeLog) -> None:
    one, other = await make_log(prefix="test"), await make_log(prefix="tes")
    mine = await one.take()
    with pytest.raises(StreamNotFound):
        await other.status(STREAM)
    theirs = await other.take()
    readers = [await Reader().follow(log) for log in (one, other)]
    await one.append(STREAM, mine, [chunk(0, "mine")])
    await other.append(STREAM, theirs, [chunk(0, "theirs")])
    await other.store_cancel(STREAM, "owner")
    await other.until_intent(STREAM)
    await one.store_cancel(STREAM, "admin")
    await one.until_intent(STREAM)
    for reader, token in zip(readers, ("mine", "theirs"), strict=True):
        await reader.until(0)
        assert [event.fields["token"] for event in reader.events] == [token]
    assert one.intents == [(STREAM, "admin")]
    assert other.intents == [(STREAM, "owner")]


async def test_a_log_of_which_a_part_is_missing_is_not_found(
    server: RedisServer, here: ProcessLog, there: ProcessLog
) -> None:
    """The state after Redis evicts keys, or an operator deletes them."""
    epoch = await here.take()
    for seq in range(4):
        await here.append(STREAM, epoch, [chunk(seq)])
    server.client().xdel(f"test:{{{STREAM}}}:log", "1-0", "2-0")
    reader = Reader()
    for work in (reader.follow(there), there.read(STREAM), reader.follow(there, after=0)):
        with pytest.raises(StreamNotFound):
            await work
    assert reader.events == []
    assert (await Reader().follow(there, after=1)).seqs == [2, 3]
    server.client().delete(f"test:{{{STREAM}}}:log")
    with pytest.raises(StreamNotFound):
        await Reader().follow(there)
    # A subscriber that has all missing events continues.
    late = await Reader().follow(there, after=3)
    await here.append(STREAM, epoch, [chunk(4)])
    await late.until(4)
    assert not late.gone


async def test_a_subscriber_that_meets_a_hole_learns_that_the_log_is_gone(
    server: RedisServer, here: ProcessLog, there: ProcessLog
) -> None:
    epoch = await here.take()
    reader = await Reader().follow(there)
    deaf = Deaf(there)
    await here.append(STREAM, epoch, [chunk(0)])
    server.client().xdel(f"test:{{{STREAM}}}:log", "1-0")
    await deaf.until_lost()
    deaf.is_deaf = False
    await here.append(STREAM, epoch, [chunk(1)])
    await reader.until_gone()
    assert reader.events == []


async def test_closing_leaves_no_task_and_no_connection(
    server: RedisServer, make_log: MakeLog
) -> None:
    before = asyncio.all_tasks()
    log, unused = await make_log(), await make_log()
    epoch = await log.take()
    reader = await Reader().follow(log)
    server.stop()
    appending = asyncio.ensure_future(log.append(STREAM, epoch, [chunk(0)]))
    following = asyncio.ensure_future(Reader().follow(log))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(10):
        await log.aclose()
        await log.aclose()
        await unused.aclose()
    appending.cancel()
    await asyncio.gather(appending, following, return_exceptions=True)
    server.cont()
    assert asyncio.all_tasks() == before
    assert reader.events == []
    await eventually(lambda: len(server.client().client_list()) == 1)
    gc.collect()  # a socket left open would warn now


@pytest.mark.parametrize("rounds", range(0, 40, 3))
async def test_it_can_be_closed_at_any_moment_of_its_beginning(
    make_log: MakeLog, rounds: int
) -> None:
    log = await make_log()
    asking = asyncio.ensure_future(log.open(STREAM))
    for _ in range(rounds):  # of the loop: one more each time
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await log.aclose()
    await asyncio.gather(asking, return_exceptions=True)


async def test_what_is_asked_of_a_closed_log_is_refused_and_does_not_hang(
    make_log: MakeLog,
) -> None:
    log = await make_log()
    epoch = await log.take()
    await log.aclose()
    async with asyncio.timeout(20):
        with pytest.raises(LogUnavailable):
            await log.status(STREAM)
        with pytest.raises(LogUnavailable):
            await log.read(STREAM)
        with pytest.raises(LogUnavailable):
            await Reader().follow(log)
        await log.release(STREAM, epoch)
