"""Shared code of the structured outputs: turns scanned parts into deltas."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable
from typing import Any

from blocks.delta import Delta, FinishReason, Item, Text
from blocks.outputs.base import Ask, Dropped
from blocks.outputs.part_scanner import (
    Closed,
    Failed,
    Grown,
    ListOpened,
    Opened,
    PartScanner,
)
from blocks.outputs.part_value import Path

PROSE_CHARACTERS = 2_000


def pointer(steps: Iterable[str | int]) -> str:
    """Build a JSON Pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


class StructuredAnswer(ABC):
    """One attempt, parsed part by part. A subclass decides where parts go and which are valid.

    `place`, `grown_path` and `accept` take the model's form and return the public form. The paths
    of chunks and items always refer to the public form.
    """

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self.prose = ""
        self._is_prose = True
        self._scanner = PartScanner()
        self._key = ""  # the model's member that contains the open part
        self._index: int | None = None
        self._place: Path | None = None  # path of the open part in the public form; None: ignored

    # --- for the subclass ---

    @abstractmethod
    def next_ask(self) -> Ask | None:
        """As in `Answer`. A subclass with further requests calls `_restart_scan` before each."""

    @abstractmethod
    def place(self, key: str, index: int | None) -> Path | None:
        """Return the public path of a part that opens; None to ignore it."""

    @abstractmethod
    def grown_path(self, place: Path, inner: Path) -> Path | None:
        """Return the public path of a growing string; None hides it until the item."""

    @abstractmethod
    def accept(self, key: str, index: int | None, value: Any) -> Any:
        """Accept a part and return its public form; None if it has no item of its own.

        Raises:
            Dropped: the part is invalid.
        """

    def list_opened(self, key: str) -> None:  # noqa: B027  (most outputs need nothing of it)
        """Note that the model's member `key` is an array, possibly empty."""

    def end(self) -> Iterable[Delta]:
        """Return the deltas to add when a call ends."""
        return ()

    # --- Answer ---

    def feed(self, token: str) -> list[Delta]:
        deltas: list[Delta] = []
        if self._is_prose:
            before, brace, _ = token.partition("{")
            self.prose = (self.prose + before)[:PROSE_CHARACTERS]
            self._is_prose = not brace
        for found in self._scanner.feed(token):
            match found:
                case Grown(inner, text):
                    if self._place is not None:
                        path = self.grown_path(self._place, inner)
                        if path is not None:
                            deltas.append(Text(text, pointer(path)))
                case Opened(key, index):
                    self._key, self._index = key, index
                    self._place = self.place(key, index)
                case Closed(value):
                    if self._place is not None:
                        deltas.extend(self._closed(self._place, value))
                    self._place = None
                case Failed():
                    deltas.extend(self._void("malformed"))
                case ListOpened(key):
                    self.list_opened(key)
        return deltas

    def close(self, finish_reason: FinishReason) -> list[Delta]:
        deltas: list[Delta] = []
        if self._place is not None:
            deltas.extend(self._void("cut" if finish_reason == "length" else "malformed"))
        deltas.extend(self.end())
        return deltas

    @property
    def is_over_limit(self) -> bool:
        return self._scanner.is_over_limit

    def _restart_scan(self) -> None:
        self._scanner = PartScanner()

    def _closed(self, place: Path, value: Any) -> Iterable[Delta]:
        try:
            public = self.accept(self._key, self._index, value)
        except Dropped as drop:
            return self._void(drop.reason)
        return () if public is None else (Item(pointer(place), public),)

    def _void(self, reason: str) -> Iterable[Delta]:
        self.dropped[reason] += 1
        place, self._place = self._place, None
        return () if place is None else (Item(pointer(place), None),)
