"""Finds texts that a model copied from the worked example it was shown."""

from __future__ import annotations

import re
from collections.abc import Iterable

from blocks.outputs.sameness import sameness

_WORD = re.compile(r"\w{5,}")
_STEM = 5  # letters: "butterfly" and "butterflies" are one subject


class WorkedExample:
    """The texts of one kind in an example, without those that the prompt speaks of.

    Args:
        texts: the example's texts.
        about: the example's own prompt; a prompt about the same subject may get the same texts.
        prompt: the person's prompt.
    """

    def __init__(self, texts: Iterable[str], *, about: str, prompt: str) -> None:
        asked = sameness(prompt)
        stems = {word[:_STEM] for word in _WORD.findall(sameness(about))}
        is_same_subject = not about.strip() or (
            bool(stems) and all(stem in asked for stem in stems)
        )
        keys = set() if is_same_subject else {sameness(text) for text in texts}
        self._keys = frozenset(key for key in keys if key not in asked)

    def has(self, text: str) -> bool:
        """Whether the text is one of the example's."""
        return sameness(text) in self._keys
