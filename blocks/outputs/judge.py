"""Decides which texts are words that can be shown: in every script, in mathematics and in code.

A small model leaves pieces of its form in its texts: marks alone, half a tag, a member's name, the
same words again and again. The rules were tried on 122 texts; see
`specs/050-live-ai-interaction/decisions/023-read-generously-judge-strictly.md`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_FIELDS = (
    r"(?:questions?|correct(?:[ _]answer)?|wrong|explanations?|options?|answers?|title|nodes?"
    r"|edges?|labels?|from|to|source|target)"
)
_OWN_FIELDS = r"(?:questions?|correct|wrong|explanation|options|answer|nodes|edges)"
_TAGS = (
    r"(?:div|img|span|br|td|tr|th|table|ul|ol|li|h[1-6]|input|script|style|html|body|head|strong"
    r"|em|code|pre|button|form|label|input|link|meta|svg|iframe)"
)
_PIECES = re.compile(
    "|".join(
        [
            r"^\s*[,:]\s",  # the rest of something: `, x`
            r"^\s*[\]}]\s*[\]}\"]*\s*[,:;\]}]",  # `]: x`, `}] x`
            r"^\s*[\"“”]\s*[\]},:]+\s*(?:\w|[\"“”]\w)",  # `": x`
            rf"^\W*{_FIELDS}\W*:\W*$",  # a member's name: `explanation:`
            rf"^\W*{_FIELDS}\s*[\]}}\"”]+\s*:",  # `explanation]: x`
            rf"[\"“”]{_OWN_FIELDS}[\"“”]\s*:",  # `"correct": x`
            r"^\s*(?:id|src|class|href)\s*=\s*[\"'“”\d]",
            r"<[a-z][\w-]*\s+(?:[^<>]*\s)?[\w-]+\s*=\s*[^<>]*$",  # `<img src=`
            rf"</?{_TAGS}\s*$",
            r"\b(?:src|href|class|style|alt)\s*=\s*[\"'“”]?\s*$",
            r"[,:;.\]}\"]\s*[\[{(]\s*$",  # `x, [`
        ]
    ),
    re.IGNORECASE,
)
# Marks that are no piece of JSON: an empty pair of brackets, or one mark that JSON does not use.
_OPERATOR = re.compile(r"\s*(?:\(\)|\[\]|\{\}|<>|\S*[^\w\s,:.\u2026\"'“”()\[\]{}\ufffd]\S*)\s*")
_STRAY_QUOTE = re.compile(r'"\s*[:,=]|[:,=]\s*"')
_INCHES = re.compile(r'(?<=\d)"')
_LISTED = re.compile(r"(?:^|[\s(,;])\w{1,2}\)")  # `a) x b) y`
_PAIRS = {")": "([", "]": "([", "}": "{"}
_BARE_LOOP = re.compile(r"([\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2,16}?)\1{3}")
_STRAY_BRACKETS = 3
_LOOP_WORDS, _LOOP_TIMES = 4, 4


def is_words(text: str) -> bool:
    """Whether the text means something and is not a piece of form or a loop."""
    return has_meaning(text) and is_sound(text)


def are_options(texts: Sequence[str]) -> bool:
    """Whether these texts can be the options of a question.

    All have letters or digits, or none has. Two or more operators may stand beside words: `==`,
    `=`, `is`, `equals`.
    """
    if not all(is_sound(text) for text in texts):
        return False
    marks = [text for text in texts if not has_meaning(text)]
    if not marks or not any(map(_has_letter, texts)):
        return True
    return len(marks) > 1 and all(map(_OPERATOR.fullmatch, marks))


def has_meaning(text: str) -> bool:
    """Whether the text has a letter, a digit, or a symbol beyond ASCII such as ∅ or 🌊."""
    return any(
        unicodedata.category(char) in ("So", "Sm") and char > "\x7f" and char != "\ufffd"
        for char in text
    ) or _has_letter(text)


def is_sound(text: str) -> bool:
    """Whether the text is not a piece of form and not a loop."""
    return not (_PIECES.search(text) or _has_stray_marks(text) or is_loop(text))


def _has_letter(text: str) -> bool:
    return any(unicodedata.category(char)[0] in "LN" for char in text)


def _has_stray_marks(text: str) -> bool:
    plain = _INCHES.sub("", text)
    if plain.count('"') % 2 and _STRAY_QUOTE.search(plain):
        return True
    opened: list[str] = []
    strays = 0
    listed = _LISTED.sub("", text)
    for at, char in enumerate(listed):
        if char in "([{":
            opened.append(char)
        elif char in _PAIRS:
            if opened and opened[-1] in _PAIRS[char]:  # `[0, 1)` is an interval
                opened.pop()
            elif listed[at - 1 : at] == '"':
                return True
            else:
                strays += 1
    return strays + len(opened) >= _STRAY_BRACKETS


def is_loop(text: str) -> bool:
    """Whether the same one to four words, with a letter, come four times on end."""
    words = [re.sub(r"^\W+|\W+$", "", word).casefold() for word in text.split()]
    words = [word for word in words if word]
    for length in range(1, _LOOP_WORDS + 1):
        run = 0
        for at in range(length, len(words)):
            run = run + 1 if words[at] == words[at - length] else 0
            if run >= length * (_LOOP_TIMES - 1):
                phrase = words[at - length + 1 : at + 1]
                if any(char.isalpha() for word in phrase for char in word):
                    return True
    return _BARE_LOOP.search(text) is not None
