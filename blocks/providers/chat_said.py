"""What of an answer is new: some services say all of it once more at the end."""

from __future__ import annotations

from blocks.providers.chat_decoder import Chunk

MIN_REPEAT_CHARS = 16
"""A single delta that is shorter may well be said twice: "ha" and "ha"."""

_BLANKS = 64
"""By how much a repeat may differ in length, by blanks at its ends."""


class Said:
    """The text of an answer so far, as the service sent it."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._chars = 0
        self._has_deltas = False
        self._held = ""

    def new_in(self, chunk: Chunk) -> str:
        """The text that a chunk adds.

        A delta that says everything once more is held back until the next text shows that it is
        part of the answer; if the answer ends first, it was none.
        """
        if not chunk.text:
            return ""
        if chunk.is_message:
            new = self._new_in_message(chunk.text)
        elif self._is_repeat(chunk.text):
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
        """A message is the whole so far, or, of services that call their deltas so, a piece."""
        may_be_whole = len(text) > self._chars or self._can_be_repeat()
        if may_be_whole and len(text) >= self._chars and text.startswith("".join(self._parts)):
            return text[self._chars :]
        return "" if self._has_deltas else text

    def _is_repeat(self, text: str) -> bool:
        if abs(len(text) - self._chars) > _BLANKS or not self._can_be_repeat():
            return False
        return text.strip() == "".join(self._parts).strip()

    def _can_be_repeat(self) -> bool:
        return len(self._parts) > 1 or self._chars >= MIN_REPEAT_CHARS
