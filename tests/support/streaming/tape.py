"""A strict viewer that checks every event of one stream against the contract on arrival."""

from __future__ import annotations

from typing import Any

from streaming.protocol.events import ASIDE_TYPES, LOGGED_TYPES, TERMINAL_TYPES, Event
from streaming.protocol.state import StreamState
from tests.support.schema import validate_event


class Tape:
    """The events of one stream at one viewer, over any number of connections.

    `state` is their sum; `cursor` is the position that a client would resume from.
    """

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.state = StreamState()
        self.cursor = -1
        self.terminal: dict[str, Any] | None = None
        self._may_begin = True

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    @property
    def text(self) -> str:
        return self.state.text

    def begin_again(self) -> None:
        """Begin a new connection from the cursor, which must start with a `start`."""
        self._may_begin = True

    def take(self, data: dict[str, Any]) -> None:
        validate_event(data)
        kind = data["type"]
        if kind == "start":
            if "ref" not in data:
                assert self._may_begin, f"a second start: {data}"
            if data["after"] != self.cursor:  # requested: the client resumes from there
                assert not self.events or data["status"] in TERMINAL_TYPES or "ref" in data
                self.cursor = data["after"]
            self._may_begin = False
        elif kind == "reconnect":
            assert not self._may_begin
            assert self.terminal is None
        else:
            assert self.events, f"{kind} before the start"
            assert self.terminal is None, f"{kind} after the terminal event"
            if kind not in ASIDE_TYPES:
                self._take_told(kind, data)
        self.events.append(data)

    def _take_told(self, kind: str, data: dict[str, Any]) -> None:
        if kind == "snapshot":
            fields = {k: v for k, v in data.items() if k not in ("type", "stream_id")}
            self.state.apply(Event("snapshot", data["stream_id"], None, fields))
        else:
            assert kind in LOGGED_TYPES
            first = data.get("first_seq", data["seq"])
            assert first == self.cursor + 1, f"{first} after {self.cursor}"
            self.state.apply(Event.from_dict(data))
            if kind in TERMINAL_TYPES:
                self.terminal = data
        self.cursor = data["seq"]
