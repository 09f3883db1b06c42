"""Checks WebSocket frames by their headers, before storing payload. Pure: no socket, no clock.

Source: RFC 6455, section 5.2; specs/050-live-ai-interaction/spec.md, "WebSocket".
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from ..protocol.commands import MAX_FRAME_BYTES

FRAGMENT_BYTES = 16
"""Minimum size counted for a fragment: even an empty one takes memory."""

MAX_CONTROL_BYTES = 125
_CLOSE = 0x8


class Verdict(Enum):
    PART = "part"  # the frame is incomplete
    DATA = "data"  # a data frame is complete
    CONTROL = "control"  # a control frame is complete
    OVERSIZED = "oversized"  # a complete unfragmented message over 64 KiB was discarded
    TOO_LONG = "too_long"  # a fragmented message exceeds 64 KiB
    BROKEN = "broken"  # an invalid control frame


class Step(NamedTuple):
    """Result of `FrameGate.take`."""

    end: int  # position at which it stopped reading
    passed: bytes  # bytes for the frame parser
    verdict: Verdict


class FrameGate:
    """Checks each frame's header, and passes on only the bytes that may be stored.

    Args:
        max_bytes: limit for a message that is kept.
        max_size: size beyond which the frame parser itself fails, on seeing the header.
    """

    def __init__(self, *, max_size: int, max_bytes: int = MAX_FRAME_BYTES) -> None:
        self._max_size = max_size
        self._max_bytes = max_bytes
        self._header = bytearray()
        self._is_in_payload = False
        self._is_skipping = False
        self._is_last = False
        self._left = 0
        self._held = 0
        self.messages = 0
        """Number of messages that have ended."""

    @property
    def is_open(self) -> bool:
        """Whether a message or frame has begun and not ended."""
        return self._is_in_payload or self._held > 0 or bool(self._header)

    def take(self, data: bytes, start: int) -> Step:
        """Continue reading in `data` at `start`, up to the end of one frame."""
        at, passed = start, b""
        if not self._is_in_payload:
            at = self._read_header(data, at)
            if not self._has_header:
                return Step(at, b"", Verdict.PART)
            if refusal := self._judge():
                return Step(at, b"", refusal)
            passed = b"" if self._is_skipping else bytes(self._header)
        end = min(at + self._left, len(data))
        self._left -= end - at
        if not self._is_skipping:
            passed += data[at:end]
        if self._left:
            return Step(end, passed, Verdict.PART)
        return Step(end, passed, self._finish())

    def _read_header(self, data: bytes, at: int) -> int:
        while at < len(data) and not self._has_header:
            missing = self._header_size - len(self._header)
            self._header += data[at : at + missing]
            at = min(at + missing, len(data))
        return at

    @property
    def _header_size(self) -> int:
        """Size of the header, as far as the bytes read so far determine it."""
        if len(self._header) < 2:
            return 2
        second = self._header[1]
        length = {126: 2, 127: 8}.get(second & 0x7F, 0)
        return 2 + length + (4 if second & 0x80 else 0)

    @property
    def _has_header(self) -> bool:
        return len(self._header) >= 2 and len(self._header) == self._header_size

    def _judge(self) -> Verdict | None:
        first, second = self._header[0], self._header[1]
        is_final, opcode, length = bool(first & 0x80), first & 0x0F, second & 0x7F
        if length == 126:
            length = int.from_bytes(self._header[2:4], "big")
        elif length == 127:
            length = int.from_bytes(self._header[2:10], "big")
        if opcode >= _CLOSE:
            if length > MAX_CONTROL_BYTES or not is_final:
                return Verdict.BROKEN
        elif self._held or not is_final or opcode == 0:
            self._held += max(length, FRAGMENT_BYTES)
            if self._held > self._max_bytes:
                return Verdict.TOO_LONG
            self._is_last = is_final
        elif self._max_bytes < length <= self._max_size:
            # Skip only otherwise valid frames: the parser rejects the others with its own codes.
            self._is_skipping = opcode in (1, 2) and not first & 0x70 and bool(second & 0x80)
        self._is_in_payload, self._left = True, length
        return None

    def _finish(self) -> Verdict:
        is_control = self._header[0] & 0x0F >= _CLOSE
        was_skipping = self._is_skipping
        self._header.clear()
        self._is_in_payload = self._is_skipping = False
        if is_control:
            return Verdict.CONTROL
        if self._is_last:
            self._held, self._is_last = 0, False
        if not self._held:
            self.messages += 1
        return Verdict.OVERSIZED if was_skipping else Verdict.DATA
