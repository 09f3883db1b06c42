"""Events encoded as bytes for SSE and as text for WebSocket; viewers share each encoding."""

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
    """Encode one line of JSON in UTF-8.

    JSON escapes line breaks inside strings, so no text can forge a frame. A lone surrogate becomes
    `?`, because it must not break an HTTP response in progress or a socket.
    """
    try:
        return _encode(data)
    except UnicodeEncodeError:
        return json.dumps(data, ensure_ascii=False).encode("utf-8", "replace")


def encode_sse(event: Event) -> bytes:
    """Encode the event as an SSE block.

    Only logged events, `snapshot` and `start` carry an `id`. The `id` of `start` is the cursor that
    the viewer starts after. It lets a client resume a connection lost before the first token.
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
    """Encode the event as a WebSocket text frame."""
    return encode_json(event.to_dict()).decode()


class Frame(msgspec.Struct, gc=False):
    """An event with its encodings; each is created on first use and shared by all viewers."""

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
