"""What `manage.py ask` prints of an answer: its text as it grows, or its events as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

from liveai.client import Chunk, Event, Item, Reset, Snapshot, Status, Terminal

Write = Callable[[str], object]


class Transcript:
    """Prints the answer to one place, and what is said about it to another.

    A structured answer has a line for each part: its path, and its value as JSON.
    """

    def __init__(self, out: Write, notes: Write) -> None:
        self._out = out
        self._note = notes
        self._is_thinking = False
        self._is_in_line = False  # the last line of the answer has no end yet

    def show(self, event: Event) -> None:
        match event:
            case Chunk(token=token, path=None):
                self._write(token)
            case Item(path=path, value=value) if value is not None:
                self._part(path, value)
            case Reset():
                self._say("The answer begins again.")
            case Snapshot(text=text, items=items):
                self._say("The answer so far:")
                self._write(text)
                for item in items:
                    self._part(item["path"], item["value"])
            case Status(place=place) if place is not None:
                self._say(f"Waiting, place {place} in line.")
            case Status(thinking_ms=since_ms) if since_ms is not None and not self._is_thinking:
                self._is_thinking = True
                self._say("Thinking…")
            case Terminal():
                self._end_line()
                self._end(event)

    def _end(self, end: Terminal) -> None:
        if end.status == "error":
            self._say(f"{end.code}: {end.message}")
        elif end.status == "cancelled":
            self._say("Cancelled.")
        elif end.finish_reason != "stop":
            self._say(f"Cut: {end.finish_reason}.")

    def _write(self, text: str) -> None:
        self._out(text)
        self._is_in_line = bool(text) and not text.endswith("\n")

    def _part(self, path: str, value: object) -> None:
        self._write(f"{path} {json.dumps(value, ensure_ascii=False)}\n")

    def _end_line(self) -> None:
        if self._is_in_line:
            self._write("\n")

    def _say(self, words: str) -> None:
        self._end_line()
        self._note(f"{words}\n")


class Lines:
    """Prints each event as a line of JSON; members without a value are left out."""

    def __init__(self, out: Write) -> None:
        self._out = out

    def show(self, event: Event) -> None:
        kind = event.status if isinstance(event, Terminal) else type(event).__name__.lower()
        members = {name: value for name, value in asdict(event).items() if value is not None}
        line = {"type": kind, **members}
        self._out(f"{json.dumps(line, ensure_ascii=False)}\n")
