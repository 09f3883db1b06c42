"""The guarded channel layer over a real Redis that hangs, dies, and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import InMemoryChannelLayer, channel_layers

from streaming.channel_layer.guard import GuardedChannelLayer
from tests.support.faults.redis_server import RedisServer, running_redis
from tests.support.streaming.redis_logs import eventually

GROUP = "session.of-ada"
BACK_SECONDS = 5.0
"""Messages arrive again within this time of Redis' return."""
NO_HANG_SECONDS = 4.0
"""Above each of the layer's own limits, and far below the delay of a hanging Redis."""

MakeLayer = Callable[[], GuardedChannelLayer]
_tokens = itertools.count(1)


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    with running_redis(tmp_path / "redis") as server:
        yield server


def layer_on(server: RedisServer) -> GuardedChannelLayer:
    """Build a layer as in `liveai/settings.py`."""
    limits = {"socket_connect_timeout": 1.0, "socket_timeout": 1.0}
    host = {"address": server.url, "protocol": 2, **limits}
    return GuardedChannelLayer(
        inner={
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [host], "prefix": "test"},
        }
    )


@pytest_asyncio.fixture
async def make_layer(redis_server: RedisServer) -> AsyncIterator[MakeLayer]:
    """Create layers of several processes."""
    made: list[GuardedChannelLayer] = []

    def make() -> GuardedChannelLayer:
        made.append(layer_on(redis_server))
        return made[-1]

    yield make
    for layer in made:
        await layer.flush()


@pytest.fixture
def here(make_layer: MakeLayer) -> GuardedChannelLayer:
    return make_layer()


@pytest.fixture
def elsewhere(make_layer: MakeLayer) -> GuardedChannelLayer:
    return make_layer()


@pytest.fixture
def in_memory() -> GuardedChannelLayer:
    return GuardedChannelLayer(inner={"BACKEND": "channels.layers.InMemoryChannelLayer"})


class Member:
    """A socket as the layer sees it: a channel with a receiver."""

    def __init__(self, layer: GuardedChannelLayer, channel: str) -> None:
        self.layer = layer
        self.channel = channel
        self.heard: asyncio.Queue[int] = asyncio.Queue()
        self._task = asyncio.create_task(self._listen())

    @classmethod
    async def join(cls, layer: GuardedChannelLayer, group: str = GROUP) -> Member:
        async with asyncio.timeout(NO_HANG_SECONDS):
            member = cls(layer, await layer.new_channel())
            await layer.group_add(group, member.channel)
        return member

    async def _listen(self) -> None:
        while True:
            self.heard.put_nowait((await self.layer.receive(self.channel))["token"])

    async def until_heard(self, token: int) -> None:
        async with asyncio.timeout(BACK_SECONDS):
            while await self.heard.get() != token:
                pass

    async def go(self) -> None:
        """End the member as Channels ends a socket, by cancelling the receiver."""
        self._task.cancel()
        await asyncio.wait([self._task])


async def say(layer: GuardedChannelLayer, group: str = GROUP) -> int:
    token = next(_tokens)
    await layer.group_send(group, {"type": "said", "token": token})
    return token


async def until_reached(speaker: GuardedChannelLayer, *members: Member) -> None:
    """Send until all members have received a message that was sent after this call."""
    first = next(_tokens)
    deaf = list(members)
    async with asyncio.timeout(BACK_SECONDS):
        while deaf:
            try:
                await say(speaker)
            except Exception as error:
                logging.getLogger(__name__).info("Could not speak yet: %r", error)
            await asyncio.sleep(0.1)
            deaf = [member for member in deaf if not _has_heard_since(member, first)]


def _has_heard_since(member: Member, first: int) -> bool:
    while not member.heard.empty():
        if member.heard.get_nowait() > first:
            return True
    return False


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(BACK_SECONDS):
        while not condition():  # noqa: ASYNC110 (there is no event)
            await asyncio.sleep(0.02)


def subscribers(server: RedisServer, group: str = GROUP) -> int:
    """Count the connections that subscribe to a group."""
    client: Any = server.client()
    return int(client.execute_command("PUBSUB", "NUMSUB", f"test__group__{group}")[1])


def subscriptions(server: RedisServer) -> set[str]:
    client: Any = server.client()
    return set(client.execute_command("PUBSUB", "CHANNELS"))


def held(layer: GuardedChannelLayer) -> tuple[int, int]:
    """Return the numbers of channels and groups in the layer's memory for this loop."""
    memberships = layer._memberships[asyncio.get_running_loop()]
    return len(memberships._mailboxes), len(memberships._groups)


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
    token = await say(elsewhere)
    for member in members:
        await member.until_heard(token)
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


# --- outages --------------------------------------------------------------------


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
