"""The stored and published format of batches: `FIRST LAST [[type, fields], …]` as bytes.

A published aside has -1 as FIRST, and the seq of the event that it follows as LAST. So it passes
for a batch that every subscriber has, and a process of an older version ignores it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ...protocol.events import Event

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[tuple[str, dict[str, Any]]])


def encode_batch(events: Sequence[Event]) -> bytes:
    """Encode one or more events of one stream, whose seq grows by exactly 1."""
    first, last = events[0].seq, events[-1].seq
    assert first is not None and last is not None
    body = _encoder.encode([(event.type, event.fields) for event in events])
    return b"%d %d %s" % (first, last, body)


def encode_aside(aside: Event, after: int) -> bytes:
    return b"-1 %d %s" % (after, _encoder.encode([(aside.type, aside.fields)]))


def is_aside(message: bytes) -> bool:
    return message.startswith(b"-1 ")


def decode_aside(stream_id: str, message: bytes) -> tuple[Event, int]:
    """Invert `encode_aside`."""
    _, after, body = message.split(b" ", 2)
    kind, fields = _decoder.decode(body)[0]
    return Event(kind, stream_id, None, fields), int(after)


def decode_batch(stream_id: str, batch: bytes) -> list[Event]:
    """Invert `encode_batch`."""
    first, _, body = batch.split(b" ", 2)
    return [
        Event(kind, stream_id, seq, fields)
        for seq, (kind, fields) in enumerate(_decoder.decode(body), start=int(first))
    ]
