"""An event log in Redis for many processes.

Each answer is a Redis Stream, and each batch is one entry. Scripts check and write atomically
(`scripts.py`). Pub/sub carries batches to subscribed processes, but only to reduce latency: missing
events are read from the log. The holder of a stream's lease feeds its own subscribers directly from
its appends.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, cast

from ...loop.every import every
from ...loop.tasks import Tasks
from ...protocol.events import CancelledBy, Event
from ...protocol.order import Order, OrderError
from ..base import (
    Deliver,
    Lease,
    LogEnded,
    LogError,
    LogStatus,
    LogUnavailable,
    OnAside,
    OnCancel,
    OutOfOrder,
    SharedPlaces,
    StaleEpoch,
    StreamNotFound,
    ignore,
    order_error,
)
from . import scripts
from .batches import decode_batch, encode_aside, encode_batch
from .connections import ERROR_REPLIES, FAILURES, LIMIT_SECONDS, RedisConnections, error_of
from .delivery import Delivery, Page
from .pipe import Pipe
from .places import RedisPlaces
from .positions import PositionedSubscriber
from .pubsub import PubSub

RETRY_SECONDS = 0.25
PING_SECONDS = 1.0
LEASE_SECONDS = 6.0
UNFINISHED_SECONDS = 86_400
"""Age after which an unfinished log is dropped unless a generator writes it or takes it over."""

PAGE_BATCHES = 200
_SHAS = {text: hashlib.sha1(text.encode()).hexdigest() for text in scripts.ALL}
_LOAD = [("SCRIPT", "LOAD", text) for text in scripts.ALL]
_ERRORS = {
    scripts.GONE: StreamNotFound,
    scripts.ENDED: LogEnded,
    scripts.STALE: StaleEpoch,
    scripts.ORDER: OutOfOrder,
}


class RedisEventLog:
    """Implements `EventLog`. Belongs to one event loop; uses three connections for all streams."""

    survives_process: ClassVar[bool] = True
    appends_synchronously: ClassVar[bool] = False

    def __init__(
        self,
        url: str,
        *,
        prefix: str,
        keep_seconds: float,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._prefix = prefix
        self._keep_seconds = max(1, round(keep_seconds))
        self._lease_ms = round(lease_seconds * 1000)
        self._connections = RedisConnections(url)
        self._writes, self._reads = self._pipe(), self._pipe()
        self._cancels = f"{prefix}:cancels".encode()
        self._pubsub = PubSub(
            self._connections.dialler(),
            on_restored=lambda: self._delivery.catch_up(),
            failures=FAILURES,
            limit_seconds=LIMIT_SECONDS,
        )
        self._held: dict[str, int] = {}  # epochs of the leases that this process holds
        self._claims: dict[str, str] = {}  # claims of acquire attempts with an unknown outcome
        self._delivery = Delivery(
            self._pubsub,
            read_page=self._page,
            is_fed=self._held.__contains__,
            channel_of=lambda stream_id: _keys(prefix, stream_id)[1].encode(),
        )
        self._on_cancel: OnCancel = lambda stream_id, by: None
        self._tasks = Tasks()

    # --- life -----------------------------------------------------------------

    async def begin(self, on_cancel: OnCancel) -> None:
        self._on_cancel = on_cancel
        self._pubsub.begin()
        self._tasks.start(self._subscribe_to_cancels())
        self._delivery.begin()
        await self._ping()
        self._tasks.start(every(PING_SECONDS, self._ping))

    async def aclose(self) -> None:
        await self._delivery.aclose()
        await self._tasks.aclose()
        await self._pubsub.aclose()
        await self._writes.aclose()
        await self._reads.aclose()
        await self._connections.aclose()

    async def _subscribe_to_cancels(self) -> None:
        with contextlib.suppress(LogUnavailable):  # the channel stays wanted
            await self._pubsub.want(self._cancels, self._on_cancel_message)

    async def _ping(self) -> None:
        """Ping, so that an idle process also knows whether Redis is reachable."""
        with contextlib.suppress(LogError):  # the pipe has noted it
            await self._writes.run("PING")

    def _on_cancel_message(self, data: bytes) -> None:
        stream_id, _, by = data.decode().partition(" ")
        if stream_id in self._held:
            self._on_cancel(stream_id, cast(CancelledBy, by))

    def places(self) -> SharedPlaces | None:
        return RedisPlaces(self._writes.run, prefix=self._prefix)

    # --- leases ---------------------------------------------------------------

    @property
    def steady_seconds(self) -> float:
        return self._writes.steady_seconds

    @property
    def has_answered(self) -> bool:
        return self._writes.has_answered

    @property
    def unreachable_seconds(self) -> float:
        return self._writes.unreachable_seconds

    async def open(self, stream_id: str, *, after: int = -1) -> None:
        await self._run(scripts.OPEN, stream_id, after, UNFINISHED_SECONDS)

    async def acquire(self, stream_id: str) -> int | None:
        claim = self._claims.pop(stream_id, None) or secrets.token_hex(8)
        try:
            reply = await self._run(
                scripts.ACQUIRE, stream_id, self._lease_ms, UNFINISHED_SECONDS, claim
            )
        except LogUnavailable:
            # This process may hold the lease now: a retry must recognise its own claim.
            self._claims[stream_id] = claim
            raise
        if reply is None:
            return None
        epoch = self._held[stream_id] = int(reply)
        self._delivery.fed_here(stream_id)
        return epoch

    async def renew(self, stream_id: str, epoch: int) -> bool:
        try:
            intent = await self._run(scripts.RENEW, stream_id, epoch, self._lease_ms)
        except StreamNotFound:
            # Redis lost the log, but no other generator took the lease. The writer reopens the log,
            # and keeps its subscribers here. If it can't, releasing the lease informs them.
            return False
        return self._is_renewed(stream_id, epoch, intent)

    async def renew_all(self, leases: Sequence[Lease]) -> list[Lease]:
        sha = _SHAS[scripts.RENEW]
        replies = await self._writes.run_all(
            ("EVALSHA", sha, 2, *_keys(self._prefix, stream_id), epoch, self._lease_ms)
            for stream_id, epoch in leases
        )
        lost = []
        for lease, reply in zip(leases, replies, strict=True):
            if isinstance(reply, LogUnavailable):
                continue  # not renewed for now
            if isinstance(reply, BaseException):
                # Redis does not know the script any more, or refuses writes: `renew` loads the
                # script, or raises what is wrong.
                if not await self.renew(*lease):
                    lost.append(lease)
                continue
            is_gone = isinstance(reply, bytes) and _ERRORS.get(reply) is StreamNotFound
            if is_gone or not self._is_renewed(*lease, reply):
                lost.append(lease)
        return lost

    def _is_renewed(self, stream_id: str, epoch: int, intent: bytes | None) -> bool:
        if intent is None:
            self._lose(stream_id, epoch)
        elif intent:
            self._on_cancel(stream_id, cast(CancelledBy, intent.decode()))
        return intent is not None

    async def release(self, stream_id: str, epoch: int) -> None:
        self._lose(stream_id, epoch)
        with contextlib.suppress(LogUnavailable):
            await self._run(scripts.RELEASE, stream_id, epoch)

    def _lose(self, stream_id: str, epoch: int) -> None:
        if self._held.get(stream_id) == epoch:
            del self._held[stream_id]
            self._delivery.fed_elsewhere(stream_id)

    # --- writing --------------------------------------------------------------

    async def append(self, stream_id: str, epoch: int, events: Sequence[Event]) -> None:
        first, last = _check(stream_id, events)
        batch = encode_batch(events)
        keep = self._keep_seconds if events[-1].is_terminal else ""
        is_again = 0
        while True:
            try:
                await self._run(
                    scripts.APPEND, stream_id, epoch, first, last, batch, keep,
                    UNFINISHED_SECONDS, is_again,
                )  # fmt: skip
                break
            except LogUnavailable:
                # No unlogged event is shown. The outcome is unknown, so the script checks for it.
                is_again = 1
                await asyncio.sleep(RETRY_SECONDS)
            except (StaleEpoch, LogEnded):
                self._lose(stream_id, epoch)
                raise
        self._delivery.feed(stream_id, events)
        if keep:
            self._held.pop(stream_id, None)

    def tell(self, stream_id: str, epoch: int, aside: Event, *, after: int) -> None:
        if self._held.get(stream_id) == epoch:
            self._delivery.tell(stream_id, aside, after)
            if not self._writes.is_unreachable:
                self._tasks.start(self._publish(stream_id, epoch, aside, after))

    async def _publish(self, stream_id: str, epoch: int, aside: Event, after: int) -> None:
        with contextlib.suppress(LogError):
            await self._run(scripts.TELL, stream_id, epoch, after, encode_aside(aside, after))

    async def store_cancel(self, stream_id: str, by: CancelledBy) -> LogStatus:
        await self._run(scripts.CANCEL, stream_id, by, self._cancels, stream_id)
        return await self.status(stream_id)

    async def mark_watched(self, stream_ids: Iterable[str]) -> None:
        marking = [self._run(scripts.SEEN, stream_id) for stream_id in stream_ids]
        await asyncio.gather(*marking, return_exceptions=True)

    async def forget(self, stream_id: str) -> None:
        with contextlib.suppress(LogUnavailable):
            await self._run(scripts.FORGET, stream_id)
        self._held.pop(stream_id, None)
        self._claims.pop(stream_id, None)
        self._delivery.drop(stream_id)

    async def sweep(self) -> None:
        """Do nothing: Redis expires the keys."""

    # --- reading --------------------------------------------------------------

    async def status(self, stream_id: str) -> LogStatus:
        reply = await self._run(scripts.STATUS, stream_id)
        if reply is None:
            raise StreamNotFound(stream_id)
        last, epoch, is_held, intent, unseen_ms, end, first, is_restored = reply
        return LogStatus(
            first=first,
            last=last,
            epoch=epoch,
            is_held=bool(is_held),
            terminal=decode_batch(stream_id, end)[-1] if end else None,
            cancel_intent=cast(CancelledBy, intent.decode()) if intent else None,
            unwatched_seconds=max(0.0, unseen_ms / 1000),
            is_restored=bool(is_restored),
        )

    async def read(self, stream_id: str) -> list[Event]:
        events: list[Event] = []
        after = -1
        while True:
            page = await self._page(stream_id, after)
            for batch in page.batches:
                events += batch
            if page.is_last:
                return events
            after = _bounds_of(page.batches[-1])[1]

    async def subscribe(
        self,
        stream_id: str,
        deliver: Deliver,
        *,
        on_gone: Callable[[], None],
        on_aside: OnAside = ignore,
        after: int = -1,
    ) -> Callable[[], None]:
        self._refuse_if_unreachable()  # fail fast: subscribing would wait
        return await self._delivery.subscribe(
            stream_id, PositionedSubscriber(deliver, on_gone, after, on_aside)
        )

    async def _page(self, stream_id: str, after: int) -> Page:
        """Read one page of the log.

        Raises:
            StreamNotFound: the log does not exist, or lacks events.
            LogUnavailable
        """
        reply = await self._read(scripts.READ, stream_id, after, PAGE_BATCHES)
        if reply is None:
            raise StreamNotFound(stream_id)
        first, last, has_ended, batches = reply
        page = Page(
            first, last, bool(has_ended), [decode_batch(stream_id, batch) for batch in batches]
        )
        there = _bounds_of(page.batches[0])[0] if page.batches else last + 1
        if page.first - 1 <= after and there > after + 1:
            raise StreamNotFound(stream_id)
        return page

    # --- Redis ------------------------------------------------------------------

    def _pipe(self) -> Pipe:
        return Pipe(
            self._connections.dialler(),
            prepare=_LOAD,
            error_of=error_of,
            error_replies=ERROR_REPLIES,
            failures=FAILURES,
            limit_seconds=LIMIT_SECONDS,
            on_back=lambda: self._delivery.catch_up(),
        )

    async def _run(self, script: str, stream_id: str, *arguments: Any) -> Any:
        """Run a script on the stream's keys.

        Raises:
            LogError: the error that the script reports, or LogUnavailable.
        """
        keys = _keys(self._prefix, stream_id)
        reply = await self._writes.run("EVALSHA", _SHAS[script], 2, *keys, *arguments)
        error = _ERRORS.get(reply) if isinstance(reply, bytes) else None
        if error is not None:
            raise error(stream_id)
        return reply

    async def _read(self, script: str, stream_id: str, *arguments: Any) -> Any:
        """Run a read on a separate connection, so that a long log does not delay writes."""
        self._refuse_if_unreachable()
        keys = _keys(self._prefix, stream_id)
        return await self._reads.run("EVALSHA", _SHAS[script], 2, *keys, *arguments)

    def _refuse_if_unreachable(self) -> None:
        """Fail fast if Redis is unreachable.

        The write pipe's status counts for all connections, because its pings keep it current.

        Raises:
            LogUnavailable
        """
        if self._writes.is_unreachable:
            raise LogUnavailable


def _keys(prefix: str, stream_id: str) -> tuple[str, str]:
    return f"{prefix}:{{{stream_id}}}", f"{prefix}:{{{stream_id}}}:log"


def _bounds_of(batch: Sequence[Event]) -> tuple[int, int]:
    first, last = batch[0].seq, batch[-1].seq
    assert first is not None and last is not None
    return first, last


def _check(stream_id: str, events: Sequence[Event]) -> tuple[int, int]:
    """Check that a batch is contiguous, and return its first and last seq.

    Raises:
        LogEnded, OutOfOrder
    """
    first = events[0].seq
    order = Order(stream_id, after=-1 if first is None else first - 1)
    try:
        for event in events:
            order.check(event)
    except OrderError as error:
        raise order_error(order, error) from None
    return _bounds_of(events)
