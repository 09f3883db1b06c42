"""A visitor with cookies, who opens event streams and sockets and makes plain calls."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.support.schema import validate_server_frame
from tests.support.servers.sse_client import TIMEOUT_SECONDS, SseClient

TERMINAL = ("complete", "error", "cancelled")
START = "/api/stream/ai-block/ask-question"
"""Starts a stream of the block that most tests of servers use."""


class Visitor:
    """An anonymous visitor of the server at a port; every call sends `cookies`.

    Args:
        site: the host name of a proxy that ends TLS, whose headers every call sends; empty: none.
    """

    def __init__(self, port: int, *, site: str = "") -> None:
        self.port = port
        self.site = site
        self.cookies: dict[str, str] = {}

    @classmethod
    async def arrive(cls, port: int) -> Visitor:
        """Create a visitor with a session and a CSRF token."""
        visitor = cls(port)
        status, _ = await visitor.call("GET", "/api/config")
        assert status == 200
        assert {"sessionid", "csrftoken"} <= set(visitor.cookies)
        return visitor

    @property
    def headers(self) -> dict[str, str]:
        headers = {"Origin": f"http://127.0.0.1:{self.port}"}
        if self.site:
            headers = {**self._proxied, "Origin": f"https://{self.site}"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        if token := self.cookies.get("csrftoken"):
            headers["X-CSRFToken"] = token
        return headers

    @property
    def _proxied(self) -> dict[str, str]:
        return {"Host": self.site, "X-Forwarded-Proto": "https"} if self.site else {}

    async def open(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        data: Any = None,
        receive_buffer: int | None = None,
    ) -> SseClient:
        """Send any request and read the head of its response."""
        more = {"Content-Type": "application/json"} if data is not None else {}
        body = b""
        if data is not None:
            body = data if isinstance(data, bytes) else json.dumps(data).encode()
        client = await SseClient.open(
            self.port,
            path,
            method=method,
            headers={**self.headers, **more, **(headers or {})},
            body=body,
            receive_buffer=receive_buffer,
        )
        self.cookies |= client.cookies
        return client

    async def call(
        self, method: str, path: str, data: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Make a plain call; return status and JSON of the response (None: no body)."""
        async with await self.open(
            path,
            method=method,
            data=data,
            headers={"Accept": "application/json", "Connection": "close", **(headers or {})},
        ) as client:
            await client.until(lambda c: c.has_ended)
            return client.status, json.loads(client.body) if client.body else None

    async def ask(
        self,
        prompt: str,
        block: str = "ask-question",
        receive_buffer: int | None = None,
        **options: Any,
    ) -> SseClient:
        """Start a stream by GET and watch it.

        Repeats a start that is refused with `store_unavailable`, as the contract asks of clients:
        on a busy machine a process may find Redis unreachable for a moment.

        Raises:
            AssertionError: another refusal, or none but refusals in time.
        """
        path = f"/api/stream/ai-block/{block}?{urlencode({'prompt': prompt, **options})}"
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            client = await self.open(path, receive_buffer=receive_buffer)
            if client.status == 200:
                return client
            async with client:
                problem = await client.json()
            assert problem["code"] == "store_unavailable", problem
            assert time.monotonic() < deadline, problem
            await asyncio.sleep(int(client.headers["retry-after"]))

    async def watch(
        self, stream_id: str, after: int = -1, receive_buffer: int | None = None
    ) -> SseClient:
        """Watch by SSE from a cursor."""
        return await self.open(
            f"/api/streams/{stream_id}/events",
            headers={"Last-Event-ID": f"{stream_id}:{after}"},
            receive_buffer=receive_buffer,
        )

    async def snapshot(self, stream_id: str) -> dict[str, Any]:
        status, data = await self.call("GET", f"/api/streams/{stream_id}")
        assert status == 200, data
        assert isinstance(data, dict)
        return data

    @asynccontextmanager
    async def socket(
        self, query: str = "", *, max_queue: int | None = 16, receive_buffer: int | None = None
    ) -> AsyncIterator[Socket]:
        """Open a WebSocket and receive its `hello`."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        async with connect(
            f"ws://127.0.0.1:{self.port}/ws/stream{query}",
            sock=sock,
            additional_headers=self.headers,
            compression=None,
            max_size=None,
            max_queue=max_queue,
        ) as connection:
            yield await Socket.greeted(connection)


class Socket:
    """One WebSocket; `frames` are all frames so far, each validated against the schema."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.frames: list[dict[str, Any]] = []
        self.times: list[float] = []

    @classmethod
    async def greeted(cls, connection: ClientConnection) -> Socket:
        socket = cls(connection)
        hello = await socket.receive()
        assert hello["type"] == "hello"
        return socket

    async def send(self, **frame: Any) -> None:
        await self.connection.send(json.dumps(frame))

    async def start(self, prompt: str, block: str = "ask-question", **more: Any) -> str:
        """Start a stream and return its id."""
        ref = f"ref-{len(self.frames)}-{more.get('request_id', '')}"
        await self.send(type="start", ref=ref, block_type=block, prompt=prompt, **more)
        answer = await self.until(lambda frame: frame.get("ref") == ref)
        assert answer["type"] == "start", answer
        stream_id = answer["stream_id"]
        assert isinstance(stream_id, str)
        return stream_id

    async def receive(self) -> dict[str, Any]:
        """Return the next frame."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                text = await self.connection.recv()
        except TimeoutError:
            is_reading = self.connection.transport.is_reading()
            told = f"{len(self.frames)} frames before, the last: {str(self.frames[-1:])[:300]}"
            raise TimeoutError(f"silence ({is_reading=}), {told}") from None
        assert isinstance(text, str)
        frame: dict[str, Any] = json.loads(text)
        validate_server_frame(frame)
        self.frames.append(frame)
        self.times.append(asyncio.get_running_loop().time())
        return frame

    async def until(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the next frame that meets a condition; earlier ones are in `frames`."""
        while True:
            frame = await self.receive()
            if condition(frame):
                return frame

    async def until_end(self, stream_id: str) -> dict[str, Any]:
        """Return the terminal event of a stream."""
        for frame in self.frames:
            if frame.get("stream_id") == stream_id and frame["type"] in TERMINAL:
                return frame
        return await self.until(
            lambda frame: frame.get("stream_id") == stream_id and frame["type"] in TERMINAL
        )

    def stop_reading(self) -> None:
        self.connection.transport.pause_reading()

    def read_again(self) -> None:
        """Continue after `stop_reading`, with a buffer of the usual size."""
        sock = self.connection.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.connection.transport.resume_reading()

    async def until_closed(self) -> int | None:
        """Receive all further frames; return the code that closed the socket, or None."""
        try:
            while True:
                await self.receive()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None

    def events_of(self, stream_id: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame.get("stream_id") == stream_id]


class Held:
    """The events of one stream at a client, over all its connections; checks every seq."""

    def __init__(self) -> None:
        self.text = ""
        self.items: dict[str, Any] = {}
        self.arriving: dict[str, str] = {}
        self.cursor = -1
        self.snapshots = 0
        self.terminal: dict[str, Any] | None = None

    def take(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind in ("reconnect", "ping"):
            return
        if kind in ("thinking", "queue"):
            assert self.terminal is None, f"{kind} after the end"
            return
        if kind == "start":
            assert event["after"] == self.cursor
            return
        assert self.terminal is None, f"{kind} after the end"
        if kind == "snapshot":
            self.snapshots += 1
            self.text, self.arriving = event["text"], dict(event["arriving"])
            self.items = {item["path"]: item["value"] for item in event["items"]}
            self.cursor = event["seq"]
            return
        first = event.get("first_seq", event["seq"])
        assert first == self.cursor + 1, f"{first} after {self.cursor}"
        self.cursor = event["seq"]
        if kind == "chunk" and "path" in event:
            path = event["path"]
            self.arriving[path] = self.arriving.get(path, "") + event["token"]
        elif kind == "chunk":
            self.text += event["token"]
        elif kind == "item":
            self.arriving = {}
            if event["value"] is not None:
                self.items[event["path"]] = event["value"]
        elif kind == "reset":
            self.text, self.items, self.arriving = "", {}, {}
        else:
            assert kind in TERMINAL
            self.terminal = event

    def take_all(self, events: list[dict[str, Any]]) -> Held:
        for event in events:
            self.take(event)
        return self
