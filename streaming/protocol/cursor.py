"""Cursors: a viewer's position in a stream. Wire format: `<stream_id>:<seq>`."""

from __future__ import annotations

import re
from dataclasses import dataclass

STREAM_ID = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
_SEQ = re.compile(r"-1|0|[1-9][0-9]{0,9}", re.ASCII)


class InvalidCursor(ValueError):
    """The cursor is malformed, belongs to another stream, or lies beyond the end."""


@dataclass(frozen=True, slots=True)
class Cursor:
    stream_id: str
    seq: int  # last seq received; -1: none

    def __str__(self) -> str:
        return f"{self.stream_id}:{self.seq}"


def cursor_from_header(value: str) -> Cursor:
    """Parse a `Last-Event-ID` header.

    Raises:
        InvalidCursor: the value does not have the form `<stream_id>:<seq>`.
    """
    stream_id, _, seq = value.strip().partition(":")
    if not STREAM_ID.fullmatch(stream_id):
        raise InvalidCursor("Last-Event-ID is not of the form <stream_id>:<seq>.")
    return Cursor(stream_id, seq_from_text(seq))


def seq_from_text(value: str) -> int:
    """Parse an `after` value: -1, or a number of at most ten digits.

    Raises:
        InvalidCursor: the value is anything else.
    """
    if not _SEQ.fullmatch(value):
        raise InvalidCursor("A cursor is -1 or a whole number without leading zeros.")
    return int(value)
