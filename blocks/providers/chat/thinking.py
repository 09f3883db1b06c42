"""Separates the reasoning at the beginning of an answer from the answer."""

from __future__ import annotations

import re

MAX_HELD_CHARACTERS = 200
"""Limit of the blanks before the first word that are held until it is known what they precede."""

# Beginning → end. A service without a parser for its model leaves these marks in the text.
_THOUGHTS = {
    "<think>": "</think>",  # DeepSeek, Qwen, GLM, MiniMax, Kimi, Nemotron and most others
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",  # Gemini, EXAONE
    "<reasoning>": "</reasoning>",
    "<seed:think>": "</seed:think>",  # Seed-OSS
    "[think]": "[/think]",  # Magistral
    "◁think▷": "◁/think▷",  # Kimi-VL
    "<|channel|>analysis<|message|>": "<|end|>",  # gpt-oss
    "<|start|>assistant<|channel|>analysis<|message|>": "<|end|>",
    "<|channel>thought": "<channel|>",  # Gemma 4
    "<|start_thinking|>": "<|end_thinking|>",  # Command A
    "<|begin_of_thought|>": "<|end_of_thought|>",  # OpenThinker
}

# Marks of the answer itself.
_ANSWER_MARKS = (
    "</think>",  # DeepSeek and Qwen, where the template has begun the reasoning
    "<|start|>assistant<|channel|>final<|message|>",
    "<|channel|>final<|message|>",
    "<|start_response|>",
    "<|begin_of_solution|>",
)

_BLANK = re.compile("[\\s\ufeff\u200b\u2060]*")  # also a byte order mark and blanks without a width
_MARKS = (*_THOUGHTS, *_ANSWER_MARKS)
_ENDS = {end: re.compile(re.escape(end), re.IGNORECASE) for end in _THOUGHTS.values()}


class ThinkingSplitter:
    """Follows an answer, piece by piece. The result does not depend on where it was cut.

    Only marks at the beginning count; later ones are text. Without a mark, the text stays as it is,
    blanks included. After reasoning, the answer begins with its first word.

    Args:
        is_off: pass on everything; for an answer whose beginning is already known.
    """

    def __init__(self, *, is_off: bool = False) -> None:
        self._is_at_text = is_off
        self._held = ""  # at the beginning: what may become a mark; inside: of its end
        self._end = ""  # the mark that ends the reasoning; '' outside of it
        self._has_thought = False

    @property
    def is_thinking(self) -> bool:
        """Whether the reasoning goes on."""
        return bool(self._end)

    def feed(self, text: str) -> str:
        """Return the answer's text in a further piece; may be empty."""
        if self._is_at_text:
            return text
        text = self._held + text
        while not self._is_at_text:
            if self._end:
                found = _ENDS[self._end].search(text)
                if found is None:
                    self._held = text[1 - len(self._end) :]
                    return ""
                text, self._end = text[found.end() :], ""
            begun = _without_blanks(text)
            is_held_too_long = len(text) - len(begun) > MAX_HELD_CHARACTERS
            mark = next((m for m in _MARKS if begun[: len(m)].lower() == m), "")
            if is_held_too_long and not self._has_thought:
                self._is_at_text = True
            elif mark:
                self._has_thought = True
                self._end = _THOUGHTS.get(mark, "")
                text = begun[len(mark) :]
            elif self._may_be_mark(begun):
                self._held = begun if self._has_thought else text
                return ""
            else:
                self._is_at_text = True
        self._held = ""
        return _without_blanks(text) if self._has_thought else text

    def end(self) -> str:
        """Return what was held and is text after all; an unended thought is none."""
        held, self._held = self._held, ""
        return "" if self._end else held

    @staticmethod
    def _may_be_mark(begun: str) -> bool:
        begun = begun.lower()
        return any(mark.startswith(begun) for mark in _MARKS)


def _without_blanks(text: str) -> str:
    blank = _BLANK.match(text)
    return text[blank.end() :] if blank else text
