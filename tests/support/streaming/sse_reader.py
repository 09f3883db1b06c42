"""A small strict reader of event streams: the algorithm of WHATWG HTML, section 9.2.6."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Message:
    type: str
    data: str
    last_event_id: str


@dataclass
class SseReader:
    """Accepts bytes, cut anywhere. A block is complete once its blank line has arrived.

    `last_event_id` is the id that an EventSource would send on reconnecting now. `retry_ms` is the
    received reconnection time.
    """

    messages: list[Message] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    last_event_id: str = ""
    retry_ms: int | None = None
    _rest: bytes = b""

    def feed(self, data: bytes) -> list[Message]:
        """Read further bytes, and return the completed messages."""
        before = len(self.messages)
        self._rest += data
        # Split at any line end, as the standard says, so that a stray CR in the data shows.
        blocks = re.split(rb"(?:\r\n|\n|\r){2}", self._rest)
        self._rest = blocks.pop()
        for block in blocks:
            self._read_block(block.decode("utf-8", "strict"))
        return self.messages[before:]

    def _read_block(self, block: str) -> None:
        fields: dict[str, list[str]] = {}
        for line in re.split(r"\r\n|\n|\r", block):
            name, colon, value = line.partition(":")
            value = value.removeprefix(" ")
            if not name and colon:
                self.comments.append(value)
                continue
            assert name in ("id", "event", "data", "retry"), f"no such field: {line!r}"
            assert colon, f"a field without a value: {line!r}"
            fields.setdefault(name, []).append(value)
        for name in ("id", "event", "retry"):
            assert len(fields.get(name, [])) <= 1, f"{name} given twice"
        if "id" in fields:
            (self.last_event_id,) = fields["id"]
        if "retry" in fields:
            (retry,) = fields["retry"]
            assert retry.isascii() and retry.isdigit()
            self.retry_ms = int(retry)
        if "data" in fields:
            assert len(fields["data"]) == 1, "the data of an event is one line"
            message = Message(fields["event"][0], fields["data"][0], self.last_event_id)
            self.messages.append(message)
