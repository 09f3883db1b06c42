"""A visitor's WebSocket, each frame checked against the contract."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from channels.testing import WebsocketCommunicator

from streaming.routing import websocket_application
from tests.support.schema import validate_server_frame
from tests.support.streaming.tape import Tape

PATIENCE_SECONDS = 10.0
HANDSHAKE = {"websocket.accept", "websocket.close"}


class Socket:
    """A WebSocket; `tapes` holds the events of each stream."""

    def __init__(
        self,
        path: str,
        headers: list[tuple[bytes, bytes]],
        on_cookie: Callable[[str], None],
        *,
        address: str = "127.0.0.1",
        subprotocols: Sequence[str] = (),
    ) -> None:
        self.tapes: dict[str, Tape] = {}
        self.hello: dict[str, Any] = {}
        self._on_cookie = on_cookie
        self._is_open = False
        self._wire = WebsocketCommunicator(websocket_application, path, headers)
        self._wire.scope["client"] = (address, 50_000)
        self._wire.scope["subprotocols"] = list(subprotocols)

    async def handshake(self) -> dict[str, Any]:
        """Return the server's response to the handshake: an accept, or a close, which means 403."""
        await self._wire.send_input({"type": "websocket.connect"})
        message: dict[str, Any] = await self._wire.receive_output(PATIENCE_SECONDS)
        assert message["type"] in HANDSHAKE
        self._is_open = message["type"] == "websocket.accept"
        for name, value in message.get("headers", []):
            if name.lower() == b"set-cookie":
                self._on_cookie(value.decode())
        return message

    async def open(self) -> dict[str, Any]:
        assert (await self.handshake())["type"] == "websocket.accept"
        self.hello = await self.hear()
        assert self.hello["type"] == "hello"
        return self.hello

    async def say(self, **frame: Any) -> None:
        await self.say_text(json.dumps(frame))

    async def say_text(self, text: str) -> None:
        await self._wire.send_input({"type": "websocket.receive", "text": text})

    async def say_bytes(self, data: bytes) -> None:
        await self._wire.send_input({"type": "websocket.receive", "bytes": data})

    async def hear(self) -> dict[str, Any]:
        """Return the next frame."""
        message = await self._wire.receive_output(PATIENCE_SECONDS)
        assert message["type"] == "websocket.send", message
        message["text"].encode()  # a server can't send a lone surrogate
        frame: dict[str, Any] = json.loads(message["text"])
        validate_server_frame(frame)
        stream_id = frame.get("stream_id")
        if stream_id is not None and frame["type"] != "refused":
            self.tape(stream_id).take(frame)
        return frame

    def tape(self, stream_id: str) -> Tape:
        return self.tapes.setdefault(stream_id, Tape())

    async def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Receive until a frame of that type with these fields."""
        while True:
            frame = await self.hear()
            if frame["type"] == kind and fields.items() <= frame.items():
                return frame

    async def end_of(self, stream_id: str) -> dict[str, Any]:
        """Receive until a stream's end; return its terminal event."""
        tape = self.tape(stream_id)
        while tape.terminal is None:
            await self.hear()
        return tape.terminal

    async def text_of(self, stream_id: str, wanted: str) -> None:
        while self.tape(stream_id).text != wanted:
            await self.hear()

    async def before_pong(self) -> list[dict[str, Any]]:
        """Send a ping now, and return everything received before its pong."""
        await self.say(type="ping")
        heard = []
        while (frame := await self.hear())["type"] != "pong":
            heard.append(frame)
        return heard

    async def closed(self) -> int:
        """Receive until the server closes; return the code."""
        while True:
            message = await self._wire.receive_output(PATIENCE_SECONDS)
            if message["type"] == "websocket.close":
                self._is_open = False
                code: int = message["code"]
                return code
            frame = json.loads(message["text"])
            validate_server_frame(frame)

    async def aclose(self) -> None:
        if self._wire.future is None or self._wire.future.done():
            return
        await self._wire.send_input({"type": "websocket.disconnect", "code": 1000})
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.wait({self._wire.future})
        self._wire.future.result()
