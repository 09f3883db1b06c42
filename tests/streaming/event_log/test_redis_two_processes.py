"""Followers in all processes receive each appended event, from any position, in order, once."""

from __future__ import annotations

import asyncio
import random
from unittest import mock

from streaming.event_log.redis.log import LEASE_SECONDS
from streaming.protocol import events
from tests.streaming.event_log.conftest import MakeLog
from tests.support.faults.redis_server import RedisServer
from tests.support.streaming.log_reader import OTHER, STREAM, Reader, cancelled, chunk
from tests.support.streaming.redis_logs import ProcessLog, RedisClock, chunks, eventually, names


async def test_followers_in_both_processes_from_any_place_get_each_event_once(
    here: ProcessLog, there: ProcessLog
) -> None:
    epoch = await here.take()
    readers = []
    for seq in range(60):
        readers.append((seq, await Reader().follow(here, after=seq - 1)))
        readers.append((seq, await Reader().follow(there, after=seq - 1)))
        await here.append(STREAM, epoch, [chunk(seq)])
    await here.append(STREAM, epoch, [cancelled(60)])
    for begin, reader in readers:
        await reader.until(60)
        assert reader.seqs == list(range(begin, 61))
        assert not reader.gone


async def test_many_streams_at_once_reach_both_processes_whole(
    here: ProcessLog, there: ProcessLog
) -> None:
    dice = random.Random(5)
    streams = names(200)
    readers: list[Reader] = []

    async def generate(log: ProcessLog, stream_id: str) -> None:
        epoch = await log.take(stream_id)
        early = [await Reader().follow(side, stream_id=stream_id) for side in (here, there)]
        events = [*chunks(0, 49, stream_id), cancelled(49, stream_id)]
        middle = dice.randint(1, 48)
        await log.append_in_batches(stream_id, epoch, events[:middle], lambda: dice.randint(1, 9))
        late = [await Reader().follow(side, stream_id=stream_id) for side in (here, there)]
        await log.append_in_batches(stream_id, epoch, events[middle:], lambda: dice.randint(1, 9))
        for reader in (*early, *late):
            await reader.until(49)
            assert reader.events == events
        readers.extend((*early, *late))

    async with asyncio.timeout(60):
        work = [generate((here, there)[n % 2], name) for n, name in enumerate(streams)]
        await asyncio.gather(*work)
    assert len(readers) == 4 * len(streams)


async def test_who_follows_from_a_place_in_the_middle_of_a_batch_gets_its_rest(
    here: ProcessLog, there: ProcessLog
) -> None:
    epoch = await here.take()
    await here.append(STREAM, epoch, chunks(0, 5))
    await here.append(STREAM, epoch, chunks(5, 11))
    for after in range(-1, 11):
        assert (await Reader().follow(there, after=after)).seqs == list(range(after + 1, 11))


async def test_the_news_of_a_stream_that_changes_hands_go_on_in_both_processes(
    here: ProcessLog, there: ProcessLog
) -> None:
    epoch = await here.take()
    readers = [await Reader().follow(log) for log in (here, there)]
    seq = 0
    for turn in range(20):
        log, other = (here, there) if turn % 2 == 0 else (there, here)
        await log.append(STREAM, epoch, chunks(seq, seq + 3))
        seq += 3
        await log.release(STREAM, epoch)
        later = await other.acquire(STREAM)
        assert later is not None
        assert later > epoch
        epoch = later
    await here.append(STREAM, epoch, [cancelled(seq)])
    for reader in readers:
        await reader.until(seq)
        assert reader.seqs == list(range(seq + 1))


async def test_a_cancel_intent_reaches_only_the_holder_of_the_lease(
    here: ProcessLog, there: ProcessLog
) -> None:
    await here.take(STREAM)
    await there.take(OTHER)
    for log in (here, there):
        await log.store_cancel(STREAM, "admin")
        await log.store_cancel(OTHER, "owner")
    await here.until_intent(STREAM)
    await there.until_intent(OTHER)
    # The last subscription is confirmed last, so this is a barrier in both.
    await here.take("barrier-here")
    await there.take("barrier-there")
    for log in (here, there):
        await log.store_cancel("barrier-here", "owner")
        await log.store_cancel("barrier-there", "owner")
    await here.until_intent("barrier-here")
    await there.until_intent("barrier-there")
    assert {stream_id for stream_id, _ in here.intents} == {STREAM, "barrier-here"}
    assert {stream_id for stream_id, _ in there.intents} == {OTHER, "barrier-there"}


async def test_a_cancel_intent_from_before_the_lease_is_in_the_status(
    here: ProcessLog, there: ProcessLog
) -> None:
    await here.open(STREAM)
    await there.store_cancel(STREAM, "owner")
    epoch = await here.acquire(STREAM)
    assert epoch is not None
    assert (await here.status(STREAM)).cancel_intent == "owner"
    assert await here.renew(STREAM, epoch)
    assert (STREAM, "owner") in here.intents


async def test_three_connections_serve_any_number_of_followed_streams(
    server: RedisServer, here: ProcessLog, there: ProcessLog
) -> None:
    for stream_id in names(300):
        epoch = await here.take(stream_id)
        await here.append(stream_id, epoch, [chunk(0, "x", stream_id)])
    follows = [Reader().follow(log, stream_id=name) for name in names(300) for log in (here, there)]
    readers = await asyncio.gather(*follows)
    assert all(reader.seqs == [0] for reader in readers)
    assert len(server.client().client_list()) == 1 + 2 * 3  # the extra one belongs to the test
    for reader in readers:
        reader.stop()
    await eventually(lambda: _subscribed(server) == {"test:cancels"})


async def test_a_channel_is_listened_to_while_somebody_follows_in_another_process(
    server: RedisServer, here: ProcessLog, there: ProcessLog
) -> None:
    epoch = await here.take()
    mine = await Reader().follow(here)
    first, second = await Reader().follow(there), await Reader().follow(there)
    assert len(_subscribed(server)) == 2
    assert server.client().pubsub_numsub(_log_key(STREAM)) == [(_log_key(STREAM), 1)]
    first.stop()
    await here.append(STREAM, epoch, [chunk(0), cancelled(1)])
    await second.until(1)
    await mine.until(1)
    await eventually(lambda: _subscribed(server) == {"test:cancels"})


async def test_appends_that_come_together_share_a_round_trip(here: ProcessLog) -> None:
    epochs = {name: await here.take(name) for name in names(100)}
    line = here._writes._line
    assert line is not None
    with mock.patch.object(line, "send", side_effect=line.send) as send:
        await asyncio.gather(*(here.append(s, e, [chunk(0, "x", s)]) for s, e in epochs.items()))
    assert 1 <= send.call_count <= 5
    for name in epochs:
        assert (await here.status(name)).last == 0


def _log_key(stream_id: str) -> str:
    return f"test:{{{stream_id}}}:log"


def _subscribed(server: RedisServer) -> set[str]:
    return set(server.client().pubsub_channels())


async def test_an_aside_reaches_the_followers_of_every_process_once_and_in_its_place(
    here: ProcessLog, there: ProcessLog
) -> None:
    epoch = await here.take()
    mine, others = await Reader().follow(here), await Reader().follow(there)
    for seq in range(30):
        here.tell(STREAM, epoch, events.thinking(STREAM, since_ms=seq), after=seq - 1)
        await asyncio.sleep(0)  # an answer that comes at once would overtake the aside
        await here.append(STREAM, epoch, [chunk(seq)])
    await here.append(STREAM, epoch, [cancelled(30)])
    for reader in (mine, others):
        await reader.until(30)
        assert reader.seqs == list(range(31))
        assert [(aside.fields["since_ms"], len(held)) for aside, held in reader.asides] == [
            (seq, seq) for seq in range(30)
        ]


async def test_a_generator_that_lost_its_lease_tells_nobody(
    here: ProcessLog, there: ProcessLog, make_log: MakeLog, clock: RedisClock
) -> None:
    old = await here.take()
    reader = await Reader().follow(here)
    await clock.advance(LEASE_SECONDS + 1)
    new = await there.acquire(STREAM)
    assert new is not None
    others = await Reader().follow(await make_log())
    here.tell(STREAM, old, events.thinking(STREAM, since_ms=1), after=-1)
    assert not await here.renew(STREAM, old)  # from now on, this process knows
    here.tell(STREAM, old, events.thinking(STREAM, since_ms=2), after=-1)
    there.tell(STREAM, new, events.thinking(STREAM, since_ms=3), after=-1)
    await asyncio.sleep(0)
    await there.append(STREAM, new, [cancelled(0)])
    await reader.until(0)
    await others.until(0)
    assert [aside.fields["since_ms"] for aside, _ in others.asides] == [3]
    assert 2 not in [aside.fields["since_ms"] for aside, _ in reader.asides]
