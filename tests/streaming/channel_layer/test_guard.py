"""The guarded channel layer over a real Redis: delivery, and what it leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
from typing import Any

import pytest
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import InMemoryChannelLayer, channel_layers

from streaming.channel_layer.guard import GuardedChannelLayer
from tests.support.faults.redis_server import RedisServer
from tests.support.streaming.group_member import (
    GROUP,
    NO_HANG_SECONDS,
    Member,
    held,
    layer_on,
    say,
    subscribers,
    subscriptions,
    until,
    until_reached,
)
from tests.support.streaming.redis_logs import eventually

# --- delivery -----------------------------------------------------------------


async def test_a_group_hears_what_is_said_in_another_process(
    here: GuardedChannelLayer, elsewhere: GuardedChannelLayer
) -> None:
    members = [await Member.join(here), await Member.join(here), await Member.join(elsewhere)]
    other = await Member.join(here, "session.of-bob")
    token = await say(elsewhere)
    for member in members:
        await member.until_heard(token)
    bobs = await say(elsewhere, "session.of-bob")
    assert await other.heard.get() == bobs  # nothing of Ada's before it


async def test_a_channel_is_reached_by_its_name_from_another_process(
    here: GuardedChannelLayer, elsewhere: GuardedChannelLayer
) -> None:
    first, second = await Member.join(here), await Member.join(here)
    await elsewhere.send(first.channel, {"type": "said", "token": -1})
    assert await first.heard.get() == -1
    await second.until_heard(await say(elsewhere))
    assert second.heard.empty()


async def test_a_name_that_nobody_gave_is_refused(in_memory: GuardedChannelLayer) -> None:
    with pytest.raises(TypeError, match="new_channel"):
        await in_memory.send("thumbnails", {"type": "made"})
    with pytest.raises(TypeError, match="Group name"):
        await in_memory.group_add("ada:tabs", "specific.x!y")
    with pytest.raises(TypeError, match="Group name"):
        await in_memory.group_send("ada:tabs", {"type": "said"})


async def test_a_thousand_channels_in_a_group_cost_one_subscription(
    here: GuardedChannelLayer, elsewhere: GuardedChannelLayer, redis_server: RedisServer
) -> None:
    members = [await Member.join(here) for _ in range(1000)]
    assert subscribers(redis_server) == 1
    assert len(subscriptions(redis_server)) <= 3  # the group, the loop's own, the inner channel
    await until_reached(elsewhere, *members)
    for member in members:
        await member.go()
    await until(lambda: subscribers(redis_server) == 0)
    await until(lambda: held(here) == (0, 0))


async def test_a_channel_that_takes_nothing_keeps_the_newest_messages(
    in_memory: GuardedChannelLayer,
) -> None:
    channel = await in_memory.new_channel()
    await in_memory.group_add(GROUP, channel)
    last = await Member.join(in_memory)
    tokens = [await say(in_memory) for _ in range(150)]
    await last.until_heard(tokens[-1])
    kept = [(await in_memory.receive(channel))["token"] for _ in range(100)]
    assert kept == tokens[50:]
    await in_memory.flush()


async def test_each_member_has_a_message_of_its_own(in_memory: GuardedChannelLayer) -> None:
    channels = [await in_memory.new_channel() for _ in range(2)]
    for channel in channels:
        await in_memory.group_add(GROUP, channel)
    token = await say(in_memory)
    first = await in_memory.receive(channels[0])
    first["token"] = "changed"
    assert (await in_memory.receive(channels[1]))["token"] == token
    await in_memory.flush()


# --- nothing is left over -------------------------------------------------------


async def test_a_channel_whose_receiver_was_cancelled_is_gone_from_everything(
    here: GuardedChannelLayer, redis_server: RedisServer
) -> None:
    stays, goes = await Member.join(here), await Member.join(here)
    await here.group_add("session.of-bob", goes.channel)
    assert subscribers(redis_server, "session.of-bob") == 1
    await goes.go()
    await until(lambda: subscribers(redis_server, "session.of-bob") == 0)
    await until(lambda: held(here) == (1, 1))
    await stays.until_heard(await say(here))
    await stays.go()
    await until(lambda: subscribers(redis_server) == 0)
    await until(lambda: held(here) == (0, 0))


class Parrot(AsyncConsumer):  # type: ignore[misc]
    async def websocket_connect(self, message: dict[str, Any]) -> None:
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.base_send({"type": "websocket.accept"})

    async def said(self, message: dict[str, Any]) -> None:
        await self.base_send({"type": "websocket.send", "text": str(message["token"])})

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        await self.channel_layer.group_discard(GROUP, self.channel_name)
        raise StopConsumer


async def test_a_socket_that_ends_just_when_a_message_comes_is_gone_as_well(
    here: GuardedChannelLayer,
) -> None:
    """The receiver has finished by then, so that nobody is left to cancel."""
    events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    channel_layers.set("default", here)
    try:
        socket = asyncio.create_task(Parrot()({"type": "websocket"}, events.get, sent.put))
        events.put_nowait({"type": "websocket.connect"})
        assert (await sent.get())["type"] == "websocket.accept"
        assert held(here) == (1, 1)
        (mailbox,) = here._memberships[asyncio.get_running_loop()]._mailboxes.values()
        events.put_nowait({"type": "websocket.disconnect"})
        mailbox.put({"type": "said", "token": 1})
        await socket
    finally:
        channel_layers.backends.clear()
    await until(lambda: held(here) == (0, 0))


async def test_sockets_that_come_and_go_while_redis_is_away_leave_nothing(
    here: GuardedChannelLayer, elsewhere: GuardedChannelLayer, redis_server: RedisServer
) -> None:
    before, stays = await Member.join(here, "session.of-bob"), await Member.join(here)
    redis_server.kill()
    during = await Member.join(here, "session.of-bob")
    async with asyncio.timeout(NO_HANG_SECONDS):
        await before.go()
        await here.group_discard("session.of-bob", during.channel)
        await during.go()
    redis_server.start()
    await until_reached(elsewhere, stays)
    assert subscribers(redis_server, "session.of-bob") == 0
    assert held(here) == (1, 1)


async def test_who_joins_as_the_last_one_leaves_hears_all(
    here: GuardedChannelLayer, elsewhere: GuardedChannelLayer
) -> None:
    leaver, joiner = await Member.join(here), await Member.join(here, "session.of-bob")
    for _ in range(50):
        await here.group_discard(GROUP, leaver.channel)
        await asyncio.sleep(0)  # the layer is unsubscribing now
        await here.group_add(GROUP, joiner.channel)
        await joiner.until_heard(await say(elsewhere))
        leaver, joiner = joiner, leaver


def test_a_loop_that_ends_closes_its_connections(redis_server: RedisServer) -> None:
    layer = layer_on(redis_server)
    heard: list[int] = []

    async def live() -> None:
        member = await Member.join(layer)
        token = await say(layer)
        await member.until_heard(token)
        heard.append(token)
        # Like the end of a server, with everything still open.

    async def end_at_once() -> None:
        await layer.new_channel()

    for body in (live, live, end_at_once):
        thread = threading.Thread(target=lambda body=body: asyncio.run(body()))
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
    assert len(heard) == 2
    client: Any = redis_server.client()
    own = [str(client.client_id())]
    # Redis notices a closed connection only later.
    asyncio.run(eventually(lambda: [one["id"] for one in client.client_list()] == own))
    assert layer._memberships == {}
    gc.collect()  # an unclosed connection or a pending task warns here, which is an error


class Stubborn(InMemoryChannelLayer):  # type: ignore[misc]
    """Swallows a cancellation while it flushes, as channels-redis does."""

    def __init__(self) -> None:
        super().__init__()
        self.flushes = asyncio.Semaphore(0)

    async def flush(self) -> None:
        self.flushes.release()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(1)
        await super().flush()


async def test_a_layer_ends_also_where_the_cancellation_is_swallowed() -> None:
    layer = GuardedChannelLayer(inner={"BACKEND": f"{__name__}.Stubborn"})
    await layer.new_channel()
    async with asyncio.timeout(NO_HANG_SECONDS):
        await layer._inner.flushes.acquire()
        await layer.flush()
    assert layer._memberships == {}


async def test_two_loops_of_a_process_reach_each_other(here: GuardedChannelLayer) -> None:
    member = await Member.join(here)
    token = await asyncio.to_thread(lambda: asyncio.run(say(here)))
    await member.until_heard(token)


async def test_a_flushed_layer_is_like_a_new_one(
    here: GuardedChannelLayer, elsewhere: GuardedChannelLayer, redis_server: RedisServer
) -> None:
    old = await Member.join(here)
    await here.flush()
    await until(lambda: subscribers(redis_server) == 0)
    member = await Member.join(here)
    await member.until_heard(await say(elsewhere))
    assert old.heard.empty()
    await old.go()
