"""Reads one string of a model's JSON as it arrives."""

from __future__ import annotations

import re
from collections.abc import Callable

from blocks.outputs.loose_escapes import read_entity, read_escape
from blocks.outputs.loose_quotes import CLOSERS

_RUNS = {
    (closers, entities): re.compile(rf"[^\\\0{re.escape(closers)}{'&' if entities else ''}]+")
    for closers in set(CLOSERS.values())
    for entities in (False, True)
}
_CONTEXT = 3  # characters of the string so far that an escape is judged by
_DRIVE = re.compile(r"(?:^|[^A-Za-z0-9])[C-Zcd]:$")
# `D:\nYes` and `x:\n\ny` are new lines.
_FOLDER = re.compile(r"\\(?:[a-z](?![A-Z])|[A-Z])[\w-]+(?P<ending>\.[\w.-]+)?")
_BLANK = re.compile(r"\s")


class LooseString:
    """A string that begins with `quote`.

    Args:
        ends: whether the quote before a position in a text ends the string, None if more text
            decides. Without it, the first quote does.
        decodes_entities: `&amp;` means `&`.
    """

    def __init__(
        self,
        quote: str,
        *,
        ends: Callable[[str, int], bool | None] | None,
        decodes_entities: bool,
    ) -> None:
        self.is_over = False
        self._closers = CLOSERS[quote]
        self._ends = ends
        self._run = _RUNS[self._closers, decodes_entities]
        self._before = ""
        self._is_path = False  # within `C:\new\table`, where no backslash is an escape

    def read(self, text: str, at: int, *, is_last: bool) -> tuple[str, int]:
        """Return the next piece of the string, and the position behind it.

        The position stays the same if more text decides. `is_over` tells whether the string ended.

        Args:
            is_last: no more text follows.
        """
        piece, end = self._piece(text, at, is_last=is_last)
        self._before = (self._before + piece)[-_CONTEXT:]
        self._is_path = self._is_path and not _BLANK.search(piece)
        return piece, end

    def _piece(self, text: str, at: int, *, is_last: bool) -> tuple[str, int]:
        if found := self._run.match(text, at):
            return found.group(), found.end()
        char = text[at]
        if char == "\0":
            return "\ufffd", at + 1
        if char == "\\":
            return self._backslash(text, at, is_last=is_last)
        if char == "&":
            read = read_entity(text, at, self._before, self._closers, is_last=is_last)
            return read or ("", at)
        is_end = self._ends(text, at + 1) if self._ends else True
        if is_end is None and not is_last:
            return "", at
        self.is_over = is_end is not False
        return ("", at + 1) if self.is_over else (char, at + 1)

    def _backslash(self, text: str, at: int, *, is_last: bool) -> tuple[str, int]:
        if not self._is_path and _DRIVE.search(self._before):
            folder = _FOLDER.match(text, at)
            rest = text[folder.end() if folder else at :]
            if len(rest) < 2 and not is_last:
                return "", at
            is_inner = rest[:1] == "\\" and rest[1:2].isalnum()
            self._is_path = folder is not None and (is_inner or folder["ending"] is not None)
        if self._is_path and text[at + 1 : at + 2].isalnum():
            return "\\", at + 1
        return read_escape(text, at, self._before, is_last=is_last) or ("", at)
