"""Finds out whether a model numbers the options of a quiz from 0 or from 1.

A question waits, with all that follows, until one of them shows it: by a 0, by the number of
options, or by an explanation that speaks of the right option. A single explanation may speak of a
wrong one ("unlike Mars"), so 1 needs two of them, or one if nothing else comes. Otherwise it is 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from blocks.delta import Delta, Item
from blocks.outputs.base import Dropped
from blocks.outputs.quiz_answer import Base
from blocks.outputs.quiz_question import Question, read_question

_ENOUGH = 2  # explanations that speak for 1


class QuizCounting:
    """The counting of one quiz.

    Args:
        lengths: see `read_question`.
    """

    def __init__(self, lengths: Mapping[str, int]) -> None:
        self.base: Base | None = None  # None: nothing has shown it
        self._lengths = lengths
        self._leaning = 0  # questions whose explanation speaks for 1
        self._guessed: list[tuple[Any, dict[str, Any]]] = []  # the model's and the public form
        self._held: list[Delta] = []  # from the first guessed question on

    def note(self, read: Question, value: Any, public: dict[str, Any]) -> None:
        """Note a question.

        Args:
            value: the question in the model's form.
            public: its public form; a guessed answer in it changes once the base is known.
        """
        self._leaning += read.leans_to_1
        if self.base is None:
            self.base = 1 if self._leaning >= _ENOUGH else read.base
        if read.is_guess:
            self._guessed.append((value, public))

    def released(self, deltas: Sequence[Delta], *, is_last: bool) -> list[Delta]:
        """Return the deltas that need not wait, in order.

        Args:
            deltas: the next ones.
            is_last: no more question follows, so nothing waits any longer.
        """
        self._held += deltas
        if is_last and self.base is None and self._leaning:
            self.base = 1
        if self.base is not None:
            for value, public in self._guessed:
                with suppress(Dropped):  # of five options, the right one may be no words
                    read = read_question(value, self._lengths, base=self.base)
                    public |= {"options": list(read.options), "answer": read.answer}
        if self.base is not None or is_last:
            self._guessed.clear()
        waits = next((at for at, one in enumerate(self._held) if self._is_guessed(one)), None)
        released = self._held[:waits]
        self._held = [] if waits is None else self._held[waits:]
        return released

    def _is_guessed(self, delta: Delta) -> bool:
        return isinstance(delta, Item) and any(delta.value is public for _, public in self._guessed)
