"""Frames: events as bytes for SSE and as text for WebSocket. Each is encoded once and shared."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from .cursor import Cursor
from .events import Event

RETRY_MS = 1000
SSE_COMMENT = b": ping\n\n"

_encode = msgspec.json.Encoder().encode


def encode_json(data: dict[str, Any]) -> bytes:
    """One line of JSON in UTF-8: line ends inside strings are escaped, so no text can forge a
    frame.

    A stray surrogate becomes `?`: it must break neither a body that has begun nor a socket.
    """
    try:
        return _encode(data)
    except UnicodeEncodeError:
        return json.dumps(data, ensure_ascii=False).encode("utf-8", "replace")


def encode_sse(event: Event) -> bytes:
    """The event as an SSE block.

    `id` stands on logged events and on `snapshot`, and on `start` as the cursor that it begins
    after, so that a line lost before the first token can be taken up again; on nothing else.
    """
    data = encode_json(event.to_dict())
    match event.type:
        case "start":
            cursor = Cursor(str(event.stream_id), event.fields["after"])
            head = f"retry: {RETRY_MS}\nid: {cursor}\n"
        case "snapshot":
            head = f"id: {event.stream_id}:{event.fields['seq']}\n"
        case _ if event.seq is not None:
            head = f"id: {event.stream_id}:{event.seq}\n"
        case _:
            head = ""
    return f"{head}event: {event.type}\ndata: ".encode() + data + b"\n\n"


def encode_websocket(event: Event) -> str:
    """The event as a WebSocket text frame."""
    return encode_json(event.to_dict()).decode()


class Frame(msgspec.Struct, gc=False):
    """An event with its encodings, each made when first asked for and then shared by viewers."""

    event: Event
    _sse: bytes | None = None
    _websocket: str | None = None

    @property
    def sse(self) -> bytes:
        if self._sse is None:
            self._sse = encode_sse(self.event)
        return self._sse

    @property
    def websocket(self) -> str:
        if self._websocket is None:
            self._websocket = encode_json(self.event.to_dict()).decode()
        return self._websocket
