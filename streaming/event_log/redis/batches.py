"""The stored and published format of batches: `FIRST LAST [[type, fields], …]` as bytes."""

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


def decode_batch(stream_id: str, batch: bytes) -> list[Event]:
    """Invert `encode_batch`."""
    first, _, body = batch.split(b" ", 2)
    return [
        Event(kind, stream_id, seq, fields)
        for seq, (kind, fields) in enumerate(_decoder.decode(body), start=int(first))
    ]
