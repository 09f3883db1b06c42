"""A client that repeatedly drops its connection and reconnects until it has the end.

    service = await Service.arrive([server.port for server in servers])
    viewing = await watch_to_the_end(service, Start(plan.prompt), rng=rng, drops=3)

It follows the contract for clients. It resumes from its cursor, over any transport and at any
server. While it knows no stream it repeats the start with the same `request_id`. It waits as long
as a refusal says. It treats an end without a terminal event as a dropped connection. It records
everything, and checks only the framing; `checker.check` checks the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.faults.history import TERMINAL, Connection, Event, Viewing
from tests.support.faults.line import Line, LineEnded, SocketLine, SseLine
from tests.support.servers.visitor import Visitor

# Transient refusals: the same request may succeed later, or elsewhere.
_PASSING = ("http 429", "http 502", "http 503", "http 504")
_PASSING_CODES = (
    "rate_limited",
    "too_many_streams",
    "quota_exceeded",
    "shutting_down",
    "store_unavailable",
    "over_capacity",
)
_LONGEST_WAIT_SECONDS = 2.0  # servers may ask for more, but tests don't wait that long


@dataclass
class Service:
    """Servers that form one service, and one of its visitors.

    `ports` may change while clients watch; clients retry a port where nothing listens.
    """

    ports: list[int]
    cookies: dict[str, str] = field(default_factory=dict)
    site: str = ""
    """As a visitor's."""

    @classmethod
    async def arrive(cls, ports: list[int]) -> Service:
        """Connect as an anonymous visitor with a new session."""
        visitor = await Visitor.arrive(ports[0])
        return cls(ports, visitor.cookies)

    def visitor(self, port: int | None = None) -> Visitor:
        """Return the same visitor, for plain calls."""
        visitor = Visitor(port or self.ports[0], site=self.site)
        visitor.cookies = dict(self.cookies)
        return visitor

    def headers(self, port: int) -> dict[str, str]:
        return self.visitor(port).headers


@dataclass(frozen=True)
class Start:
    """The content of a start. Its `request_id` makes repeated starts one stream."""

    prompt: str
    block: str = "ask-question"
    options: dict[str, Any] = field(default_factory=dict)
    request_id: str = ""


def start_of(prompt: str, rng: random.Random, block: str = "ask-question", **options: Any) -> Start:
    """Build a start with a `request_id` of its own, which depends only on `rng`."""
    request_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    return Start(prompt, block, options, request_id)


async def watch_to_the_end(
    service: Service,
    start: Start | None = None,
    *,
    rng: random.Random,
    stream_id: str = "",
    name: str = "viewer",
    transports: str = "sw",
    drops: int = 0,
    within_bytes: int = 4_000,
    deadline_seconds: float = 60.0,
    on_start: Callable[[str], None] | None = None,
    viewing: Viewing | None = None,
) -> Viewing:
    """Start a stream, or attach to one by its id, and watch it to its terminal event.

    Args:
        transports: `s` and `w`; each connection picks one of them at random.
        drops: how often the connection breaks before the client accepts the end.
        within_bytes: the connection breaks at a random byte of a response, below this one.
        deadline_seconds: after this time the viewing stays unfinished.
        on_start: called with the stream's id once it is known.
        viewing: an empty one to record into, for callers that observe it meanwhile; its name
            replaces `name`.

    Returns:
        The viewing. Its `end` is None if the deadline came first, or after a permanent refusal (see
        `ended_by` of the last connection).
    """
    assert start is not None or stream_id, "neither a start nor a stream"
    watcher = _Watcher(service, start, stream_id, rng, name, transports, drops, within_bytes)
    watcher.on_start = on_start
    if viewing is not None:
        watcher.viewing = viewing
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(deadline_seconds):
            await watcher.run()
    return watcher.viewing


class _Watcher:
    def __init__(
        self,
        service: Service,
        start: Start | None,
        stream_id: str,
        rng: random.Random,
        name: str,
        transports: str,
        drops: int,
        within_bytes: int,
    ) -> None:
        self.viewing = Viewing(name)
        self.stream_id = stream_id
        self.on_start: Callable[[str], None] | None = None
        self._service = service
        self._start = start
        self._rng = rng
        self._transports = transports
        self._drops_left = drops
        self._within_bytes = within_bytes
        self._cursor = -1
        self._has_ended = False

    async def run(self) -> None:
        while not self._has_ended:
            wait_seconds = await self._connect_once()
            if wait_seconds is None:
                return
            await asyncio.sleep(wait_seconds)

    async def _connect_once(self) -> float | None:
        """Run one connection to its end; return the delay before the next, or None to stop."""
        loop = asyncio.get_running_loop()
        port = self._rng.choice(self._service.ports)
        by_socket = self._rng.choice(self._transports) == "w"
        transport = "websocket" if by_socket else "sse"
        connection = Connection(transport, port, self._cursor, loop.time(), ended_by="deadline")
        self.viewing.connections.append(connection)
        line: Line | None = None
        try:
            line = await (self._open_socket(port) if by_socket else self._open_sse(port))
            if self._drops_left:
                line.limit = self._draw_limit()
            if isinstance(line, SocketLine):
                await self._ask(line)
            while True:
                for event in await line.read():
                    self._take(event, connection)
        except LineEnded as ended:
            connection.ended_by = ended.why
            self._drops_left -= ended.why == "drop"
            if ended.why == "terminal":
                return 0.0
            return self._wait_seconds(ended)
        finally:
            connection.ended_at = loop.time()
            if line is not None:
                line.reset()

    def _draw_limit(self) -> int:
        # Some connections break before any byte, some in the head, most in mid-answer.
        if self._rng.random() < 0.2:
            return self._rng.randrange(600)
        return self._rng.randrange(self._within_bytes)

    def _wait_seconds(self, ended: LineEnded) -> float | None:
        if ended.wait_seconds is not None:
            return min(ended.wait_seconds, _LONGEST_WAIT_SECONDS) * self._rng.uniform(0.5, 1.0)
        if ended.why in ("drop", "lost", "closed", "closed 1012", "closed 1013"):
            return self._rng.uniform(0.0, 0.05)
        if ended.why == "refused" or ended.why in _PASSING or "closed" in ended.why:
            return self._rng.uniform(0.1, 0.3)
        return None

    async def _open_sse(self, port: int) -> SseLine:
        headers = self._service.headers(port)
        start = self._start
        if self.stream_id:
            place = {"Last-Event-ID": f"{self.stream_id}:{self._cursor}"}
            ways = ["id", "after", "again"] if start is not None else ["id", "after"]
            way = self._rng.choice(ways)
            path = f"/api/streams/{self.stream_id}/events"
            if way == "id":
                return await SseLine.open(port, path, headers={**headers, **place})
            if way == "after":
                return await SseLine.open(port, f"{path}?after={self._cursor}", headers=headers)
            # Like an EventSource: repeat the start with its last id.
            headers |= place
        assert start is not None
        return await SseLine.open(
            port,
            f"/api/stream/ai-block/{start.block}",
            headers=headers,
            data={
                "prompt": start.prompt,
                "options": start.options,
                "request_id": start.request_id,
            },
        )

    async def _open_socket(self, port: int) -> SocketLine:
        path = "/ws/stream?follow=none"
        return await SocketLine.open(port, path, headers=self._service.headers(port))

    async def _ask(self, line: SocketLine) -> None:
        """Wait for the socket's `hello`, then send the request."""
        while not (frames := await line.read()):
            pass
        if frames[0]["type"] == "closed":
            raise LineEnded(f"closed {frames[0]['code']}")
        assert frames[0]["type"] == "hello", frames[0]
        if self.stream_id:
            return await line.send(
                type="resume", ref="r", stream_id=self.stream_id, after=self._cursor
            )
        start = self._start
        assert start is not None
        await line.send(
            type="start",
            ref="r",
            block_type=start.block,
            prompt=start.prompt,
            options=start.options,
            request_id=start.request_id,
        )

    def _take(self, event: Event, connection: Connection) -> None:
        kind = event["type"]
        if kind in TERMINAL and self._drops_left:
            raise LineEnded("drop")  # simulate a drop just before the end
        if kind == "closed":
            raise LineEnded(f"closed {event['code']}")
        if kind == "refused":
            wait_ms = event.get("retry_after_ms")
            if event["code"] not in _PASSING_CODES:
                raise LineEnded(f"refused {event['code']}")
            raise LineEnded("http 503", None if wait_ms is None else wait_ms / 1000)
        connection.events.append(event)
        connection.times.append(asyncio.get_running_loop().time())
        if kind == "start" and not self.stream_id:
            self.stream_id = event["stream_id"]
            if self.on_start is not None:
                self.on_start(self.stream_id)
        if kind == "reconnect":
            raise LineEnded("reconnect", event["retry_ms"] / 1000)
        if "seq" in event and event["stream_id"] == self.stream_id:
            self._cursor = event["seq"]
        if kind in TERMINAL:
            self._has_ended = True
            raise LineEnded("terminal")
