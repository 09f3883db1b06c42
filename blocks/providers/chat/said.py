"""Separates new text from repeats: some services send the whole answer once more at the end."""

from __future__ import annotations

from blocks.providers.chat.chunk import Chunk

MIN_REPEAT_CHARS = 16
"""A shorter delta may legitimately occur twice: "ha" and "ha"."""

SURE_PARTS = 3
"""After this many pieces, one piece with the same text is always a repeat."""

_BLANKS = 64
"""A repeat may differ in length by this many blanks at its ends."""


class Said:
    """The text of an answer so far, as the service sent it."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._chars = 0
        self._has_deltas = False
        self._held = ""

    def new_in(self, chunk: Chunk, *, is_closing: bool) -> str:
        """Return the text that a chunk adds.

        A delta that repeats the whole answer is held back. If more text follows, the delta was part
        of the answer; if the answer ends first, it was a repeat. After only one or two pieces, a
        delta counts as a repeat only if it comes with the end: a model may legitimately write a
        line twice.

        Args:
            is_closing: the service sent its finish reason before this chunk or with it.
        """
        if not chunk.text:
            return ""
        if chunk.is_message:
            new = self._new_in_message(chunk.text)
        elif self._is_repeat(chunk.text, is_closing=is_closing or chunk.usage is not None):
            self._held += chunk.text
            return ""
        else:
            new = self._held + chunk.text
            self._held = ""
            self._has_deltas = True
        if new:
            self._parts.append(new)
            self._chars += len(new)
        return new

    def _new_in_message(self, text: str) -> str:
        """Return what a message adds: it holds all text so far or, from some services, a piece."""
        may_be_whole = len(text) > self._chars or self._can_be_repeat()
        said = "".join(self._parts)
        if may_be_whole and len(text) >= self._chars and text.startswith(said):
            return text[self._chars :]
        core = said.strip()
        if not core:
            return text
        if may_be_whole and text.lstrip().startswith(core):  # equal except for blanks at its ends
            rest = text.lstrip()[len(core) :].removeprefix(said[len(said.rstrip()) :])
            return rest if rest.strip() else ""
        return "" if self._has_deltas else text

    def _is_repeat(self, text: str, *, is_closing: bool) -> bool:
        can_be = self._can_be_repeat() if is_closing else self._is_surely_repeated()
        if abs(len(text) - self._chars) > _BLANKS or not can_be:
            return False
        return text.strip() == "".join(self._parts).strip()

    def _is_surely_repeated(self) -> bool:
        return len(self._parts) >= SURE_PARTS and self._chars >= MIN_REPEAT_CHARS

    def _can_be_repeat(self) -> bool:
        return len(self._parts) > 1 or self._chars >= MIN_REPEAT_CHARS
