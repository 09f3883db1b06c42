"""An in-memory event log for one process. Only the rows outlive the process.

All events but the newest are packed: a log takes little more than its text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from ..protocol.events import CancelledBy, Event, chunk
from ..protocol.order import Order, OrderError
from ..protocol.packed import PackedEvents, PackedView
from .base import (
    Deliver,
    Lease,
    LogEnded,
    LogStatus,
    OnAside,
    OnCancel,
    OutOfOrder,
    SharedPlaces,
    StaleEpoch,
    StreamNotFound,
    ignore,
    order_error,
)
from .subscribers import Subscriber, Subscribers

ENDED_LOGS_AT_MOST = 1000
"""The number of ended streams that can be replayed token by token; older ones keep only a row."""


NOTHING = PackedEvents("")

NEWEST = PackedView(NOTHING, -1)
"""Used for every delivery of one event, because one object stays in the CPU's caches. Subscribers
keep no batch, and a delivery never causes another one."""


class _Log:
    __slots__ = (
        "cancel_intent",
        "ended_at",
        "epoch",
        "is_held",
        "order",
        "packed",
        "subscribers",
        "terminal",
        "watched_at",
    )

    def __init__(self, stream_id: str, after: int, now: float) -> None:
        self.watched_at = now
        self.packed = PackedEvents(stream_id, first=after + 1)
        self.order = Order(stream_id, after=after)
        self.epoch = 0
        self.is_held = False
        self.cancel_intent: CancelledBy | None = None
        self.ended_at: float | None = None
        self.terminal: Event | None = None
        self.subscribers: Subscribers[Subscriber] = Subscribers()

    def deliver(self) -> None:
        """Show the newest event to all subscribers."""
        newest = NEWEST
        newest.packed = packed = self.packed
        newest.last = last = packed.last
        newest.after = last - 1
        for subscriber in self.subscribers.members:
            subscriber.deliver(newest)
        newest.packed = NOTHING


class MemoryEventLog:
    """Implements `EventLog`. Belongs to one event loop; none of its methods suspends.

    Args:
        keep_seconds: how long a log is kept after its stream's end.
        keep_bytes: memory bound of all ended logs together; beyond it the logs that ended first are
            dropped. Running streams do not count. 0: no bound.
        now: seconds, monotonic.
    """

    survives_process: ClassVar[bool] = False
    appends_synchronously: ClassVar[bool] = True

    def __init__(
        self, *, keep_seconds: float, keep_bytes: int = 0, now: Callable[[], float]
    ) -> None:
        self._logs: dict[str, _Log] = {}
        self._ended: dict[str, None] = {}  # ordered by end
        self._ended_bytes = 0
        self._keep_seconds = keep_seconds
        self._keep_bytes = keep_bytes or float("inf")
        self._now = now
        self._on_cancel: OnCancel = lambda stream_id, by: None
        self._last_epoch = 0
        """The highest epoch of all streams: a log that was dropped and opened again still rejects
        its old writers."""

    async def begin(self, on_cancel: OnCancel) -> None:
        self._on_cancel = on_cancel

    async def aclose(self) -> None:
        """Do nothing: there are no connections or tasks."""

    @property
    def steady_seconds(self) -> float:
        return float("inf")

    @property
    def has_answered(self) -> bool:
        return True

    @property
    def unreachable_seconds(self) -> float:
        return 0.0

    def places(self) -> SharedPlaces | None:
        return None

    async def open(self, stream_id: str, *, after: int = -1) -> None:
        self._logs.setdefault(stream_id, _Log(stream_id, after, self._now()))

    async def acquire(self, stream_id: str) -> int | None:
        log = self._find(stream_id)
        if log.order.has_ended:
            raise LogEnded
        if log.is_held:
            return None
        log.is_held = True
        log.epoch = self._last_epoch = self._last_epoch + 1
        return log.epoch

    async def renew(self, stream_id: str, epoch: int) -> bool:
        return self._renew(stream_id, epoch)

    def _renew(self, stream_id: str, epoch: int) -> bool:
        log = self._logs.get(stream_id)
        if log is None or not log.is_held or log.epoch != epoch:
            return False
        if log.cancel_intent is not None:
            self._on_cancel(stream_id, log.cancel_intent)
        return True

    async def renew_all(self, leases: Sequence[Lease]) -> list[Lease]:
        return [lease for lease in leases if not self._renew(*lease)]

    async def release(self, stream_id: str, epoch: int) -> None:
        log = self._logs.get(stream_id)
        if log is not None and log.epoch == epoch:
            log.is_held = False

    async def append(self, stream_id: str, epoch: int, events: Sequence[Event]) -> None:
        log = self._find(stream_id)
        if epoch == log.epoch:
            log.order.seq = log.packed.last
            trial = log.order.copy()  # atomic: validate the whole batch before writing
            try:
                for event in events:
                    trial.check(event)
            except OrderError as error:
                raise order_error(trial, error) from None
        for event in events:
            self.append_now(stream_id, epoch, event)

    def append_now(self, stream_id: str, epoch: int, event: Event) -> None:
        log = self._logs.get(stream_id) or self._find(stream_id)
        order = log.order
        order.seq = log.packed.last  # `append_text` does not count
        if epoch != log.epoch:
            raise LogEnded if order.has_ended else StaleEpoch
        try:
            order.check(event)
        except OrderError as error:
            raise order_error(order, error) from None
        log.packed.append(event)
        if not order.has_ended:
            return log.deliver()
        log.ended_at = self._now()
        log.is_held = False
        log.terminal = event
        self._ended[stream_id] = None
        self._ended_bytes += log.packed.weight
        log.deliver()
        log.subscribers.members = ()

    def append_text(
        self, stream_id: str, epoch: int, seq: int, token: str, path: str | None
    ) -> None:
        log = self._logs.get(stream_id)
        if log is None or epoch != log.epoch or not log.packed.add_like_last(seq, token, path):
            return self.append_now(stream_id, epoch, chunk(stream_id, seq, token, path))
        log.deliver()

    def tell(self, stream_id: str, epoch: int, aside: Event, *, after: int) -> None:
        log = self._logs.get(stream_id)
        if log is not None and log.is_held and (log.epoch, log.packed.last) == (epoch, after):
            log.subscribers.tell(aside)

    async def subscribe(
        self,
        stream_id: str,
        deliver: Deliver,
        *,
        on_gone: Callable[[], None],
        on_aside: OnAside = ignore,
        after: int = -1,
    ) -> Callable[[], None]:
        log = self._find(stream_id)
        if not log.packed.first - 1 <= after <= log.packed.last:
            raise OutOfOrder(f"{after} is not within the log")
        if after < log.packed.last:
            deliver(PackedView(log.packed, after))
        subscriber = Subscriber(deliver, on_gone, on_aside)
        if not log.order.has_ended:
            log.subscribers.add(subscriber)
        return lambda: log.subscribers.remove(subscriber)

    async def store_cancel(self, stream_id: str, by: CancelledBy) -> LogStatus:
        log = self._find(stream_id)
        if log.cancel_intent is None and not log.order.has_ended:
            log.cancel_intent = by
        if log.cancel_intent is not None:
            self._on_cancel(stream_id, log.cancel_intent)
        return self._status(log)

    async def read(self, stream_id: str) -> list[Event]:
        log = self._find(stream_id)
        return log.packed.events(log.packed.first - 1)

    def events_of(self, stream_id: str) -> PackedEvents:
        return self._find(stream_id).packed

    async def mark_watched(self, stream_ids: Iterable[str]) -> None:
        for stream_id in stream_ids:
            if log := self._logs.get(stream_id):
                log.watched_at = self._now()

    async def status(self, stream_id: str) -> LogStatus:
        return self._status(self._find(stream_id))

    async def forget(self, stream_id: str) -> None:
        if log := self._logs.pop(stream_id, None):
            if stream_id in self._ended:
                del self._ended[stream_id]
                self._ended_bytes -= log.packed.weight
            log.subscribers.gone()

    async def sweep(self) -> None:
        expired_before = self._now() - self._keep_seconds
        for stream_id in list(self._ended):
            ended_at = self._logs[stream_id].ended_at or 0.0
            is_within = (
                len(self._ended) <= ENDED_LOGS_AT_MOST and self._ended_bytes <= self._keep_bytes
            )
            if is_within and ended_at > expired_before:
                return
            await self.forget(stream_id)

    def _find(self, stream_id: str) -> _Log:
        try:
            return self._logs[stream_id]
        except KeyError:
            raise StreamNotFound(stream_id) from None

    def _status(self, log: _Log) -> LogStatus:
        return LogStatus(
            first=log.packed.first,
            last=log.packed.last,
            epoch=log.epoch,
            is_held=log.is_held,
            terminal=log.terminal,
            cancel_intent=log.cancel_intent,
            unwatched_seconds=self._now() - log.watched_at,
        )
