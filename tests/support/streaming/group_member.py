"""Members of the groups of guarded channel layers, and what Redis knows of them."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable
from typing import Any

from streaming.channel_layer.guard import GuardedChannelLayer
from tests.support.faults.redis_server import RedisServer

GROUP = "session.of-ada"
BACK_SECONDS = 5.0
"""Messages arrive again within this time of Redis' return."""
NO_HANG_SECONDS = 4.0
"""Above each of the layer's own limits, and far below the delay of a hanging Redis."""
_tokens = itertools.count(1)


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
