"""The incoming half of a socket: its pending commands."""

from __future__ import annotations

from ..loop.small_queue import SmallQueue
from ..protocol.commands import Command, InvalidCommand

INBOX_AT_MOST = 256
"""Pending commands: more than the burst that `LIMIT_FRAMES_PER_SECOND` allows."""

INBOX_CHARS = 524_288
"""Characters of pending commands: eight of the largest frames."""


class Inbox:
    """A queue of commands for one reader. Belongs to one event loop."""

    def __init__(self) -> None:
        self._pending: SmallQueue[tuple[Command | InvalidCommand, int]]
        self._pending = SmallQueue(INBOX_AT_MOST)
        self._chars = 0

    @property
    def is_empty(self) -> bool:
        return self._pending.empty()

    @property
    def is_full(self) -> bool:
        """Whether the next `put` waits."""
        return self._pending.full()

    def has_memory_for(self, chars: int) -> bool:
        """Whether a command of that many characters stays within `INBOX_CHARS`."""
        return self._chars + chars <= INBOX_CHARS

    async def put(self, command: Command | InvalidCommand, *, chars: int) -> None:
        """Queue a command; waits while the inbox is full.

        Args:
            chars: length of the command's frame.
        """
        self._chars += chars
        await self._pending.put((command, chars))

    async def take(self) -> Command | InvalidCommand:
        """Take the oldest command; waits for one."""
        command, chars = await self._pending.get()
        self._chars -= chars
        return command

    def clear(self) -> None:
        """Drop the pending commands, so that no `put` waits any more."""
        while not self._pending.empty():
            _, chars = self._pending.get_nowait()
            self._chars -= chars
