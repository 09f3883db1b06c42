r"""Reads the escapes in a model's JSON strings, also those that JSON does not allow.

Models write LaTeX, regular expressions and paths with single backslashes. JSON calls `\(` an error
and reads `\frac` as a form feed and "rac". An escape that can't be meant is read as its characters.
Every function returns None if more text decides.
"""

from __future__ import annotations

import re
from html import unescape

_SIMPLE = {'"': '"', "\\": "\\", "/": "/", "'": "'", "\n": "\n"}
_BLANKS = {"n": "\n", "r": "\r", "t": "\t"}

# The commands of LaTeX that begin like the escape of a blank: those that KaTeX knows, and others.
_COMMANDS = frozenset(
    """
    nabla natnums natural ncong ne nearrow neg negmedspace negthickspace negthinspace neq newcommand
    newline nexists ngeq ngeqq ngeqslant ngtr ni nLeftarrow nleftarrow nLeftrightarrow
    nleftrightarrow nleq nleqq nleqslant nless nmid nobreak nobreakspace noindent nolimits nonumber
    norm normalsize not notag notin notni nparallel nprec npreceq nRightarrow nrightarrow nshortmid
    nshortparallel nsim nsubset nsubseteq nsubseteqq nsucc nsucceq nsupset nsupseteq nsupseteqq
    ntriangleleft ntrianglelefteq ntriangleright ntrianglerighteq nu nVDash nVdash nvDash nvdash
    nwarrow
    raise raisebox rang rangle rank rarr rArr ratio rbrace rbrack rceil real reals ref reflectbox
    renewcommand rfloor rgroup rhd rho right rightarrow rightarrowtail rightharpoondown
    rightharpoonup rightleftarrows rightleftharpoons rightrightarrows rightsquigarrow
    rightthreetimes risingdotseq rlap rm rmoustache root rparen rrbracket rtimes rule rvert rVert
    tag tan tanh tau tbinom text textasciicircum textasciitilde textbackslash textbar textbf
    textbraceleft textbraceright textcircled textcolor textdegree textdollar textellipsis textemdash
    textendash textgreater textit textless textmd textnormal textregistered textrm textsc textsf
    textstyle textsubscript textsuperscript texttimes texttt textunderscore textup tfrac
    therefore theta thetasym thickapprox thicksim thickspace thinspace tilde times tiny to top
    triangle triangledown triangleleft trianglelefteq triangleq triangleright trianglerighteq
    twoheadleftarrow twoheadrightarrow
    """.split()
)
_BEGUN = frozenset(name[:end] for name in _COMMANDS for end in range(1, len(name) + 1))
# A line break and a word: "and\nless", in Italian "\ne", in Croatian "\ni".
_WORDS_TOO = frozenset({"ne", "ni", "nless"})
_LETTERS = re.compile(r"[A-Za-z]*")
_HEX = re.compile(r"[0-9A-Fa-f]*")
_LOW_HALF = re.compile(r"\\u([dD][c-fC-F][0-9A-Fa-f]{2})")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,9});")
_BEGUN_ENTITY = re.compile(r"&(?:#[0-9xXA-Fa-f]{0,8}|[A-Za-z][A-Za-z0-9]{0,9})?")
_REPLACEMENT = "\ufffd"

Read = tuple[str, int]  # the text that is meant, and the position behind it


def read_escape(text: str, at: int, before: str, *, is_last: bool) -> Read | None:
    """Read the escape whose backslash is at `at`.

    Args:
        before: the last characters of the string so far.
        is_last: no more text follows.
    """
    if at + 1 == len(text):
        return ("", at + 1) if is_last else None
    char = text[at + 1]
    if char in _SIMPLE:
        return _SIMPLE[char], at + 2
    if char in _BLANKS:
        return _blank_or_command(text, at, before, is_last=is_last)
    if char in "uxU":
        return _code(text, at, is_last=is_last)
    return "\\", at + 1


def _blank_or_command(text: str, at: int, before: str, *, is_last: bool) -> Read | None:
    found = _LETTERS.match(text, at + 1)
    name = found.group() if found else ""
    if at + 1 + len(name) == len(text) and name in _BEGUN and not is_last:
        return None
    is_word = name in _WORDS_TOO and len(before) > 1 and before[-2:].isalpha()
    if name in _COMMANDS and not is_word:
        return "\\", at + 1
    return _BLANKS[text[at + 1]], at + 2


def _code(text: str, at: int, *, is_last: bool) -> Read | None:
    r"""Read `\uXXXX`, and Python's `\xXX` and `\UXXXXXXXX`."""
    width = {"u": 4, "x": 2, "U": 8}[text[at + 1]]
    found = _HEX.match(text, at + 2, at + 2 + width)
    digits = found.group() if found else ""
    end = at + 2 + len(digits)
    if len(digits) < width:
        return None if end == len(text) and not is_last else ("\\", at + 1)
    code = int(digits, 16)
    if 0xD800 <= code < 0xDC00:
        return _pair(text, end, code, is_last=is_last)
    if code == 0 or 0xDC00 <= code < 0xE000 or code > 0x10FFFF:
        return _REPLACEMENT, end
    return chr(code), end


def _pair(text: str, at: int, high: int, *, is_last: bool) -> Read | None:
    """Read the second half of a character that JSON writes as two escapes."""
    if found := _LOW_HALF.match(text, at):
        low = int(found[1], 16)
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)), found.end()
    rest = text[at : at + 6]
    if len(rest) < 6 and rest[:2] == "\\u"[: len(rest)] and not is_last:
        return None
    return _REPLACEMENT, at


def read_entity(text: str, at: int, before: str, closers: str, *, is_last: bool) -> Read | None:
    """Read the `&` at `at`, which may begin an HTML entity.

    An entity that is the whole string stays as it is: there it is the subject.

    Args:
        before: the last characters of the string so far.
        closers: the characters that can end the string.
        is_last: no more text follows.
    """
    found = _ENTITY.match(text, at)
    if found is None:
        begun = _BEGUN_ENTITY.match(text, at)
        if begun and begun.end() == len(text) and not is_last:
            return None
        return "&", at + 1
    end = found.end()
    if not before:
        if end == len(text) and not is_last:
            return None
        if text[end : end + 1] in closers:
            return found.group(), end
    meant = unescape(found.group())
    return (meant if meant.isprintable() or meant.isspace() else _REPLACEMENT), end
