"""A visitor who uses the site as people do, and measures each action.

`python -m benchmarks.load.honest PORT...` runs until its standard input closes. It prints each
`Sample` as a line of JSON when it is complete. Actions start on schedule, whether or not earlier
ones have finished, so a stalled server receives the full load.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Origin

from .plain_http import Head, call, connection, read_head, request, session_headers

PLAIN_EVERY_SECONDS = 0.2
START_EVERY_SECONDS = 2.5  # 24 a minute: the default limit of an owner is 30
STARTS_A_SESSION = 50
"""After so many, another visitor comes: an anonymous session may start 60 answers an hour."""

PATIENCE_SECONDS = 30.0
PROMPT = "Say a few words"

Kind = Literal["plain", "sse", "websocket"]


@dataclass(frozen=True)
class Sample:
    """One measured action.

    `ms` is the time to the end of a plain call, or to the first token of a start, including the
    connection. For a failed action, it is the time until the failure.
    """

    kind: Kind
    began: float  # seconds on the system's monotonic clock
    ms: float
    failure: str = ""  # the reason; empty: no failure


class Failed(Exception):
    """Raised for an unexpected response."""


class Visitor:
    """One anonymous session at a time, which uses all of the ports in turn."""

    def __init__(self, ports: Sequence[int], tell: Callable[[Sample], None]) -> None:
        self._ports = itertools.cycle(ports)
        self._tell = tell
        self._cookies: dict[str, str] = {}
        self._starts = 0

    async def arrive(self) -> None:
        head, _ = await call(next(self._ports), "GET", "/api/config")
        self._cookies, self._starts = head.cookies, 0

    async def _count_start(self) -> None:
        if self._starts >= STARTS_A_SESSION:
            with contextlib.suppress(OSError, EOFError):  # then at the next start
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self.arrive()
        self._starts += 1

    async def stay(self, until: asyncio.Event) -> None:
        """Use the site until the event is set, and wait for running actions."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_doing(PLAIN_EVERY_SECONDS, [self._plain], until))
            starts = [self._sse, self._websocket]
            group.create_task(self._keep_doing(START_EVERY_SECONDS, starts, until))

    async def _keep_doing(
        self,
        every_seconds: float,
        things: Sequence[Callable[[], Coroutine[None, None, None]]],
        until: asyncio.Event,
    ) -> None:
        due = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for thing in itertools.cycle(things):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(due - time.monotonic()):
                        await until.wait()
                if until.is_set():
                    return
                group.create_task(thing())
                due += every_seconds

    async def _time(self, kind: Kind, do: Callable[[], Awaitable[float]]) -> None:
        began, failure = time.monotonic(), ""
        ended = began
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                ended = await do()
        except TimeoutError:
            failure = f"nothing in {PATIENCE_SECONDS:.0f} s"
        except (Failed, OSError, EOFError, WebSocketException) as error:
            failure = f"{type(error).__name__} {error}".strip()
        if failure:
            ended = time.monotonic()
        self._tell(Sample(kind, began, (ended - began) * 1000, failure))

    async def _plain(self) -> None:
        async def do() -> float:
            port = next(self._ports)
            headers = session_headers(port, self._cookies)
            _expect(200, *await call(port, "GET", "/api/blocks", headers))
            return time.monotonic()

        await self._time("plain", do)

    async def _sse(self) -> None:
        await self._count_start()

        async def do() -> float:
            port = next(self._ports)
            headers = {"Accept": "text/event-stream", "Content-Type": "application/json"}
            headers |= session_headers(port, self._cookies)
            body = json.dumps({"prompt": PROMPT}).encode()
            async with connection(port) as (reader, writer):
                writer.write(
                    request(port, "POST", "/api/stream/ai-block/ask-question", headers, body)
                )
                head = await read_head(reader)
                if head.status != 200:
                    _expect(200, head, await reader.read(4096))
                await reader.readuntil(b"event: chunk")
                first = time.monotonic()
                await reader.readuntil(b"event: complete")
                return first

        await self._time("sse", do)

    async def _websocket(self) -> None:
        await self._count_start()

        async def do() -> float:
            port = next(self._ports)
            headers = session_headers(port, self._cookies)
            url = f"ws://127.0.0.1:{port}/ws/stream"
            origin = Origin(headers.pop("Origin"))
            start = {"type": "start", "ref": "r", "block_type": "ask-question", "prompt": PROMPT}
            first = None
            async with connect(
                url,
                additional_headers=headers,
                origin=origin,
                proxy=None,
                compression=None,
                close_timeout=1,
            ) as socket:
                await socket.send(json.dumps(start))
                stream_id = None
                async for text in socket:
                    frame = json.loads(text)
                    if frame.get("ref") == "r" and frame["type"] == "start":
                        stream_id = frame["stream_id"]
                    elif frame["type"] in ("refused", "error"):
                        raise Failed(frame.get("code"))
                    elif stream_id is None or frame.get("stream_id") != stream_id:
                        continue  # belongs to another start of this session
                    elif frame["type"] == "chunk":
                        first = first or time.monotonic()
                    elif frame["type"] == "complete" and first:
                        return first
            raise Failed(f"the socket was closed with {socket.close_code}")

        await self._time("websocket", do)


def _expect(status: int, head: Head, body: bytes) -> None:
    if head.status != status:
        raise Failed(f"{head.status} {body[:200]!r}")


async def _main(ports: Sequence[int]) -> None:
    def tell(sample: Sample) -> None:
        print(json.dumps(asdict(sample)), flush=True)

    visitor = Visitor(ports, tell)
    await visitor.arrive()
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(visitor.stay(over))
        await asyncio.to_thread(sys.stdin.read)
        over.set()


if __name__ == "__main__":
    asyncio.run(_main([int(port) for port in sys.argv[1:]]))
