"""Events encoded as bytes for SSE and as text for WebSocket; viewers share each encoding."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from .cursor import Cursor
from .events import Event

RETRY_MS = 1000
SSE_COMMENT = b": ping\n\n"

_CHUNK = b'{"type":"chunk","stream_id":"%b","seq":%d,"token":%b}'
_SSE_CHUNK = b"id: %b:%d\nevent: chunk\ndata: " + _CHUNK + b"\n\n"

_encode = msgspec.json.Encoder().encode


def encode_json(data: Any) -> bytes:
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
    data = _json_of(event)
    if event.type == "chunk":
        return b"id: %b:%d\nevent: chunk\ndata: %b\n\n" % (
            str(event.stream_id).encode(),
            event.seq or 0,
            data,
        )
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
    return _json_of(event).decode()


def sse_of_texts(stream_id: str, first: int, tokens: Sequence[str]) -> bytes:
    """Encode chunks without a path, as `encode_sse` would encode each."""
    name = stream_id.encode()
    blocks = []
    for seq, token in enumerate(tokens, first):
        blocks.append(_SSE_CHUNK % (name, seq, name, seq, encode_json(token)))
    return blocks[0] if len(blocks) == 1 else b"".join(blocks)


def json_of_texts(stream_id: str, first: int, tokens: Sequence[str]) -> list[bytes]:
    """Encode chunks without a path, as `encode_websocket` would encode each, in UTF-8."""
    name = stream_id.encode()
    texts = []
    for seq, token in enumerate(tokens, first):
        texts.append(_CHUNK % (name, seq, encode_json(token)))
    return texts


def _json_of(event: Event) -> bytes:
    """Encode an event. Nearly all are chunks without a path, which need no dict."""
    fields = event.fields
    if event.type == "chunk" and len(fields) == 1:
        name = str(event.stream_id).encode()
        return _CHUNK % (name, event.seq or 0, encode_json(fields["token"]))
    return encode_json(event.to_dict())


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
            self._websocket = encode_websocket(self.event)
        return self._websocket
