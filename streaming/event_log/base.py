"""The event log: the single truth of what happened on a stream.

Everything a viewer is shown was logged first. `tests/contracts/event_log_contract.py` holds these
promises; every implementation passes it unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from ..protocol.events import CancelledBy, Event

Deliver = Callable[[Sequence[Event]], None]
HearCancel = Callable[[str, CancelledBy], None]


class LogError(Exception):
    """The event log refused."""


class StreamNotFound(LogError):
    """Never opened, or its log has expired."""


class StaleEpoch(LogError):
    """Another generator has taken the stream over; this one may not write any more."""


class LogEnded(LogError):
    """The terminal event is in; nothing may follow it."""


class OutOfOrder(LogError):
    """The batch does not begin at last + 1, or is not contiguous."""


class LogUnavailable(LogError):
    """The log can't be reached right now. What was asked for may or may not have been done."""


@dataclass(frozen=True, slots=True)
class LogStatus:
    """Where a stream's log stands."""

    first: int  # seq of the oldest event, or the one that will be
    last: int  # seq of the newest event; the seq it was opened after when there is none
    epoch: int  # 0: never acquired
    is_held: bool  # whether a live generator holds the lease
    terminal: Event | None
    cancel_intent: CancelledBy | None
    unwatched_seconds: float  # since the last `tell_watched`, or since it was opened
    is_restored: bool = False
    """What keeps it was started anew between the last two times that it was acquired, or opened:
    events that have been delivered may be missing at its end. Until the lease is renewed."""


class SharedPlaces(Protocol):
    """Places that all processes count together. All methods raise `LogError`."""

    async def take(self, key: str, at_most: int, member: str) -> bool:
        """Take a place under a key; False: `at_most` others have one."""
        ...

    async def keep(self, members: dict[str, list[str]]) -> None:
        """Say which places this process holds, by key. One that is not named for a while is
        free, so a process that is killed holds nothing for long."""
        ...

    async def give_back(self, key: str, member: str) -> None: ...


class EventLog(Protocol):
    survives_process: ClassVar[bool]
    """False: the log dies with its process, and the stream's row is all that is left of it."""

    appends_at_once: ClassVar[bool]
    """True: there is nothing to wait for, and `append_now` does what `append` does."""

    async def begin(self, hear_cancel: HearCancel) -> None:
        """Get ready; nothing connects before. A log that can't be reached now is no error.

        Args:
            hear_cancel: called with wishes to cancel, for streams whose lease may be held in this
                process, as soon as they are known. A hint that may come twice, or not at all: the
                wish itself is stored.
        """
        ...

    async def aclose(self) -> None:
        """Let go of connections and tasks. Idempotent."""
        ...

    @property
    def steady_seconds(self) -> float:
        """For how long it could be reached without a break, as far as this process knows; leases
        may have run out before that could not be renewed. Infinite if it was never away."""
        ...

    @property
    def unreachable_seconds(self) -> float:
        """For how long it could not be reached at all, as far as this process knows. 0: it can."""
        ...

    def places(self) -> SharedPlaces | None:
        """A count over all processes that share this log; None: it is one process's own."""
        ...

    async def open(self, stream_id: str, *, after: int = -1) -> None:
        """Make the stream known, its first event to be `after` + 1. Idempotent."""
        ...

    async def acquire(self, stream_id: str) -> int | None:
        """Take the lease that a generator needs.

        Returns:
            A new epoch, higher than every earlier one; None while another holds the lease. Asked
            again after LogUnavailable it is the one whose answer was lost, if it came so far.

        Raises:
            StreamNotFound, LogEnded, LogUnavailable
        """
        ...

    async def renew(self, stream_id: str, epoch: int) -> bool:
        """Prolong the lease. False: it was lost, and so is the right to write, or the log is gone.
        Of a log that is gone the followers in this process are told when the lease is released.

        A wish to cancel that is stored is heard again.

        Raises:
            LogUnavailable
        """
        ...

    async def release(self, stream_id: str, epoch: int) -> None:
        """Give the lease back, so that another may take it at once. Idempotent; if the log can't
        be reached the lease runs out by itself."""
        ...

    async def append(self, stream_id: str, epoch: int, events: Sequence[Event]) -> None:
        """Add a batch, all of it or nothing. While the log can't be reached it is tried again,
        and written once.

        Args:
            events: logged events whose seq continues the log by exactly 1 each.

        Raises:
            StreamNotFound
            LogEnded: a terminal event is in, or stands in the batch before its end.
            StaleEpoch: a newer epoch was acquired.
            OutOfOrder: a gap or a repeat.
        """
        ...

    def append_now(self, stream_id: str, epoch: int, event: Event) -> None:
        """`append` of one event, by a log that appends at once."""
        ...

    async def subscribe(
        self,
        stream_id: str,
        deliver: Deliver,
        *,
        on_gone: Callable[[], None],
        after: int = -1,
    ) -> Callable[[], None]:
        """Deliver the events after a position: what is there, then each batch as it is appended,
        to the terminal event.

        Args:
            deliver: called on the event loop with batches that are not empty; seq grows by
                exactly 1 from event to event. It takes no time and raises nothing.
            on_gone: called once if the log is dropped before the stream has ended.

        Returns:
            Ends it: nothing is called afterwards. Idempotent.

        Raises:
            StreamNotFound: never opened, or its log has expired.
            OutOfOrder: `after` lies beyond the log, or before its beginning.
            LogUnavailable

        Source: specs/050-live-ai-interaction/spec.md, "Resume".
        """
        ...

    async def store_cancel(self, stream_id: str, by: CancelledBy) -> LogStatus:
        """Store the wish that the stream be cancelled, then have its generator's process hear of
        it; the first wish stays. It outlives the generator that it was meant for. Harmless once
        the stream has ended.

        Raises:
            StreamNotFound, LogUnavailable
        """
        ...

    async def read(self, stream_id: str) -> list[Event]:
        """All the events that are there now.

        Raises:
            StreamNotFound, LogUnavailable
        """
        ...

    async def tell_watched(self, stream_ids: Iterable[str]) -> None:
        """Somebody watches these streams, in whatever process. Never raises."""
        ...

    async def status(self, stream_id: str) -> LogStatus:
        """
        Raises:
            StreamNotFound, LogUnavailable
        """
        ...

    async def forget(self, stream_id: str) -> None:
        """Drop the stream's log, e.g. when its row is deleted. Idempotent; a log that can't be
        reached expires by itself."""
        ...

    async def sweep(self) -> None:
        """Drop what has expired: logs `STREAM_LOG_SECONDS` after their end. Cheap; called often."""
        ...
