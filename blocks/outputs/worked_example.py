"""Finds texts that a model copied from the worked example it was shown."""

from __future__ import annotations

import re
from collections.abc import Iterable

from blocks.outputs.sameness import sameness

_WORD = re.compile(r"\w{5,}")
_STEM = 5  # letters: "butterfly" and "butterflies" are one subject
_WORD_STEM = 6  # of a single word: "planet" and "planes" are two subjects
_OF_ANY_SUBJECT = frozenset({"which", "where", "whose", "there", "these", "those", "about"})


def share_a_word(text: str, others: Iterable[str]) -> bool:
    """Whether a text has a word of five letters or more that one of the others has too.

    "planet" and "Planets" are one word; "which" is none.
    """
    wanted = _stems(text)
    return any(wanted & _stems(other) for other in others)


def _stems(text: str) -> set[str]:
    words = set(_WORD.findall(sameness(text))) - _OF_ANY_SUBJECT
    return {word.removesuffix("s")[:_WORD_STEM] for word in words}


class WorkedExample:
    """The texts of one kind in an example, without those that the prompt speaks of.

    Args:
        texts: the example's texts.
        about: the example's own prompt; a prompt about the same subject may get the same texts.
        prompt: the person's prompt.
        subject: texts whose words tell the example's subject, beside its prompt.
    """

    def __init__(
        self, texts: Iterable[str], *, about: str, prompt: str, subject: Iterable[str] = ()
    ) -> None:
        asked = sameness(prompt)
        stems = {word[:_STEM] for word in _WORD.findall(sameness(about))}
        is_same_subject = (
            not about.strip()
            or (bool(stems) and all(stem in asked for stem in stems))
            or share_a_word(prompt, subject)
        )
        keys = set() if is_same_subject else {sameness(text) for text in texts}
        self._keys = frozenset(key for key in keys if key not in asked)

    def has(self, text: str) -> bool:
        """Whether the text is one of the example's."""
        return sameness(text) in self._keys
