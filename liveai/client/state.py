"""The reducer from events on the wire to a caller's events, and to the answer so far. Pure.

The server's reducer (`streaming/protocol/state.py`) gives the same; both are tested with the
fixtures of the specification.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .events import Chunk, Event, Item, Reset, Snapshot, Status, Terminal

TERMINAL_TYPES = frozenset({"complete", "error", "cancelled"})


class Broken(Exception):
    """An event is missing before this one, or it can't be read: resume after `seq`."""


class AnswerState:
    """One answer so far.

    Its texts are kept in pieces: copying a whole one for each token would take quadratic time.
    """

    def __init__(self, *, stream_id: str | None = None, after: int = -1) -> None:
        self.stream_id = stream_id
        self.seq = after
        self.status = "queued"
        self.block_type: str | None = None
        self.model: str | None = None
        self.terminal: Terminal | None = None
        self._text: list[str] = []
        self._items: dict[str, Any] = {}
        self._arriving: dict[str, list[str]] = {}

    @property
    def text(self) -> str:
        self._text = ["".join(self._text)]
        return self._text[0]

    @property
    def items(self) -> tuple[Mapping[str, Any], ...]:
        """The complete and valid parts, `{path, value}`, in order of arrival."""
        return tuple({"path": path, "value": value} for path, value in self._items.items())

    @property
    def arriving(self) -> dict[str, str]:
        """The strings so far, by path, of the part that arrives."""
        return {path: "".join(pieces) for path, pieces in self._arriving.items()}

    def apply(self, data: Mapping[str, Any]) -> Event | None:
        """Apply one event of the wire.

        Returns:
            The event for the caller. None: the caller has it already, or it is of an unknown type.

        Raises:
            Broken
        """
        try:
            return self._apply(data)
        except (KeyError, TypeError, AttributeError) as error:
            raise Broken(f"an event of another form: {type(error).__name__}") from None

    def _apply(self, data: Mapping[str, Any]) -> Event | None:
        kind, stream_id = data["type"], data.get("stream_id")
        if self.terminal is not None or not isinstance(stream_id, str):
            return None
        match kind:
            case "start":
                is_first, self.stream_id = self.block_type is None, stream_id
                self.block_type, self.model = data["block_type"], data["model"]
                self.status = data["status"]
                return Status(stream_id, self.seq, data["status"]) if is_first else None
            case "queue":
                return Status(stream_id, self.seq, "queued", place=data["place"])
            case "thinking":
                return Status(stream_id, self.seq, "running", thinking_ms=data["since_ms"])
            case "snapshot":
                return self._replace(stream_id, data)
            case "chunk" | "item" | "reset" | "complete" | "error" | "cancelled":
                return self._logged(stream_id, data)
        return None

    def _replace(self, stream_id: str, data: Mapping[str, Any]) -> Snapshot:
        items, arriving = tuple(data["items"]), dict(data["arriving"])
        self._items = {item["path"]: item["value"] for item in items}
        self._arriving = {path: [text] for path, text in arriving.items()}
        self._text = [data["text"]]
        self.stream_id, self.seq, self.status = stream_id, data["seq"], data["status"]
        return Snapshot(stream_id, self.seq, data["text"], items, arriving)

    def _logged(self, stream_id: str, data: Mapping[str, Any]) -> Event | None:
        kind, seq = data["type"], data["seq"]
        if seq <= self.seq:
            return None
        if data.get("first_seq", seq) != self.seq + 1:
            raise Broken("events are missing")
        event = self._add(stream_id, seq, data)
        self.seq = seq
        self.status = kind if kind in TERMINAL_TYPES else "running"
        return event

    def _add(self, stream_id: str, seq: int, data: Mapping[str, Any]) -> Event:
        match data["type"]:
            case "chunk":
                chunk = Chunk(
                    stream_id, seq, data["token"], data.get("path"), data.get("first_seq")
                )
                if chunk.path is None:
                    self._text.append(chunk.token)
                else:
                    self._arriving.setdefault(chunk.path, []).append(chunk.token)
                return chunk
            case "item":
                item = Item(stream_id, seq, data["path"], data["value"])
                self._arriving.clear()
                self._items.pop(item.path, None)
                if item.value is not None:
                    self._items[item.path] = item.value
                return item
            case "reset":
                self._text.clear()
                self._items.clear()
                self._arriving.clear()
                return Reset(stream_id, seq, data["reason"])
        self._arriving.clear()
        self.terminal = Terminal(
            data["type"],
            stream_id,
            seq,
            self.text,
            self.items,
            **{name: data[name] for name in _FIELDS if name in data},
        )
        return self.terminal

    def end_unseen(self) -> Terminal:
        """End an answer that was cancelled before the server knew of it."""
        self.status = "cancelled"
        self.terminal = Terminal("cancelled", None, self.seq, "", (), by="owner")
        return self.terminal


_FIELDS = (
    "result",
    "dropped",
    "finish_reason",
    "usage",
    "ttft_ms",
    "duration_ms",
    "code",
    "message",
    "retryable",
    "by",
)
"""What a terminal event may carry."""
