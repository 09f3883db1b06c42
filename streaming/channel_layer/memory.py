"""A channel layer for one process, in little memory.

Channels' own one looks at all channels whenever one receives, and holds 3.3 KB for each.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

from channels.exceptions import ChannelFull
from channels.layers import BaseChannelLayer

from ..loop.small_queue import SmallQueue

Message = dict[str, Any]
Listener = Callable[[Message], None]


class MemoryChannelLayer(BaseChannelLayer):
    """Implements the layer that Channels describes, with its extensions "groups" and "flush".

    A channel exists while it is received from, holds messages, or is in a group. Once it has left
    its last group and nobody receives from it, its messages are dropped.

    Args:
        capacity: maximum number of messages queued for one channel. Further ones of a group are
            dropped.
    """

    extensions = ["groups", "flush"]

    def __init__(self, *, capacity: int = 100) -> None:
        super().__init__(capacity=capacity)
        self.channels: dict[
            str, SmallQueue[Message]
        ] = {}  # of channels with messages or a receiver
        self._receiving: set[str] = set()
        self._listeners: dict[str, Listener] = {}
        self.groups: dict[str, dict[str, None]] = {}  # name → channels, in order of arrival

    async def new_channel(self, prefix: str = "specific.") -> str:
        return f"{prefix}memory!{uuid.uuid4().hex}"

    async def receive(self, channel: str) -> Message:
        """Return the next message of a channel.

        Raises:
            RuntimeError: another task waits for it.
        """
        if channel in self._receiving:
            raise RuntimeError(f"another task receives from {channel}")
        self._receiving.add(channel)
        queue = self._queue(channel)
        try:
            return await queue.get()
        finally:
            self._receiving.discard(channel)
            if queue.empty():
                self.channels.pop(channel, None)

    def listen(self, channel: str, listener: Listener) -> None:
        """Call a function for each message of a channel that nobody receives from.

        An extension of ours: an idle channel needs neither a task nor a queue.

        Args:
            listener: called on the event loop, in the sender's call; it must not block or raise.
        """
        self._listeners[channel] = listener
        if queue := self.channels.pop(channel, None):
            while not queue.empty():
                listener(queue.get_nowait())

    def stop_listening(self, channel: str) -> None:
        """End what `listen` began. Idempotent."""
        self._listeners.pop(channel, None)

    async def send(self, channel: str, message: Message) -> None:
        """Send a message to one channel.

        Raises:
            ChannelFull
        """
        self.require_valid_channel_name(channel)
        if listener := self._listeners.get(channel):
            return listener(message.copy())
        try:
            self._queue(channel).put_nowait(message.copy())
        except asyncio.QueueFull:
            raise ChannelFull(channel) from None

    async def group_add(self, group: str, channel: str) -> None:
        self.require_valid_group_name(group)
        self.require_valid_channel_name(channel)
        self.groups.setdefault(group, {})[channel] = None

    async def group_discard(self, group: str, channel: str) -> None:
        members = self.groups.get(group, {})
        members.pop(channel, None)
        if not members:
            self.groups.pop(group, None)
        if channel not in self._receiving and not self._is_member(channel):
            self.channels.pop(channel, None)

    async def group_send(self, group: str, message: Message) -> None:
        """Send a message to all members; those whose queues are full miss it."""
        self.require_valid_group_name(group)
        for channel in list(self.groups.get(group, ())):
            if listener := self._listeners.get(channel):
                listener(message.copy())
            elif not (queue := self._queue(channel)).full():
                queue.put_nowait(message.copy())

    async def flush(self) -> None:
        self.channels.clear()
        self._listeners.clear()
        self.groups.clear()

    def _queue(self, channel: str) -> SmallQueue[Message]:
        queue = self.channels.get(channel)
        if queue is None:
            queue = self.channels[channel] = SmallQueue(self.capacity)
        return queue

    def _is_member(self, channel: str) -> bool:
        """Whether a channel with messages is in any group. Few channels have any."""
        return channel in self.channels and any(channel in each for each in self.groups.values())
