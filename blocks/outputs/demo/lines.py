"""Reads an answer line by line as it arrives."""

from __future__ import annotations

from collections.abc import Iterator

MAX_LINE = 4_096  # characters


class LineReader:
    """Joins pieces of text to lines.

    Attributes:
        open_line: the line that has begun; '' if none has.
        is_over_limit: a line exceeds MAX_LINE. What follows is ignored.
    """

    def __init__(self) -> None:
        self.open_line = ""
        self.is_over_limit = False

    def feed(self, piece: str) -> Iterator[str]:
        """Yield the lines that end in this piece, without their ends."""
        first, *others = piece.split("\n")
        for rest in others:
            if not self._extend(first):
                return
            line, self.open_line = self.open_line, ""
            first = rest
            yield line.strip()
        self._extend(first)

    def end(self) -> str:
        """Return the line that has no end, and forget it."""
        line, self.open_line = self.open_line, ""
        return line.strip()

    def _extend(self, text: str) -> bool:
        self.is_over_limit = self.is_over_limit or len(self.open_line) + len(text) > MAX_LINE
        if not self.is_over_limit:
            self.open_line += text
        return not self.is_over_limit
