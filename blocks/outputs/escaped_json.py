r"""Reads JSON that came as a JSON text: `"{\"title\": …}"`.

It undoes one level of escapes, up to the quote that ends the text.
"""

from __future__ import annotations

import re

_OPENING = re.compile(r'[{\[](?:\s|\\[nrt])*(?:\{(?:\s|\\[nrt])*)?(?P<escape>\\(?P<quote>")?)?')
_ESCAPE = re.compile(r'\\(u[0-9A-Fa-f]{4}|[^u])|"')
_BLANKS = {"n": "\n", "r": "\r", "t": "\t"}
_LONGEST_BEGUN = len("\\u000")


def begins_escaped(text: str, at: int) -> bool | None:
    """Whether the bracket at `at` begins escaped JSON; None if more text decides."""
    found = _OPENING.match(text, at)
    if found is None:
        return False
    if found["quote"]:
        return True
    return None if found.end() == len(text) else False


def _meant(code: str) -> str:
    if len(code) == 1:
        return _BLANKS.get(code, code)
    char = chr(int(code[1:], 16))
    # Half a character: the escape means the same one level deeper, where both halves are read.
    return "\\" + code if "\ud800" <= char <= "\udfff" else char


class EscapedJson:
    """Undoes the escapes of one text, fed in pieces cut anywhere."""

    def __init__(self) -> None:
        self.is_over = False  # the quote that ends the text was read
        self._begun = ""  # an escape that is not complete

    def feed(self, text: str) -> str:
        """Return the text that a further piece means. What follows the end stays as it is."""
        text, self._begun = self._begun + text, ""
        out: list[str] = []
        at = 0
        for found in _ESCAPE.finditer(text):
            out.append(text[at : found.start()])
            at = found.end()
            if found[1] is None:
                self.is_over = True
                return "".join(out) + text[at:]
            out.append(_meant(found[1]))
        begun = text.rfind("\\", max(at, len(text) - _LONGEST_BEGUN))
        if begun >= 0:
            self._begun, text = text[begun:], text[:begun]
        return "".join(out) + text[at:]
