"""The baseline: bare uvicorn sends the same frames, with nothing in between.

`python -m benchmarks.load.raw_asgi PORT TOKENS EVERY_MS` serves them to every request and socket.
It has no framework, log, resume or shared frames: a coroutine per connection formats and writes.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import uvicorn

STREAM_ID = "0123456789abcdefghijkl"  # the length of a real id
_encode = json.JSONEncoder(ensure_ascii=False).encode


class RawApp:
    def __init__(self, tokens: int, every_seconds: float) -> None:
        self._tokens = tokens
        self._every_seconds = every_seconds

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
        """Yield type, seq and JSON of each event, at the scripted provider's pace."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        for seq in range(self._tokens):
            due += self._every_seconds
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            token = _encode(f"{round(due * 1e9)} ")
            yield (
                "chunk",
                seq,
                f'{{"type":"chunk","stream_id":"{STREAM_ID}","seq":{seq},"token":{token}}}',
            )
        end = f'{{"type":"complete","stream_id":"{STREAM_ID}","seq":{self._tokens}}}'
        yield "complete", self._tokens, end


def main() -> None:
    port, tokens, every_ms = sys.argv[1:]
    uvicorn.run(
        RawApp(int(tokens), float(every_ms) / 1000),
        port=int(port),
        loop="uvloop",
        http="httptools",
        # The same as streaming/serving/server.py; importing that would load Django.
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
