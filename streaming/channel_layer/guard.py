"""A guard around the channel layer: sockets open, live and close whatever becomes of Redis.

Channels awaits the layer before a consumer's first line and while a socket lives, so an inner layer
that hangs or raises would hang or kill every socket. Here the sockets talk to memory alone: the
inner layer sees one channel per event loop and the groups that somebody on this loop is in, and one
task keeps those subscriptions true, over every failure.

Decision: specs/050-live-ai-interaction/decisions/011-a-guard-around-the-channel-layer.md
"""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from channels.layers import BaseChannelLayer
from django.utils.module_loading import import_string

from .memberships import Memberships, Message, group_of_loop

SEND_SECONDS = 1.5
"""How long `send` and `group_send` may take."""

_ID_LENGTH = len(uuid.uuid4().hex)


class GuardedChannelLayer(BaseChannelLayer):
    """A Channels layer that opens and closes sockets without waiting for the layer within.

    A channel is known from its first `receive` or `group_add` until its receiver is cancelled, or
    it leaves its last group while nobody receives. What is sent can be lost: while the inner layer
    is away, and where a channel doesn't take its messages (the oldest go first).

    Args:
        inner: `{"BACKEND": dotted path, "CONFIG": {...}}` of the layer that reaches other
            processes; it needs the extensions "groups" and "flush", and a state per event loop.
        capacity: messages kept for one channel.
    """

    extensions = ["groups", "flush"]

    def __init__(self, inner: dict[str, Any], *, capacity: int = 100) -> None:
        super().__init__(capacity=capacity)
        self._inner: Any = import_string(inner["BACKEND"])(**inner.get("CONFIG", {}))
        self._memberships: dict[asyncio.AbstractEventLoop, Memberships] = {}

    async def new_channel(self, prefix: str = "specific.") -> str:
        """A name that other processes can `send` to. Never waits."""
        return f"{prefix}{self._here().loop_id}!{uuid.uuid4().hex}"

    async def receive(self, channel: str) -> Message:
        """The next message of a channel of this loop; outages are waited through, never raised.

        Cancelling it means, as everywhere in Channels, that the channel is gone.
        """
        memberships = self._here()
        mailbox = memberships.mailbox(channel)
        try:
            mailbox.receivers += 1
            return await mailbox.queue.get()
        except BaseException:
            memberships.forget(channel)
            raise
        finally:
            mailbox.receivers -= 1

    async def send(self, channel: str, message: Message) -> None:
        """To one channel, in whatever process it is.

        Raises:
            TypeError: no name that `new_channel` gave.
            Exception: as `group_send`.
        """
        self.require_valid_channel_name(channel)
        address, is_specific, _ = channel.partition("!")
        if not is_specific:
            raise TypeError("Only channels that `new_channel` named can be sent to.")
        loop_id = address[-_ID_LENGTH:]
        await self._publish(group_of_loop(loop_id), {"channel": channel, "message": message})

    async def group_add(self, group: str, channel: str) -> None:
        """Make a channel a member, and wait a second at most until messages arrive.

        It stays a member in any case: messages arrive as soon as the inner layer is back.
        """
        self.require_valid_group_name(group)
        self.require_valid_channel_name(channel)
        await self._here().join(group, channel)

    async def group_discard(self, group: str, channel: str) -> None:
        """End a membership, if there is one. Never waits."""
        if memberships := self._memberships.get(asyncio.get_running_loop()):
            memberships.leave(group, channel)

    async def group_send(self, group: str, message: Message) -> None:
        """To all members in all processes.

        Raises:
            TimeoutError: not done within `SEND_SECONDS`; it may be delivered all the same.
            Exception: what the inner layer raised.
        """
        self.require_valid_group_name(group)
        await self._publish(group, {"group": group, "message": message})

    async def flush(self) -> None:
        """Forget this loop's channels and groups, and close its connections."""
        if memberships := self._memberships.get(asyncio.get_running_loop()):
            await memberships.aclose()
        else:
            await self._inner.flush()

    async def _publish(self, group: str, envelope: Message) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._inner.group_send(group, envelope)
        except Exception:
            if memberships := self._memberships.get(asyncio.get_running_loop()):
                memberships.suspect()
            raise

    def _here(self) -> Memberships:
        loop = asyncio.get_running_loop()
        if (memberships := self._memberships.get(loop)) is None:
            memberships = Memberships(
                self._inner,
                capacity=self.capacity,
                on_end=lambda: self._memberships.pop(loop, None),
            )
            self._memberships[loop] = memberships
        return memberships
