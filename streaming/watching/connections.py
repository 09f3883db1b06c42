"""The open connections of a process, and the calls that are waiting for a result."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from ..access.rights import Right, Rights, SignedRight, expired
from ..database.thread import DatabaseThread
from ..errors import Refused
from .connection import Connection

T = TypeVar("T")

ROOM_RETRY_SECONDS = 5.0
RESERVED_SECONDS = 10.0

GOODBYE_SECONDS = 0.5
LAST_MOMENT_SECONDS = 0.1
"""Grace period of waiting calls in a shutdown: results that arrive in it are still delivered."""


@dataclass(eq=False, slots=True)
class _Wait:
    """A call that waits for a result."""

    right: Right | None
    timeout: asyncio.Timeout = field(default_factory=lambda: asyncio.timeout(None))
    has_lost_right: bool = False
    is_over: bool = False

    def cut(self, *, in_seconds: float) -> None:
        if self.timeout.when() is None:  # otherwise already cut: a drain may dismiss twice
            self.timeout.reschedule(asyncio.get_running_loop().time() + in_seconds)

    def end_right(self) -> None:
        if not self.is_over and not self.timeout.expired():  # it may end during a check of rights
            self.has_lost_right = True
            self.timeout.reschedule(asyncio.get_running_loop().time())


class Connections:
    """The open SSE bodies and sockets of a process. Belongs to one event loop.

    Args:
        db: reads whether the sessions behind the connections are still valid.
        max_age_seconds: the age at which a connection makes its client reconnect.
        viewers_per_owner: the most SSE bodies of one owner, and the most streams that one socket
            watches; 0: no limit.
        now: seconds, monotonic.
    """

    def __init__(
        self,
        *,
        db: DatabaseThread,
        max_age_seconds: float,
        now: Callable[[], float],
        viewers_per_owner: int = 0,
    ) -> None:
        self._db = db
        self._max_age_seconds = max_age_seconds
        self._now = now
        self._viewers_at_most = viewers_per_owner
        self._viewers: Counter[str] = Counter()
        self._reserved: dict[str, deque[float]] = {}  # until when, for bodies that begin soon
        self._open: set[Connection] = set()
        self._rights = Rights()
        self._waits: set[_Wait] = set()
        self._is_dismissing = False

    def __len__(self) -> int:
        """Number of open connections."""
        return len(self._open)

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._open)

    def open(self, right: Right | None = None, *, owner: str = "") -> Connection:
        """Create a connection, which is checked until it is discarded.

        Args:
            right: the session that admitted the client; None if nothing can expire.
            owner: whose viewer it is, if it counts as one.
        """
        connection = Connection(now=self._now, max_age_seconds=self._max_age_seconds)
        connection.right = right
        self._open.add(connection)
        if owner and self._viewers_at_most:
            connection.owner = owner
            self._viewers[owner] += 1
            self.release(owner)
        if self._is_dismissing:
            connection.dismiss()
        return connection

    def discard(self, connection: Connection) -> None:
        self._open.discard(connection)
        if owner := connection.owner:
            connection.owner = ""
            self._viewers[owner] -= 1
            if not self._viewers[owner]:
                del self._viewers[owner]

    def reserve(self, owner: str) -> None:
        """Reserve room for one more SSE body of an owner, which opens soon, or never.

        Raises:
            Refused: `too_many_streams`.
        """
        if not self._viewers_at_most:
            return
        now, reserved = self._now(), self._reserved.setdefault(owner, deque())
        while reserved and reserved[0] <= now:
            reserved.popleft()
        self.require_room_beside(self._viewers.get(owner, 0) + len(reserved))
        reserved.append(now + RESERVED_SECONDS)

    def release(self, owner: str) -> None:
        """Give a reservation up: its body opens now, or never."""
        if reserved := self._reserved.get(owner):
            reserved.popleft()
            if not reserved:
                del self._reserved[owner]

    def require_room_beside(self, count: int) -> None:
        """Check that one more stream may be watched beside as many.

        Raises:
            Refused: `too_many_streams`.
        """
        if self._viewers_at_most and count >= self._viewers_at_most:
            raise Refused(
                "too_many_streams",
                f"You are watching {count} answer{'' if count == 1 else 's'} at once."
                " Close one of them first.",
                retry_after_seconds=ROOM_RETRY_SECONDS,
            )

    def check(self) -> None:
        """Find due heartbeats, old connections and stalled ones. Called about once a second."""
        for connection in list(self._open):
            connection.check()
        now = self._now()
        for owner in [key for key, until in self._reserved.items() if until and until[-1] <= now]:
            del self._reserved[owner]

    async def check_rights(self) -> None:
        """Find the connections and waiting calls whose sessions have ended, and end them."""
        everybody: list[Connection | _Wait] = [*self._open, *self._waits]
        admitted = [each for each in everybody if each.right is not None]
        if not admitted:
            return
        rights = {each.right for each in admitted if each.right is not None}
        over = expired(rights)  # first: the database may be unreachable
        for each in admitted:
            if each.right in over:
                each.end_right()
        stored = {right for right in rights if not isinstance(right, SignedRight)}
        ended = await self._db.run(self._rights.find_ended, stored) if stored else set()
        for each in admitted:
            if each.right in ended:
                each.end_right()

    async def until_dismissed(self, work: Awaitable[T], *, right: Right | None = None) -> T:
        """Await `work`, until the connections are dismissed or the right ends at the latest.

        Args:
            right: the session that admitted the client; None if nothing can expire.

        Returns:
            The result of `work`.

        Raises:
            Refused: `shutting_down`: the client may retry elsewhere or after the restart;
                `not_authenticated`: the session has ended.
        """
        wait = _Wait(right)
        try:
            async with wait.timeout:
                self._waits.add(wait)
                if self._is_dismissing:
                    wait.cut(in_seconds=LAST_MOMENT_SECONDS)
                return await work
        except TimeoutError:
            if not wait.timeout.expired():
                raise
            if wait.has_lost_right:
                raise Refused("not_authenticated", "The session has ended.") from None
            raise Refused("shutting_down", retry_after_seconds=1) from None
        finally:
            wait.is_over = True
            self._waits.discard(wait)

    def dismiss(self) -> None:
        """Make all clients reconnect, and refuse the waiting calls. Idempotent."""
        self._is_dismissing = True
        for connection in self._open:
            connection.dismiss()
        for wait in self._waits:
            wait.cut(in_seconds=LAST_MOMENT_SECONDS)

    async def closed(self) -> None:
        """Wait for connections to send `reconnect`, and for waiting calls to be refused.

        Returns after `GOODBYE_SECONDS` at the latest; the server then cuts the remaining ones.
        """
        until = self._now() + GOODBYE_SECONDS
        while (self._open or self._waits) and self._now() < until:  # noqa: ASYNC110 (once, at the end)
            await asyncio.sleep(0.01)
