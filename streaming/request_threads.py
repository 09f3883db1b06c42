"""The ASGI layer that runs Django's synchronous parts on few threads, which are used again.

Source: specs/050-live-ai-interaction/decisions/, "The handed-over response".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from asgiref.sync import ThreadSensitiveContext

from .addresses import countable_address
from .asgi_problem import send_problem
from .errors import Refused
from .handover import ASGIApp, Receive, Scope, Send

RETRY_SECONDS = 1


@dataclass(frozen=True)
class Lane:
    """Slow requests of one kind, kept off the threads that serve all others."""

    name: str
    takes: Callable[[Scope], bool]
    threads: int = 1
    at_most: int = 16
    """Requests on the lane, those that wait included; a further one is `over_capacity`."""
    at_most_per_address: int | None = None
    """Of these, how many may come from one address, so that one client can't fill the lane."""


class _Threads:
    """Threads of one worker each, and how many requests each has."""

    def __init__(self, name: str, count: int) -> None:
        executors = [
            ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"{name}-{number}")
            for number in range(count)
        ]
        self.load = dict.fromkeys(executors, 0)
        self.by_address: Counter[str] = Counter()

    def __len__(self) -> int:
        return sum(self.load.values())

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        executor = min(self.load, key=self.load.__getitem__)
        address = _address_of(scope)
        self.load[executor] += 1
        self.by_address[address] += 1
        try:
            async with ThreadSensitiveContext(executor=executor):
                await app(scope, receive, send)
        finally:
            self.load[executor] -= 1
            self.by_address[address] -= 1
            if not self.by_address[address]:
                del self.by_address[address]


class RequestThreads:
    """Runs Django's synchronous parts on a few threads that are used again.

    By itself Django starts a thread, and with it a database connection, for each request. Sharing
    is safe only because no response holds its thread: what streams or waits is handed over.

    Args:
        threads: how many serve the requests that no lane takes.
        lanes: the first one that takes a request has it.
    """

    def __init__(self, app: ASGIApp, *, threads: int = 4, lanes: Sequence[Lane] = ()) -> None:
        self._app = app
        self._threads = _Threads("request", threads)
        self._lanes = [(lane, _Threads(lane.name, lane.threads)) for lane in lanes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for lane, threads in self._lanes:
            if lane.takes(scope):
                if _is_full(lane, threads, scope):
                    refused = Refused("over_capacity", retry_after_seconds=RETRY_SECONDS)
                    return await send_problem(send, refused)
                return await threads.run(self._app, scope, receive, send)
        await self._threads.run(self._app, scope, receive, send)


def _is_full(lane: Lane, threads: _Threads, scope: Scope) -> bool:
    if len(threads) >= lane.at_most:
        return True
    share = lane.at_most_per_address
    return share is not None and threads.by_address[_address_of(scope)] >= share


def _address_of(scope: Scope) -> str:
    host = (scope.get("client") or ("", 0))[0]
    return countable_address(host) or host
