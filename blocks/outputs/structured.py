"""What the outputs that are made of parts share: from scanned parts to deltas."""

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


def pointer(steps: Iterable[str | int]) -> str:
    """A JSON Pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


class StructuredAnswer(ABC):
    """One attempt, read part by part. A subclass says where parts go and which are valid.

    `place`, `grown_path` and `accept` speak of the model's form on the way in and of the public
    form on the way out; the paths of chunks and items are always of the public form.
    """

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self._scanner = PartScanner()
        self._key = ""  # the model's member that the open part belongs to
        self._index: int | None = None
        self._place: Path | None = None  # the open part's, in the public form; None: not ours

    # --- for the subclass ---

    @abstractmethod
    def next_ask(self) -> Ask | None:
        """As in `Answer`; a subclass with further asks calls `_restart_scan` for each."""

    @abstractmethod
    def place(self, key: str, index: int | None) -> Path | None:
        """Where a part that opens will stand; None: it is none of ours, pass over it."""

    @abstractmethod
    def grown_path(self, place: Path, inner: Path) -> Path | None:
        """Where a string that grows in the open part is shown; None: only in the item."""

    @abstractmethod
    def accept(self, key: str, index: int | None, value: Any) -> Any:
        """Take a part in and give its public form; None: it has no item of its own.

        Raises:
            Dropped: it is not valid.
        """

    def list_opened(self, key: str) -> None:  # noqa: B027  (most outputs need nothing of it)
        """The model's member `key` is an array, perhaps an empty one."""

    def end(self) -> Iterable[Delta]:
        """What is to be added when a call is over."""
        return ()

    # --- Answer ---

    def feed(self, token: str) -> list[Delta]:
        deltas: list[Delta] = []
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
