"""Builds the value of one part as its pieces arrive, and reports what its strings gain."""

from __future__ import annotations

from typing import Any

MAX_PART_DEPTH = 32  # levels of arrays and objects

Path = tuple[str | int, ...]


class PartValue:
    """A value that grows. If an object has a member twice, the first one counts.

    `is_usable` is False for a value that can't be passed on: too deep, or a number out of range.
    """

    def __init__(self) -> None:
        self.value: Any = None
        self.is_whole = False
        self.is_usable = True
        self._open: list[dict[str, Any] | list[Any]] = []
        self._steps: list[str | int | None] = []  # in each open value; None: a member to ignore
        self._texts: list[str] = []

    def begin(self, bracket: str) -> None:
        opened: dict[str, Any] | list[Any] = {} if bracket == "{" else []
        if len(self._open) == MAX_PART_DEPTH:
            self.is_usable = False
        self._put(opened)
        self._open.append(opened)
        self._steps.append(None if bracket == "{" else 0)

    def end(self) -> None:
        self._open.pop()
        self._steps.pop()
        self._ended()

    def name(self, name: str) -> None:
        self._steps[-1] = None if name in self._open[-1] else name

    def text(self, piece: str) -> Path | None:
        """Add to the open string; return its path if it belongs to the value."""
        self._texts.append(piece)
        path = tuple(step for step in self._steps if step is not None)
        return path if self.is_usable and len(path) == len(self._steps) else None

    def text_end(self) -> None:
        self.atom("".join(self._texts))
        self._texts.clear()

    def atom(self, value: Any) -> None:
        self._put(value)
        self._ended()

    def unusable(self) -> None:
        self.is_usable = False
        self.atom(None)

    def _put(self, value: Any) -> None:
        if not self._open:
            self.value = value
            return
        holder, step = self._open[-1], self._steps[-1]
        if isinstance(holder, list):
            holder.append(value)
        elif isinstance(step, str):
            holder[step] = value

    def _ended(self) -> None:
        """Note that a value within the innermost open one, or the whole value, has ended."""
        self.is_whole = not self._open
        if self._open and isinstance(self._open[-1], list):
            self._steps[-1] = len(self._open[-1])
