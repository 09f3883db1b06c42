"""An open event stream, each event checked against the contract."""

from __future__ import annotations

import json
from typing import Any

from streaming.protocol.cursor import cursor_from_header
from tests.support.streaming.exchange import Exchange
from tests.support.streaming.sse_reader import SseReader
from tests.support.streaming.tape import Tape


class EventReader:
    def __init__(self, exchange: Exchange, tape: Tape | None = None) -> None:
        self.exchange = exchange
        self.tape = tape or Tape()
        self.sse = SseReader()
        self._ready: list[dict[str, Any]] = []

    @property
    def stream_id(self) -> str:
        stream_id: str = self.tape.events[0]["stream_id"]
        return stream_id

    async def peek(self) -> dict[str, Any]:
        """Return the next event without consuming it."""
        event = await self.next()
        assert event is not None, "the body is empty"
        self._ready.insert(0, event)
        return event

    async def next(self) -> dict[str, Any] | None:
        """Return the next event; None when the body has ended."""
        while not self._ready:
            part = await self.exchange.part()
            if part is None:
                return None
            for message in self.sse.feed(part):
                event = json.loads(message.data)
                assert event["type"] == message.type
                self.tape.take(event)
                if event["type"] != "reconnect":
                    # After every event, the id that a browser would send is the cursor.
                    cursor = cursor_from_header(message.last_event_id)
                    assert (cursor.stream_id, cursor.seq) == (event["stream_id"], self.tape.cursor)
                self._ready.append(event)
        return self._ready.pop(0)

    async def until(self, kind: str) -> dict[str, Any]:
        """Return the next event of a type."""
        while (event := await self.next()) is not None:
            if event["type"] == kind:
                return event
        raise AssertionError(f"the body ended without {kind}: {self.tape.events}")

    async def text(self, wanted: str) -> None:
        """Read until this text has arrived."""
        while self.tape.text != wanted:
            assert await self.next() is not None, self.tape.events

    async def end(self) -> dict[str, Any]:
        """Read to the end of the body; return the terminal event."""
        while await self.next() is not None:
            pass
        assert self.tape.terminal is not None, self.tape.events
        return self.tape.terminal

    async def aclose(self) -> None:
        await self.exchange.aclose()
