"""A guard around the channel layer: sockets open, live and close regardless of Redis.

Channels awaits the layer before a consumer's first line and throughout a socket's life. An inner
layer that hangs or raises would therefore hang or kill every socket. With the guard, sockets use
only memory. The inner layer sees one channel per event loop, and the groups with members on that
loop. One task maintains those subscriptions across every failure.

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
    """A Channels layer that opens and closes sockets without waiting for its inner layer.

    A channel exists from its first `receive` or `group_add`. It ends when its receiver is
    cancelled, or when it leaves its last group while nobody receives. Messages can be lost while
    the inner layer is unreachable. If a channel is full, its oldest messages are dropped.

    Args:
        inner: `{"BACKEND": dotted path, "CONFIG": {...}}` of the layer that reaches other
            processes. It needs the extensions "groups" and "flush", and separate state per loop.
        capacity: maximum number of messages queued for one channel.
    """

    extensions = ["groups", "flush"]

    def __init__(self, inner: dict[str, Any], *, capacity: int = 100) -> None:
        super().__init__(capacity=capacity)
        self._inner: Any = import_string(inner["BACKEND"])(**inner.get("CONFIG", {}))
        self._memberships: dict[asyncio.AbstractEventLoop, Memberships] = {}

    async def new_channel(self, prefix: str = "specific.") -> str:
        """Return a new channel name that other processes can `send` to. Never waits."""
        return f"{prefix}{self._here().loop_id}!{uuid.uuid4().hex}"

    async def receive(self, channel: str) -> Message:
        """Return the next message of a channel of this loop; waits through outages.

        Cancelling it removes the channel, as everywhere in Channels.
        """
        memberships = self._here()
        mailbox = memberships.mailbox(channel)
        try:
            mailbox.receivers += 1
            return await mailbox.queue.get()
        except asyncio.CancelledError:
            memberships.forget(channel)
            raise
        finally:
            mailbox.receivers -= 1

    async def send(self, channel: str, message: Message) -> None:
        """Send a message to one channel, in any process.

        Raises:
            TypeError: `new_channel` did not create the name.
            Exception: as for `group_send`.
        """
        self.require_valid_channel_name(channel)
        address, is_specific, _ = channel.partition("!")
        if not is_specific:
            raise TypeError("Can only send to channels that `new_channel` created.")
        loop_id = address[-_ID_LENGTH:]
        await self._publish(group_of_loop(loop_id), {"channel": channel, "message": message})

    async def group_add(self, group: str, channel: str) -> None:
        """Add a channel to a group, and wait at most 1 s until messages arrive.

        The channel stays a member after a timeout: messages arrive once the inner layer is back.
        """
        self.require_valid_group_name(group)
        self.require_valid_channel_name(channel)
        await self._here().join(group, channel)

    async def group_discard(self, group: str, channel: str) -> None:
        """Remove a channel from a group if it is a member. Never waits."""
        if memberships := self._memberships.get(asyncio.get_running_loop()):
            memberships.leave(group, channel)

    async def group_send(self, group: str, message: Message) -> None:
        """Send a message to all members in all processes.

        Raises:
            TimeoutError: `SEND_SECONDS` passed; the message may still be delivered.
            Exception: any error of the inner layer.
        """
        self.require_valid_group_name(group)
        await self._publish(group, {"group": group, "message": message})

    async def flush(self) -> None:
        """Remove this loop's channels and groups, and close its connections."""
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
