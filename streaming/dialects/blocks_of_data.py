"""SSE blocks that hold only data, as both dialects' clients expect them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..protocol.events import Event
from ..protocol.frames import encode_json

DONE = b"data: [DONE]\n\n"


def encode_data(event: Event, parts: Sequence[Any]) -> bytes:
    """Encode the parts of one event; the last one carries the event's `id`, as in our own dialect.

    Lines end with LF alone: AG-UI's client can't read CRLF.
    """
    blocks = [b"data: %b\n\n" % encode_json(part) for part in parts]
    seq = event.fields.get("seq") if event.type == "snapshot" else event.seq
    if blocks and seq is not None:
        blocks[-1] = f"id: {event.stream_id}:{seq}\n".encode() + blocks[-1]
    return b"".join(blocks)
