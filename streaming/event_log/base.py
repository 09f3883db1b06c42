"""The event log: the single source of truth for a stream's events.

An event is logged before any viewer receives it. `tests/contracts/event_log_contract.py` checks the
promises below, and every implementation passes it unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from ..protocol.events import CancelledBy, Event
from ..protocol.order import Order, OrderError
from ..protocol.packed import PackedEvents

Deliver = Callable[[Sequence[Event]], None]
OnAside = Callable[[Event], None]
OnCancel = Callable[[str, CancelledBy], None]
Lease = tuple[str, int]
"""A stream's id, and the epoch in which its generator holds the lease."""


class LogError(Exception):
    """The event log rejected the operation."""


class StreamNotFound(LogError):
    """The stream was never opened, or its log has expired."""


class StaleEpoch(LogError):
    """Another generator has taken the stream over, so this one may no longer write."""


class LogEnded(LogError):
    """The log contains the terminal event, and nothing may follow it."""


class OutOfOrder(LogError):
    """The batch does not start at last + 1, or is not contiguous."""


class LogUnavailable(LogError):
    """The log is unreachable. The requested operation may or may not have been executed."""


def ignore(*_: object) -> None:
    """Do nothing: the callback of those who want none."""


def order_error(order: Order, error: OrderError) -> LogError:
    """Return what `append` raises for an event that the order rejected."""
    return (LogEnded if order.has_ended else OutOfOrder)(str(error))


@dataclass(frozen=True, slots=True)
class LogStatus:
    """The status of a stream's log."""

    first: int  # seq of the oldest event; if the log is empty, the seq of its first one to come
    last: int  # seq of the newest event; if the log is empty, the seq it was opened after
    epoch: int  # 0: never acquired
    is_held: bool  # whether a live generator holds the lease
    terminal: Event | None
    cancel_intent: CancelledBy | None
    unwatched_seconds: float  # since the last `mark_watched`, or since `open`
    is_restored: bool = False
    """Whether the log's store restarted between the last acquire and the acquire or `open` before.

    Delivered events may then be missing at the end of the log. The next renewal of the lease clears
    the flag."""


class SharedPlaces(Protocol):
    """Places that all processes count together. Every method may raise `LogError`."""

    async def take(self, key: str, at_most: int, member: str) -> bool:
        """Take a place under a key; False if `at_most` places are taken."""
        ...

    async def keep(self, members: dict[str, list[str]]) -> None:
        """Renew the places that this process holds, by key.

        A place that is not renewed expires, so a killed process soon releases its places.
        """
        ...

    async def give_back(self, key: str, member: str) -> None: ...


class EventLog(Protocol):
    survives_process: ClassVar[bool]
    """False: the log is lost when its process ends, and only the stream's row remains."""

    appends_synchronously: ClassVar[bool]
    """True: it is a `SynchronousLog`, and `append` never waits."""

    async def begin(self, on_cancel: OnCancel) -> None:
        """Start the log; it makes no connection earlier. An unreachable log is not an error.

        Args:
            on_cancel: called promptly with each cancel intent for a stream whose lease this
                process may hold. The call is a hint that may come twice or never; the cancel intent
                itself is stored.
        """
        ...

    async def aclose(self) -> None:
        """Close connections and stop tasks. Idempotent."""
        ...

    @property
    def steady_seconds(self) -> float:
        """Seconds since the last failure to reach the log, as seen by this process.

        Leases that could not be renewed before then may have expired. Infinite if the log was never
        unreachable; 0 while it is.
        """
        ...

    @property
    def has_answered(self) -> bool:
        """Whether this process has ever reached the log. `begin` tries once."""
        ...

    @property
    def unreachable_seconds(self) -> float:
        """Seconds for which the log has been unreachable, as seen by this process; 0: reachable."""
        ...

    def places(self) -> SharedPlaces | None:
        """Return a count that spans all processes of this log; None if only one process uses it."""
        ...

    async def open(self, stream_id: str, *, after: int = -1) -> None:
        """Create the stream's log, whose first event will have seq `after` + 1. Idempotent."""
        ...

    async def acquire(self, stream_id: str) -> int | None:
        """Take the lease that a generator needs.

        Returns:
            A new epoch (the fencing token), higher than every earlier one; None while another
            generator holds the lease. A retry after LogUnavailable returns the epoch of the failed
            attempt if that attempt did take the lease.

        Raises:
            StreamNotFound, LogEnded, LogUnavailable
        """
        ...

    async def renew(self, stream_id: str, epoch: int) -> bool:
        """Renew the lease, and report a stored cancel intent to `on_cancel` again.

        Returns:
            False: the lease and with it the right to write are lost, or the log is gone. If the
            log is gone, its subscribers in this process learn of it when the lease is released.

        Raises:
            LogUnavailable
        """
        ...

    async def renew_all(self, leases: Sequence[Lease]) -> list[Lease]:
        """Renew many leases in one call: it costs far less than as many calls of `renew`.

        Returns:
            The leases that are lost, as `renew` would find. Those that could not be renewed,
            because the log is unreachable, are not among them.
        """
        ...

    async def release(self, stream_id: str, epoch: int) -> None:
        """Release the lease, so that another generator can take it immediately.

        Idempotent. If the log is unreachable, the lease expires later.
        """
        ...

    async def append(self, stream_id: str, epoch: int, events: Sequence[Event]) -> None:
        """Append a batch atomically. Retries while the log is unreachable, and writes it once.

        Args:
            events: logged events whose seq continues the log by exactly 1 each.

        Raises:
            StreamNotFound
            LogEnded: the log has a terminal event, or the batch has one before its last event.
            StaleEpoch: a newer epoch was acquired.
            OutOfOrder: the batch leaves a gap or repeats an event.
        """
        ...

    def tell(self, stream_id: str, epoch: int, aside: Event, *, after: int) -> None:
        """Deliver an unlogged event to the present subscribers of all processes. Never waits.

        A hint: it may be lost, and nothing stores it. Dropped without the lease, and once the log
        holds more events.

        Args:
            after: the seq of the last appended event.
        """
        ...

    async def subscribe(
        self,
        stream_id: str,
        deliver: Deliver,
        *,
        on_gone: Callable[[], None],
        on_aside: OnAside = ignore,
        after: int = -1,
    ) -> Callable[[], None]:
        """Subscribe to the events after a position, up to the terminal event.

        Delivers the stored events first, then each batch as it is appended.

        Args:
            deliver: called on the event loop with non-empty batches; seq grows by exactly 1 from
                event to event. It must not block or raise. A batch is valid during the call only.
            on_gone: called once if the log is dropped before the stream has ended.
            on_aside: called with each aside that follows the last delivered event. One that comes
                late or early is dropped.

        Returns:
            A function that ends the subscription: no callback runs afterwards. Idempotent.

        Raises:
            StreamNotFound: the stream was never opened, or its log has expired.
            OutOfOrder: `after` lies beyond the log, or before its first event.
            LogUnavailable

        Source: specs/050-live-ai-interaction/spec.md, "Resume".
        """
        ...

    async def store_cancel(self, stream_id: str, by: CancelledBy) -> LogStatus:
        """Store a cancel intent, then notify the process of the stream's generator.

        The first cancel intent wins, and it outlives the generator that it was meant for. The call
        has no effect once the stream has ended.

        Raises:
            StreamNotFound, LogUnavailable
        """
        ...

    async def read(self, stream_id: str) -> list[Event]:
        """Return all events that the log contains now.

        Raises:
            StreamNotFound, LogUnavailable
        """
        ...

    async def mark_watched(self, stream_ids: Iterable[str]) -> None:
        """Record that these streams have viewers, in any process. Never raises."""
        ...

    async def status(self, stream_id: str) -> LogStatus:
        """Return the log's status.

        Raises:
            StreamNotFound, LogUnavailable
        """
        ...

    async def forget(self, stream_id: str) -> None:
        """Drop the stream's log, for example when its row is deleted.

        Idempotent. If the log is unreachable, it expires later.
        """
        ...

    async def sweep(self) -> None:
        """Drop logs that ended `STREAM_LOG_SECONDS` ago. Cheap; called often."""
        ...


class SynchronousLog(EventLog, Protocol):
    """A log whose `appends_synchronously` is True."""

    def append_now(self, stream_id: str, epoch: int, event: Event) -> None:
        """Append one event. Raises as `append` does."""
        ...

    def append_text(
        self, stream_id: str, epoch: int, seq: int, token: str, path: str | None
    ) -> None:
        """Append one chunk, as `append_now` would. Makes no event of it."""
        ...

    def events_of(self, stream_id: str) -> PackedEvents:
        """Return the log's own events, which grow with it.

        Raises:
            StreamNotFound
        """
        ...
