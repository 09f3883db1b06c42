"""Wanted channels stay subscribed across lost connections; dropped ones do not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio
import redis
from redis.asyncio import ConnectionPool

from streaming.event_log.base import LogUnavailable
from streaming.event_log.redis import pubsub as module
from streaming.event_log.redis.connections import RedisDialler
from streaming.event_log.redis.pubsub import PubSub
from tests.support.faults.redis_server import RedisServer
from tests.support.streaming.redis_logs import eventually


class Ears:
    """Subscriptions, and the messages that they have received."""

    def __init__(self, server: RedisServer) -> None:
        self.heard: list[tuple[bytes, bytes]] = []
        self.restored = 0
        self._pool = ConnectionPool.from_url(server.url, protocol=2, driver_info=None)
        self.subscriptions = PubSub(
            RedisDialler(self._pool),
            on_restored=self._restore,
            failures=(redis.RedisError,),
            limit_seconds=20.0,
        )

    async def until(self, channel: bytes, data: bytes) -> None:
        await eventually(lambda: (channel, data) in self.heard)

    async def want(self, channel: bytes) -> None:
        await self.subscriptions.want(channel, partial(self._hear, channel))

    def _hear(self, channel: bytes, data: bytes) -> None:
        self.heard.append((channel, data))
        if data == b"poison":
            raise ValueError("nothing that can be read")

    def _restore(self) -> None:
        self.restored += 1


@pytest_asyncio.fixture
async def ears(server: RedisServer) -> AsyncIterator[Ears]:
    ears = Ears(server)
    ears.subscriptions.begin()
    yield ears
    await ears.subscriptions.aclose()


def channels(server: RedisServer) -> set[str]:
    return set(server.client().pubsub_channels())


async def test_what_is_wanted_is_heard_from_when_the_call_returns(
    server: RedisServer, ears: Ears
) -> None:
    for number in range(30):
        channel = f"channel{number}"
        await ears.want(channel.encode())
        assert server.client().publish(channel, "x") == 1
        await ears.until(channel.encode(), b"x")
    assert ears.restored == 0


async def test_many_are_wanted_at_once(server: RedisServer, ears: Ears) -> None:
    wanted = [f"channel{number}".encode() for number in range(1_200)]
    await asyncio.gather(*map(ears.want, wanted))
    assert len(channels(server)) == 1_200
    for channel in wanted[1:]:
        ears.subscriptions.drop(channel)
    await eventually(lambda: channels(server) == {"channel0"})


async def test_wants_and_drops_in_any_order_end_as_the_last_says(
    server: RedisServer, ears: Ears
) -> None:
    want, drop = ears.want, ears.subscriptions.drop
    for _ in range(50):
        await want(b"kept")
        drop(b"kept")
        drop(b"kept")
    await want(b"kept")
    await want(b"dropped")
    drop(b"dropped")
    await eventually(lambda: channels(server) == {"kept"})
    server.client().publish("kept", "x")
    await ears.until(b"kept", b"x")


async def test_a_caller_that_waits_for_a_dropped_channel_returns(ears: Ears) -> None:
    waiting = asyncio.ensure_future(ears.want(b"channel"))
    await asyncio.sleep(0)
    ears.subscriptions.drop(b"channel")
    await waiting


async def test_each_lost_connection_is_followed_by_all_subscriptions_and_one_report(
    server: RedisServer, ears: Ears
) -> None:
    for number in range(700):  # more than fit in one command
        channel = f"channel{number}".encode()
        ears.subscriptions._wanted[channel] = module._Channel(partial(ears._hear, channel))
    await ears.want(b"channel0")
    for times in (1, 2):
        assert server.kill_pubsub_clients() == 1
        await eventually(lambda times=times: ears.restored == times)
        assert len(channels(server)) == 700
    server.client().publish("channel699", "x")
    await ears.until(b"channel699", b"x")


async def test_what_was_wanted_or_dropped_while_it_was_cut_off_holds_afterwards(
    server: RedisServer, ears: Ears
) -> None:
    await ears.want(b"dropped")
    assert server.kill_pubsub_clients() == 1
    await eventually(lambda: not ears.subscriptions._is_connected)
    ears.subscriptions.drop(b"dropped")
    await ears.want(b"wanted")
    assert channels(server) == {"wanted"}


async def test_an_unreachable_redis_is_unavailable_but_the_channel_stays_wanted(
    server: RedisServer, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.kill()
    try:
        with monkeypatch.context() as patch:
            patch.setattr(ears.subscriptions, "_limit_seconds", 0.2)
            with pytest.raises(LogUnavailable):
                await ears.want(b"channel")
    finally:
        server.start()
    await eventually(lambda: channels(server) == {"channel"})


async def test_a_connection_that_falls_silent_is_made_anew(
    server: RedisServer, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ears.want(b"channel")
    monkeypatch.setattr(module, "UNANSWERED_AT_MOST", 0)
    await eventually(lambda: ears.restored >= 1)
    monkeypatch.undo()
    await eventually(lambda: channels(server) == {"channel"})


async def test_a_connection_whose_pings_are_answered_is_kept(
    server: RedisServer, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PING_SECONDS", 0.05)  # from the second ping on
    monkeypatch.setattr(module, "UNANSWERED_AT_MOST", 1_000)  # a busy machine answers late
    await ears.want(b"channel")
    line = ears.subscriptions._line

    def pings() -> int:
        return int(server.client().info("commandstats")["cmdstat_ping"]["calls"])

    await eventually(lambda: "cmdstat_ping" in server.client().info("commandstats"))
    begin = pings()
    await eventually(lambda: pings() > begin + 10)
    await eventually(lambda: ears.subscriptions._unanswered == 0)
    assert ears.subscriptions._line is line
    assert line is not None and line.is_open
    assert ears.restored == 0


async def test_a_message_that_can_not_be_read_does_not_end_the_listening(
    server: RedisServer, ears: Ears
) -> None:
    await ears.want(b"channel")
    server.client().publish("channel", "poison")
    await eventually(lambda: ears.restored == 1)
    server.client().publish("channel", "x")
    await ears.until(b"channel", b"x")
