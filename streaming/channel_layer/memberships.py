"""The channels and groups of one event loop.

They live in memory. One task replicates them to the layer that reaches other processes, and retries
after every failure.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import random
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..loop.small_queue import SmallQueue

logger = logging.getLogger(__name__)

T = TypeVar("T")
Message = dict[str, Any]

JOIN_SECONDS = 1.0
"""How long joining waits for its subscription, which otherwise completes later."""

OPERATION_SECONDS = 2.0
"""Time limit of one call to the inner layer. It exceeds the limit of the layer's socket: cancelling
a call during a handshake leaves its connection in an unknown state."""

ECHO_EVERY_SECONDS = 1.0
ECHO_SECONDS = 2.0
"""If an echo has not returned after this time, all subscriptions are renewed."""

RETRY_FIRST_SECONDS = 0.1
RETRY_MOST_SECONDS = 1.0


class Mailbox:
    """The queued messages of one channel, and the groups that it belongs to."""

    def __init__(self, capacity: int) -> None:
        self.queue: SmallQueue[Message] = SmallQueue(capacity)
        self.groups: set[str] = set()
        self.receivers = 0

    def put(self, message: Message) -> None:
        if self.queue.full():
            self.queue.get_nowait()
        self.queue.put_nowait(message.copy())


@dataclass
class _Group:
    members: set[str] = field(default_factory=set)
    is_joined: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether the current connection of the inner layer is subscribed to the group."""


class Memberships:
    """The channels and groups of one event loop, and the task that keeps the inner layer in sync.

    The task ends with the loop, and closes its connections.

    Args:
        inner: the layer that reaches other processes; nothing else subscribes to it on this loop.
        capacity: maximum number of messages queued for one channel.
        on_end: called when the task has ended.
    """

    def __init__(self, inner: Any, *, capacity: int, on_end: Callable[[], object]) -> None:
        self.loop_id = uuid.uuid4().hex
        self._inner = inner
        self._capacity = capacity
        self._mailboxes: dict[str, Mailbox] = {}
        self._groups: dict[str, _Group] = {}
        self._unsettled: set[str] = set()  # groups whose subscription may be out of date
        self._has_news = asyncio.Event()
        self._has_echo = asyncio.Event()
        self._echo_at = 0.0
        self._failures = 0  # since the last echo
        self._task = asyncio.get_running_loop().create_task(
            # A fresh context, not that of the first socket.
            self._keep(),
            context=contextvars.Context(),
        )
        self._task.add_done_callback(lambda _: on_end())  # even if it never ran

    # --- called by sockets, in memory only -------------------------------------

    def mailbox(self, channel: str) -> Mailbox:
        if (mailbox := self._mailboxes.get(channel)) is None:
            mailbox = self._mailboxes[channel] = Mailbox(self._capacity)
        return mailbox

    async def join(self, name: str, channel: str) -> None:
        """Add a member immediately; returns when messages arrive, after `JOIN_SECONDS` at most."""
        group = self._groups.setdefault(name, _Group())
        group.members.add(channel)
        self.mailbox(channel).groups.add(name)
        if group.is_joined.is_set():
            return
        self._look_at(name)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(JOIN_SECONDS):
                await group.is_joined.wait()

    def leave(self, name: str, channel: str) -> None:
        mailbox, group = self._mailboxes.get(channel), self._groups.get(name)
        if mailbox is None or group is None or channel not in group.members:
            return
        group.members.remove(channel)
        mailbox.groups.remove(name)
        if not group.members:
            self._look_at(name)
        if not mailbox.groups and not mailbox.receivers:
            # A consumer that ends just as a message arrives leaves no pending receiver to cancel,
            # so nothing else would remove its channel.
            del self._mailboxes[channel]

    def forget(self, channel: str) -> None:
        if mailbox := self._mailboxes.get(channel):
            for name in list(mailbox.groups):
                self.leave(name, channel)
            self._mailboxes.pop(channel, None)

    def suspect(self) -> None:
        """Send an echo now, because an operation failed."""
        self._echo_at = 0.0
        self._has_news.set()

    async def aclose(self) -> None:
        """Close the connections, and end the task. Idempotent."""
        self._task.cancel()
        await asyncio.wait([self._task])

    def _look_at(self, name: str) -> None:
        self._unsettled.add(name)
        self._has_news.set()

    # --- the task ----------------------------------------------------------------

    async def _keep(self) -> None:
        while True:
            try:
                await self._follow()
            except Exception as error:
                self._note_failure(error)
            await asyncio.sleep(self._retry_seconds())

    async def _follow(self) -> None:
        """Reconnect, and maintain the subscriptions as long as echoes return.

        Raises:
            Exception: the connection is lost, or may be.
        """
        reader: asyncio.Task[None] | None = None
        try:
            await _within_limit(self._inner.flush())
            channel = await _within_limit(self._inner.new_channel())
            reader = asyncio.create_task(self._read(channel))
            reader.add_done_callback(lambda _: self._has_news.set())
            await _within_limit(self._inner.group_add(group_of_loop(self.loop_id), channel))
            self.suspect()
            while True:
                self._has_news.clear()
                if reader.done():
                    return reader.result()
                await self._settle(channel)
                await self._listen_for_echo()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(self._echo_at):
                        await self._has_news.wait()
        finally:
            await self._cut(reader)

    async def _settle(self, channel: str) -> None:
        while self._unsettled:
            name = self._unsettled.pop()
            if (group := self._groups.get(name)) is None:
                continue
            if group.members and not group.is_joined.is_set():
                await _within_limit(self._inner.group_add(name, channel))
                group.is_joined.set()
            elif not group.members and group.is_joined.is_set():
                group.is_joined.clear()  # before the await: a concurrent join must wait
                await _within_limit(self._inner.group_discard(name, channel))
                self._unsettled.add(name)
            elif not group.members:
                del self._groups[name]

    async def _listen_for_echo(self) -> None:
        """Detect lost subscriptions, which raise no error, by sending a message to this loop."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._echo_at:
            return
        self._has_echo.clear()
        await _within_limit(self._inner.group_send(group_of_loop(self.loop_id), {"echo": True}))
        async with asyncio.timeout(ECHO_SECONDS):
            await self._has_echo.wait()
        self._echo_at = loop.time() + ECHO_EVERY_SECONDS
        if self._failures:
            logger.warning("The channel layer can be reached again.")
        self._failures = 0

    async def _read(self, channel: str) -> None:
        while True:
            envelope = await self._inner.receive(channel)
            if "echo" in envelope:
                self._has_echo.set()
                continue
            if "channel" in envelope:
                members = {envelope["channel"]}
            elif group := self._groups.get(envelope["group"]):
                members = group.members
            else:
                continue
            for member in members:
                if mailbox := self._mailboxes.get(member):
                    mailbox.put(envelope["message"])

    async def _cut(self, reader: asyncio.Task[None] | None) -> None:
        """Close the connections, and mark all groups to be joined again over the next one."""
        for group in self._groups.values():
            group.is_joined.clear()
        self._unsettled.update(self._groups)
        try:
            with contextlib.suppress(Exception):  # the next connection starts with a flush, too
                await _within_limit(self._inner.flush())
        finally:
            if reader is not None:
                # After the flush: a receiver cancelled earlier would unsubscribe over a connection
                # that may be dead.
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)

    def _note_failure(self, error: Exception) -> None:
        if not self._failures:
            logger.warning(
                "The channel layer can't be reached (%s: %s). Until it recovers, tabs receive no "
                "news of each other.",
                type(error).__name__,
                error,
            )
        self._failures += 1

    def _retry_seconds(self) -> float:
        """Return an exponential back-off with jitter: processes must not reconnect together."""
        most = min(RETRY_FIRST_SECONDS * 2.0 ** min(self._failures, 10), RETRY_MOST_SECONDS)
        return random.uniform(most / 2, most)


def group_of_loop(loop_id: str) -> str:
    """Return the group whose only member is one event loop of one process."""
    return f"loop.{loop_id}"


async def _within_limit(call: Awaitable[T]) -> T:
    async with asyncio.timeout(OPERATION_SECONDS):
        result = await call
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        # channels-redis swallows a cancellation during a flush.
        raise asyncio.CancelledError
    return result
