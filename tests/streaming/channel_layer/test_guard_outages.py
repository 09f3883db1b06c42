"""Guarded channel layers while Redis hangs, is down, or comes back without its subscriptions."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from streaming.channel_layer.guard import GuardedChannelLayer
from tests.support.faults.redis_server import RedisServer
from tests.support.streaming.group_member import (
    NO_HANG_SECONDS,
    Member,
    layer_on,
    say,
    subscribers,
    subscriptions,
    until,
    until_reached,
)


@pytest.mark.parametrize("lived_seconds", [0.0, 0.5, 1.1, 2.5])
def test_a_loop_ends_while_redis_hangs(redis_server: RedisServer, lived_seconds: float) -> None:
    layer = layer_on(redis_server)

    async def live() -> None:
        await Member.join(layer)
        redis_server.stop()
        await asyncio.sleep(lived_seconds)

    thread = threading.Thread(target=lambda: asyncio.run(live()), daemon=True)
    thread.start()
    thread.join(lived_seconds + 10)
    redis_server.cont()
    assert not thread.is_alive()
    gc.collect()


async def test_sockets_open_and_close_while_redis_hangs_and_hear_again_after(
    here: GuardedChannelLayer, elsewhere: GuardedChannelLayer, redis_server: RedisServer
) -> None:
    before, goes = await Member.join(here), await Member.join(here)
    redis_server.stop()
    try:
        first = await Member.join(here)
        with pytest.raises(Exception):  # noqa: B017, PT011 (whichever comes first)
            await say(here)
        during = await Member.join(here)  # after the hang was noticed
        async with asyncio.timeout(NO_HANG_SECONDS):
            await goes.go()
    finally:
        redis_server.cont()
    await until_reached(elsewhere, before, first, during)
    await until_reached(here, before, first, during)


async def test_a_layer_that_meets_a_hanging_redis_first_works_when_it_goes_on(
    here: GuardedChannelLayer, elsewhere: GuardedChannelLayer, redis_server: RedisServer
) -> None:
    redis_server.stop()
    try:
        member = await Member.join(here)
    finally:
        redis_server.cont()
    await until_reached(elsewhere, member)


async def test_what_is_said_while_redis_hangs_raises_within_its_limit(
    here: GuardedChannelLayer, elsewhere: GuardedChannelLayer, redis_server: RedisServer
) -> None:
    member = await Member.join(here)
    await member.until_heard(await say(here))  # over an open connection
    redis_server.stop()
    try:
        async with asyncio.timeout(NO_HANG_SECONDS):
            said = [say(layer) for layer in (here, elsewhere) for _ in range(20)]
            outcomes = await asyncio.gather(*said, return_exceptions=True)
    finally:
        redis_server.cont()
    assert all(isinstance(outcome, Exception) for outcome in outcomes), outcomes


async def test_sockets_open_while_redis_is_down_and_hear_again_after(
    here: GuardedChannelLayer, elsewhere: GuardedChannelLayer, redis_server: RedisServer
) -> None:
    before = await Member.join(here)
    redis_server.kill()
    during = await Member.join(here)
    with pytest.raises(Exception):  # noqa: B017, PT011 (the inner layer's own)
        await say(here)
    redis_server.start()
    await until_reached(elsewhere, before, during)


async def test_a_layer_that_begins_without_redis_works_when_there_is_one(
    here: GuardedChannelLayer, elsewhere: GuardedChannelLayer, redis_server: RedisServer
) -> None:
    redis_server.kill()
    member = await Member.join(here)
    redis_server.start()
    await until_reached(elsewhere, member)


async def test_after_a_quick_restart_messages_arrive_again(
    here: GuardedChannelLayer, elsewhere: GuardedChannelLayer, redis_server: RedisServer
) -> None:
    member, other = await Member.join(here), await Member.join(elsewhere)
    redis_server.restart_empty()
    await until_reached(elsewhere, member, other)
    await until_reached(here, member, other)


async def test_the_first_message_after_a_quick_restart_is_not_lost(
    here: GuardedChannelLayer, elsewhere: GuardedChannelLayer, redis_server: RedisServer
) -> None:
    await say(elsewhere)  # a connection that the restart breaks, and only a message uses
    redis_server.restart_empty()
    member = await Member.join(here)
    await until_reached(here, member)
    await member.until_heard(await say(elsewhere))


async def test_after_its_subscriptions_were_cut_messages_arrive_again(
    here: GuardedChannelLayer, elsewhere: GuardedChannelLayer, redis_server: RedisServer
) -> None:
    member = await Member.join(here)
    await until(lambda: len(subscriptions(redis_server)) >= 3)
    assert redis_server.kill_pubsub_clients() == 1
    await until_reached(elsewhere, member)


async def test_a_subscription_that_was_lost_silently_is_made_anew(
    here: GuardedChannelLayer, elsewhere: GuardedChannelLayer, redis_server: RedisServer
) -> None:
    member = await Member.join(here)
    (shard,) = here._inner._get_layer()._shards
    await shard._pubsub.unsubscribe()  # unknown to the inner layer, which still believes in them
    await until(lambda: subscribers(redis_server) == 0)
    await until_reached(elsewhere, member)


async def test_an_outage_is_said_once_and_so_is_its_end(
    here: GuardedChannelLayer,
    elsewhere: GuardedChannelLayer,
    redis_server: RedisServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def lines() -> list[str]:
        return [
            one.message
            for one in caplog.records
            if one.name == "streaming.channel_layer.memberships"
        ]

    member = await Member.join(here)
    redis_server.kill()
    await until(lambda: len(lines()) == 1)
    memberships = here._memberships[asyncio.get_running_loop()]
    await until(lambda: memberships._failures >= 3)
    redis_server.start()
    await until_reached(elsewhere, member)
    await until(lambda: len(lines()) == 2)
    away, back = lines()
    assert "can't be reached (ConnectionError" in away and "can be reached again" in back
