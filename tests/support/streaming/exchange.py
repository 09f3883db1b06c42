"""One HTTP request to the ASGI application, and its response piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from liveai.asgi import application

PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Head:
    status: int
    headers: dict[str, str]


class Exchange:
    """Acts as the server: passes the request in, and receives the response in pieces.

    `parts` counts the writes of the body. `rest` raises the application's exceptions.
    """

    def __init__(
        self,
        method: str,
        path: str,
        query: str,
        headers: list[tuple[bytes, bytes]],
        body: bytes = b"",
        *,
        on_cookie: Callable[[str], None] = lambda header: None,
        app: Any = application,
        has_gone: bool = False,
        address: str = "127.0.0.1",
    ) -> None:
        self.parts = 0
        self.has_ended = False
        self._on_cookie = on_cookie
        self._requests = [{"type": "http.request", "body": body, "more_body": False}]
        self._gone = asyncio.Event()
        if has_gone:
            self._gone.set()
        self._out: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": headers,
            "client": (address, 50_000),
            "server": ("127.0.0.1", 8000),
        }
        self.task = asyncio.create_task(self._run(app, scope))

    async def _run(self, app: Any, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self._receive, self._send)
        finally:
            self._out.put_nowait(None)

    async def _receive(self) -> dict[str, Any]:
        if self._requests:
            return self._requests.pop()
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        self._out.put_nowait(message)

    async def _next(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            message = await self._out.get()
        if message is None:
            await self.task
            raise AssertionError("the application ended without ending its answer")
        return message

    async def head(self) -> Head:
        message = await self._next()
        assert message["type"] == "http.response.start", message
        headers: dict[str, str] = {}
        for raw_name, raw_value in message["headers"]:
            name, value = raw_name.decode().lower(), raw_value.decode("latin-1")
            if name == "set-cookie":
                self._on_cookie(value)
            assert name == "set-cookie" or name not in headers, f"{name} twice"
            headers[name] = value
        return Head(message["status"], headers)

    async def part(self) -> bytes | None:
        """Return the next piece of the body; None when it is complete."""
        if self.has_ended:
            return None
        message = await self._next()
        assert message["type"] == "http.response.body", message
        self.parts += 1
        self.has_ended = not message.get("more_body", False)
        return bytes(message.get("body", b""))

    async def rest(self) -> bytes:
        """Return the rest of the body, after which the application has returned."""
        whole = b""
        while (part := await self.part()) is not None:
            whole += part
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.task
        return whole

    def disconnect(self) -> None:
        self._gone.set()

    async def aclose(self) -> None:
        """Disconnect the client; returns when the application has noticed."""
        self.disconnect()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.wait({self.task})
