"""The ASGI layer that runs Django's synchronous parts on a small, reused set of threads.

Source: specs/050-live-ai-interaction/decisions/, "The handed-over response".
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from asgiref.sync import SyncToAsync, ThreadSensitiveContext, async_to_sync, sync_to_async

from ..access.addresses import countable_address
from ..errors import Refused
from .asgi_problem import send_problem
from .asgi_types import ASGIApp, Receive, Scope, Send
from .lane_turns import Turns

R = TypeVar("R")

RETRY_SECONDS = 1

OF_AN_ADDRESS = 8
"""Concurrent requests of one address on the threads; its further requests queue."""

_lane: ContextVar[str | None] = ContextVar("lane", default=None)


_executor: ContextVar[Executor | None] = ContextVar("request_executor", default=None)
_loop: ContextVar[asyncio.AbstractEventLoop | None] = ContextVar("request_loop", default=None)


def has_request_thread() -> bool:
    """Whether the layer has given this request a thread; false without the layer (in tests)."""
    return _executor.get() is not None


async def on_request_thread(work: Callable[..., R], *args: Any) -> R:
    """Run synchronous work on the request's thread, as asgiref's `sync_to_async` does.

    It does less than asgiref: changes of context variables stay on the thread. The work may call
    `on_loop`.
    """
    executor = _executor.get()
    if executor is None:  # without the layer (in tests)
        return await sync_to_async(work, thread_sensitive=True)(*args)
    loop = asyncio.get_running_loop()
    context = copy_context()
    context.run(_loop.set, loop)
    return await loop.run_in_executor(executor, partial(context.run, work, *args))


def on_loop(work: Callable[[], Coroutine[Any, Any, R]]) -> R:
    """Run work on the loop of the calling request thread, which waits for it.

    The work must not call `sync_to_async` with thread sensitivity: that is the waiting thread.
    """
    loop = _loop.get()
    if loop is None:

        async def run() -> R:
            return await work()

        return async_to_sync(run)()
    return asyncio.run_coroutine_threadsafe(work(), loop).result()


def serving_loop() -> asyncio.AbstractEventLoop | None:
    """Return the running loop of the server whose request this thread serves; None: it serves none.

    With the layer it is the request's; without it, where asgiref's `async_to_sync` would run.
    """
    loop = _loop.get() or getattr(SyncToAsync.threadlocal, "main_event_loop", None)
    return loop if loop is not None and loop.is_running() else None


def is_on_lane(name: str) -> bool:
    """Whether this request runs on that lane; always true without the layer (in tests)."""
    return _lane.get() in (name, None)


def _counts_under_nothing(scope: Scope) -> Mapping[str, int]:
    return {}


@dataclass(frozen=True)
class Lane:
    """One kind of slow requests, with threads of its own, so that it delays no other requests."""

    name: str
    takes: Callable[[Scope], bool]
    threads: int = 1
    at_most: int = 16
    """Requests on the lane, including waiting ones; a further one is refused as `over_capacity`."""

    shares_of: Callable[[Scope], Mapping[str, int]] = _counts_under_nothing
    """Returns the keys that a request counts under, each with its limit of requests on the lane;
    a further request is refused as `rate_limited`."""


@dataclass(frozen=True)
class LaneInTurns:
    """One kind of slow requests that people wait for: they wait in line instead of being refused.

    The application answers a refused request. It finds the refusal in the scope, as `refused`.
    """

    name: str
    takes: Callable[[Scope], bool]
    address_of: Callable[[Scope], str]
    threads: int
    of_an_address: int
    waiting: int
    seconds: float
    """See `Turns`."""


class _Threads:
    """Single-thread executors, and the number of requests on each."""

    def __init__(self, name: str, count: int) -> None:
        executors = [
            ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"{name}-{number}")
            for number in range(count)
        ]
        self.load = dict.fromkeys(executors, 0)

    def __len__(self) -> int:
        return sum(self.load.values())

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        executor = min(self.load, key=self.load.__getitem__)
        self.load[executor] += 1
        _executor.set(executor)
        try:
            async with ThreadSensitiveContext(executor=executor):
                await app(scope, receive, send)
        finally:
            self.load[executor] -= 1


class _LaneThreads:
    """A lane's threads, and its requests by key."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self._threads = _Threads(lane.name, lane.threads)
        self._counts: Counter[str] = Counter()

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        shares = self.lane.shares_of(scope)
        if any(self._counts[name] >= at_most for name, at_most in shares.items()):
            refused = Refused(
                "rate_limited",
                "A similar request of yours is still in progress.",
                retry_after_seconds=RETRY_SECONDS,
            )
            return await send_problem(send, refused)
        if len(self._threads) >= self.lane.at_most:
            refused = Refused("over_capacity", retry_after_seconds=RETRY_SECONDS)
            return await send_problem(send, refused)
        self._counts.update(shares.keys())
        try:
            await self._threads.run(app, scope, receive, send)
        finally:
            self._counts.subtract(shares.keys())
            self._counts += Counter()  # drops the zeros


class _LaneInTurnsThreads:
    """The threads of a lane in turns, and its line."""

    def __init__(self, lane: LaneInTurns) -> None:
        self.lane = lane
        self._threads = _Threads(lane.name, lane.threads)
        self.turns = Turns(
            at_once=lane.threads,
            of_an_address=lane.of_an_address,
            waiting=lane.waiting,
            seconds=lane.seconds,
        )

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await self.turns.wait(self.lane.address_of(scope))
        try:
            await self._threads.run(app, scope, receive, send)
        finally:
            self.turns.leave()


def _threads_of(lane: Lane | LaneInTurns) -> _LaneThreads | _LaneInTurnsThreads:
    return _LaneThreads(lane) if isinstance(lane, Lane) else _LaneInTurnsThreads(lane)


class _Queues:
    """A FIFO queue for each address, which admits at most `at_most` of its requests at a time.

    So hundreds of requests from one address do not delay those of all others.
    """

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._places: dict[str, asyncio.Semaphore] = {}
        self._users: Counter[str] = Counter()

    @asynccontextmanager
    async def turn(self, address: str | None) -> AsyncIterator[None]:
        """Hold one of the address's places for the duration of the context.

        Args:
            address: None for a proxy's own address, which many visitors share; it does not queue.
        """
        if address is None:
            yield
            return
        places = self._places.setdefault(address, asyncio.Semaphore(self._at_most))
        self._users[address] += 1
        try:
            async with places:
                yield
        finally:
            self._users[address] -= 1
            if not self._users[address]:
                del self._users[address], self._places[address]


class RequestThreads:
    """Runs Django's synchronous parts on a small, reused set of threads.

    Without it, Django starts a thread, and thus a database connection, for each request. Sharing
    threads is safe only because no response holds one: streaming and waiting ones are handed over.

    Args:
        threads: number of threads for requests without a lane.
        lanes: the first lane that accepts a request runs it.
    """

    def __init__(
        self, app: ASGIApp, *, threads: int = 4, lanes: Sequence[Lane | LaneInTurns] = ()
    ) -> None:
        self._app = app
        self._queues = _Queues(OF_AN_ADDRESS)
        self._threads = _Threads("request", threads)
        self._lanes = [_threads_of(lane) for lane in lanes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for lane in self._lanes:
            if lane.lane.takes(scope):
                _lane.set(lane.lane.name)
                try:
                    return await lane.run(self._app, scope, receive, send)
                except Refused as refused:  # by the line
                    scope = {**scope, "refused": refused}
                break
        _lane.set("")
        client = scope.get("client") or (None,)
        async with self._queues.turn(countable_address(client[0])):
            await self._threads.run(self._app, scope, receive, send)
