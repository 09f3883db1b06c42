"""The measure of what is possible: the same provider's tokens in the same frames from bare uvicorn,
with nothing in between.

`python -m benchmarks.load.raw_asgi PORT TOKENS EVERY_MS` serves them to any request and socket.
No framework, no log, no resume, no shared frames: a coroutine per connection formats and writes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import uvicorn

from blocks.providers.base import ChatRequest, Message, Token
from blocks.providers.script import parse_script
from blocks.providers.scripted import ScriptedProvider

REQUEST = ChatRequest((Message("user", "x"),), temperature=1.0, max_tokens=1)
STREAM_ID = "0123456789abcdefghijkl"  # as long as a real one
_encode = json.JSONEncoder(ensure_ascii=False).encode


class RawApp:
    def __init__(self, tokens: int, every_ms: float) -> None:
        steps = [{"clock": tokens, "every_ms": every_ms}]
        self._provider = ScriptedProvider(parse_script({"steps": steps}))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self._http(send)
        else:
            await self._websocket(receive, send)

    async def _http(self, send: Any) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async for kind, seq, data in self._events():
            text = f"id: {STREAM_ID}:{seq}\nevent: {kind}\ndata: {data}\n\n"
            await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _websocket(self, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()  # the start
        async for _, _, data in self._events():
            await send({"type": "websocket.send", "text": data})
        await receive()  # the disconnect

    async def _events(self) -> AsyncIterator[tuple[str, int, str]]:
        """Type, seq and JSON of each event, from the provider that the other server has too."""
        seq = 0
        async for piece in self._provider.stream(REQUEST):
            if isinstance(piece, Token):
                token = _encode(piece.text)
                data = f'{{"type":"chunk","stream_id":"{STREAM_ID}","seq":{seq},"token":{token}}}'
                yield "chunk", seq, data
                seq += 1
        yield "complete", seq, f'{{"type":"complete","stream_id":"{STREAM_ID}","seq":{seq}}}'


def main() -> None:
    port, tokens, every_ms = sys.argv[1:]
    uvicorn.run(
        RawApp(int(tokens), float(every_ms)),
        port=int(port),
        loop="uvloop",
        http="httptools",
        # As streaming/server.py, which this does not import: it would bring Django along.
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
