"""The memory cost of events, which lets a log be bounded by bytes."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from ..protocol.events import Event

EVENT_BYTES = 96
"""The event's struct, its seq, and its slot in the list. Measured; see tests."""

CHUNK_BYTES = EVENT_BYTES + sys.getsizeof({"token": ""})


def weight_of(event: Event) -> int:
    """Return the bytes that a stored event takes, accurate to about 10 %; linear in its size.

    Frames, which the hub encodes while a stream has viewers, do not count. The hub drops the frames
    of ended streams within seconds.
    """
    fields = event.fields
    if len(fields) == 1 and event.type == "chunk":  # the hot path: nearly every event
        return CHUNK_BYTES + sys.getsizeof(fields["token"])
    return EVENT_BYTES + sys.getsizeof(fields) + sum(map(_size, fields.values()))


def _size(value: Any) -> int:
    """Ignore keys: they are few, and all events share them."""
    members: Iterable[Any] = ()
    if isinstance(value, Mapping):
        members = value.values()
    elif isinstance(value, list | tuple):
        members = value
    return sys.getsizeof(value) + sum(map(_size, members))
