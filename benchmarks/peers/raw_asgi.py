"""The baseline: bare uvicorn sends the frames, with nothing in between, on both transports.

`python -m benchmarks.peers.raw_asgi PORT`. It has no framework, log or resume.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

from .serve import serve
from .source import STREAM_ID, Event, events

_encode = json.JSONEncoder(ensure_ascii=False).encode


def _json_of(event: Event) -> str:
    token = f',"token":{_encode(event.token)}' if event.token else ""
    return f'{{"type":"{event.type}","stream_id":"{STREAM_ID}","seq":{event.seq}{token}}}'


def _frame_of(event: Event) -> bytes:
    head = f"id: {STREAM_ID}:{event.seq}\nevent: {event.type}\n"
    return f"{head}data: {_json_of(event)}\n\n".encode()


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await _http(scope, send)
    else:
        await _websocket(receive, send)


async def _http(scope: Any, send: Any) -> None:
    prompt = parse_qs(scope["query_string"].decode())["prompt"][0]
    headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    async for frame in events(prompt, _frame_of):
        await send({"type": "http.response.body", "body": frame, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _websocket(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    if (message := await receive())["type"] == "websocket.receive":
        async for data in events(json.loads(message["text"])["prompt"], _json_of):
            await send({"type": "websocket.send", "text": data})
        await receive()  # the disconnect


if __name__ == "__main__":
    serve(app)
