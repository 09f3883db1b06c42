"""A strict client that checks every promise about seqs while it reads the wire."""

from __future__ import annotations

import json
from typing import Any, Literal

from streaming.protocol.cursor import cursor_from_header
from streaming.protocol.events import ASIDE_TYPES, LOGGED_TYPES, TERMINAL_TYPES, Event
from streaming.protocol.frames import Frame
from streaming.protocol.state import StreamState
from streaming.protocol.viewer import Viewer, is_at_end
from streaming.protocol.window import Window
from tests.support.streaming.sse_reader import SseReader

Transport = Literal["sse", "websocket"]


class Client:
    """One client of one stream, over any number of connections.

    `counted` lists every logged seq in order of arrival; a merged chunk counts for all seqs that it
    contains.
    """

    def __init__(self) -> None:
        self.state = StreamState()
        self.cursor = -1
        self.counted: list[int] = []
        self.snapshots = 0
        self.has_ended = False
        self._reader: SseReader | None = None
        self._is_waiting_for_start = True

    def connect(self, window: Window, transport: Transport) -> Connection | None:
        """Resume from the cursor; None if the server answers 204, because nothing is left."""
        self._is_waiting_for_start = True
        if transport == "sse":
            if is_at_end(window, self.cursor):
                return None
            self._reader = SseReader()
        else:
            self._reader = None
        return Connection(self, Viewer(window, self.cursor))

    def receive(self, data: bytes | str) -> None:
        """Read data of one connection: bytes of SSE, cut anywhere, or one text frame."""
        if isinstance(data, str):
            self._take(json.loads(data))
            return
        assert self._reader is not None
        for message in self._reader.feed(data):
            event = json.loads(message.data)
            assert event["type"] == message.type
            self._take(event)
            # After every message, the id that a browser would send is the cursor.
            assert cursor_from_header(message.last_event_id).seq == self.cursor

    def _take(self, data: dict[str, Any]) -> None:
        kind = data["type"]
        assert not (self.has_ended and kind != "start"), f"{kind} after the terminal event"
        assert self._is_waiting_for_start == (kind == "start"), "start comes first, and once"
        if kind == "start":
            self._is_waiting_for_start = False
            assert data["after"] == self.cursor
        elif kind == "snapshot":
            fields = {k: v for k, v in data.items() if k not in ("type", "stream_id")}
            self.state.apply(Event("snapshot", data["stream_id"], None, fields))
            self.cursor = data["seq"]
            self.snapshots += 1
        elif kind not in ASIDE_TYPES:
            assert kind in LOGGED_TYPES
            first = data.get("first_seq", data["seq"])
            assert first == self.cursor + 1, f"{first} after {self.cursor}"
            self.counted += range(first, data["seq"] + 1)
            self.cursor = data["seq"]
            self.state.apply(Event.from_dict(data))
            self.has_ended = kind in TERMINAL_TYPES


class Connection:
    """A viewer's frames on their way to a client."""

    def __init__(self, client: Client, viewer: Viewer) -> None:
        self.client = client
        self.viewer = viewer
        self._deliver([viewer.open()])

    def take(self) -> None:
        """Deliver all ready data in one write."""
        self._deliver(self.viewer.take())

    def drain(self) -> None:
        while self.viewer.has_news:
            self.take()

    def _deliver(self, frames: list[Frame]) -> None:
        if self.client._reader is not None:
            self.client.receive(b"".join(frame.sse for frame in frames))
        else:
            for frame in frames:
                self.client.receive(frame.websocket)


def summary(state: StreamState) -> dict[str, Any]:
    """Return everything that a state contains, to compare two of them."""
    return {
        "seq": state.seq,
        "status": state.status,
        "text": state.text,
        "items": state.items,
        "arriving": state.arriving,
        "terminal": state.terminal.to_dict() if state.terminal else None,
    }
