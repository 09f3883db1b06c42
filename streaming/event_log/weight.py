"""What an event costs in memory, so that a log can be bounded by bytes."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from ..protocol.events import Event

EVENT_BYTES = 96
"""The event's struct, its number, its place in the list. Measured, see tests."""

CHUNK_BYTES = EVENT_BYTES + sys.getsizeof({"token": ""})


def weight_of(event: Event) -> int:
    """Bytes that a kept event takes, within about a tenth; linear in its size.

    Frames, which the hub makes of events while somebody watches, are not in it: the hub lets go of
    those of ended streams within seconds.
    """
    fields = event.fields
    if len(fields) == 1 and event.type == "chunk":  # nearly all are, and each token waits for this
        return CHUNK_BYTES + sys.getsizeof(fields["token"])
    return EVENT_BYTES + sys.getsizeof(fields) + sum(map(_size, fields.values()))


def _size(value: Any) -> int:
    """Keys are left out: they are few, and shared by all events."""
    members: Iterable[Any] = ()
    if isinstance(value, Mapping):
        members = value.values()
    elif isinstance(value, list | tuple):
        members = value
    return sys.getsizeof(value) + sum(map(_size, members))
