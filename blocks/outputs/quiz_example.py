"""Finds questions that a model copied from a quiz's worked example.

A fair question may share options with the example: four planets are the options of many questions.
It is about the example's subject then, and the right one is another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from blocks.outputs.base import Dropped
from blocks.outputs.quiz_question import Question, read_question
from blocks.outputs.sameness import sameness
from blocks.outputs.worked_example import WorkedExample, share_a_word
from blocks.spec import BlockSpec


class QuizExample:
    """The worked example, of which a question may be a copy.

    Args:
        example: the example's answer; {} if there is none.
        prompt: the person's prompt.
        lengths: see `read_question`.
    """

    def __init__(
        self,
        example: Mapping[str, Any],
        spec: BlockSpec,
        prompt: str,
        lengths: Mapping[str, int],
    ) -> None:
        self._read: list[Question] = []
        shown = example.get("questions")
        for question in shown if isinstance(shown, list) else ():
            try:
                self._read.append(read_question(question, lengths))
            except Dropped:
                continue
        about, asked = spec.example_prompt, [read.question for read in self._read]
        options = [option for read in self._read for option in read.options]
        self._questions = WorkedExample(asked, about=about, prompt=prompt, subject=asked)
        self._options = WorkedExample(options, about=about, prompt=prompt, subject=asked)
        # A small model asks about the prompt and copies the options all the same.
        self._fair_subjects = asked if spec.is_local else [*asked, prompt]

    def has(self, read: Question) -> bool:
        """Whether a question is the example's, or has its options without having its subject."""
        if self._questions.has(read.question):
            return True
        if sum(map(self._options.has, read.options)) < 2:  # one may be chance
            return False
        is_fair = share_a_word(read.question, self._fair_subjects)
        return not is_fair or _key(read) in map(_key, self._read)


def _key(read: Question) -> tuple[str, frozenset[str]]:
    """Return what two questions with the same options and the same right one have in common."""
    return sameness(read.options[read.answer]), frozenset(map(sameness, read.options))
