"""A quiz: questions with four options each, exactly one of them right.

The schema asks the model for the right answer and three wrong ones, not for options and an index.
Models get the index wrong too often. This module draws the position of the right answer.

Model's form:   {title, questions: [{question, correct, wrong[3], explanation}]}, or the public one
Public form:    {title, questions: [{question, options[4], answer 0-3, explanation}]}
Only the title and the questions stream as text: anything else would give the answer away.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from blocks.delta import Delta, Item
from blocks.outputs.base import Ask, Dropped
from blocks.outputs.part_text import is_text, sameness
from blocks.outputs.part_value import Path
from blocks.outputs.prompting import chat, loads_object
from blocks.outputs.structured import StructuredAnswer
from blocks.spec import BlockSpec

MAX_QUESTIONS = 10
DEFAULT_QUESTIONS = 3
OPTIONS = 4

# In characters. The schema sent to the model sets the first; validation applies the second, in case
# the model ignores the schema.
_ASKED_LENGTHS = {"title": 60, "question": 110, "option": 50, "explanation": 140}
_LENGTHS = {"title": 200, "question": 500, "option": 300, "explanation": 2_000}

# Keeps a small model from repeating a question.
_REPEAT_PENALTY = 1.1


class QuizOutput:
    name: ClassVar[str] = "quiz"
    label: ClassVar[str] = "Quiz"
    structured: ClassVar[bool] = True

    def begin(
        self, spec: BlockSpec, prompt: str, options: Mapping[str, Any], *, seed: str, repair: bool
    ) -> QuizAnswer:
        return QuizAnswer(spec, prompt, options, seed=seed, repair=repair)

    def example_problem(self, example_answer: str) -> str:
        example = loads_object(example_answer)
        questions = example.get("questions") if example else None
        if example is None or not isinstance(questions, list) or not questions:
            return (
                'It must be JSON: {"title": …, "questions": [{"question", "correct", "wrong", …}]}.'
            )
        if not is_text(example.get("title"), _LENGTHS["title"]):
            return "Its title is missing, blank or too long."
        for number, question in enumerate(questions, 1):
            try:
                read_question(question)
            except Dropped as drop:
                return f"Its question {number} would be left out: {drop.reason}."
        return ""


class QuizAnswer(StructuredAnswer):
    def __init__(
        self, spec: BlockSpec, prompt: str, options: Mapping[str, Any], *, seed: str, repair: bool
    ) -> None:
        super().__init__()
        asked = options.get("questions", DEFAULT_QUESTIONS)
        self._asked = max(1, min(MAX_QUESTIONS, asked if isinstance(asked, int) else 1))
        self._seed = seed
        self._title = ""
        self._questions: list[dict[str, Any]] = []
        self._seen: set[str] = set()
        self._ask: Ask | None = self._first_ask(spec, prompt, options, repair=repair)

    def _first_ask(
        self, spec: BlockSpec, prompt: str, options: Mapping[str, Any], *, repair: bool
    ) -> Ask:
        example = loads_object(spec.example_answer) or {}
        shown = example.get("questions")
        note = (
            f"Ask {self._asked} different questions, each with one correct answer and three"
            " different wrong ones."
        )
        return Ask(
            chat(
                spec,
                prompt,
                {**options, "questions": self._asked},
                example_options={
                    **options,
                    "questions": len(shown) if isinstance(shown, list) else self._asked,
                },
                # Compact: a model copies line breaks too, and each costs a token.
                example_answer=json.dumps(example, ensure_ascii=False) if example else "",
                note=note if repair else "",
            ),
            _schema(self._asked),
            _REPEAT_PENALTY,
        )

    def next_ask(self) -> Ask | None:
        ask, self._ask = self._ask, None
        return ask

    def place(self, key: str, index: int | None) -> Path | None:
        if key == "title" and index is None:
            return ("title",)
        if key == "questions" and index is not None:
            return ("questions", len(self._questions))
        return None

    def grown_path(self, place: Path, inner: Path) -> Path | None:
        if place == ("title",):
            return place if inner == () else None
        if inner == ("question",) and len(self._questions) < self._asked:
            return (*place, "question")
        return None

    def accept(self, key: str, index: int | None, value: Any) -> Any:
        if key == "title":
            if not is_text(value, _LENGTHS["title"]):
                raise Dropped("schema")
            self._title = value
            return value
        if len(self._questions) >= self._asked:
            raise Dropped("too_many")
        question, correct, wrong, explanation = read_question(value)
        if sameness(question) in self._seen:
            raise Dropped("duplicate_question")
        self._seen.add(sameness(question))
        answer = random.Random(f"{self._seed}{len(self._questions)}").randrange(OPTIONS)
        public = {
            "question": question,
            "options": [*wrong[:answer], correct, *wrong[answer:]],
            "answer": answer,
            "explanation": explanation,
        }
        self._questions.append(public)
        return public

    def end(self) -> Iterable[Delta]:
        if self._title:
            return ()
        self._title = "Quiz"
        return (Item("/title", self._title),)

    @property
    def is_enough(self) -> bool:
        return 2 * len(self._questions) >= self._asked

    @property
    def result(self) -> dict[str, Any]:
        return {"title": self._title, "questions": self._questions}


def read_question(value: Any) -> tuple[str, str, list[str], str]:
    """Read question, right answer, three wrong ones and explanation from either form.

    Raises:
        Dropped: schema, duplicate_options, answer_out_of_range.
    """
    if not isinstance(value, dict):
        raise Dropped("schema")
    if "options" in value:
        options, answer = value["options"], value.get("answer")
        if not isinstance(options, list) or len(options) != OPTIONS:
            raise Dropped("schema")
        if not isinstance(answer, int) or isinstance(answer, bool):
            raise Dropped("schema")
        if not 0 <= answer < OPTIONS:
            raise Dropped("answer_out_of_range")
        texts = [options[answer], *options[:answer], *options[answer + 1 :]]
    else:
        wrong = value.get("wrong")
        if not isinstance(wrong, list) or len(wrong) != OPTIONS - 1:
            raise Dropped("schema")
        texts = [value.get("correct"), *wrong]
    question, explanation = value.get("question"), value.get("explanation")
    if not is_text(question, _LENGTHS["question"]):
        raise Dropped("schema")
    if not is_text(explanation, _LENGTHS["explanation"]):
        raise Dropped("schema")
    if not all(is_text(text, _LENGTHS["option"]) for text in texts):
        raise Dropped("schema")
    if len({sameness(text) for text in texts}) < OPTIONS:
        raise Dropped("duplicate_options")
    return question, texts[0], texts[1:], explanation


def _schema(questions: int) -> dict[str, Any]:
    def text(kind: str) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": _ASKED_LENGTHS[kind]}

    question = {
        "type": "object",
        "properties": {
            "question": text("question"),
            "correct": text("option"),
            "wrong": {
                "type": "array",
                "items": text("option"),
                "minItems": OPTIONS - 1,
                "maxItems": OPTIONS - 1,
            },
            "explanation": text("explanation"),
        },
        "required": ["question", "correct", "wrong", "explanation"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {
            "title": text("title"),
            "questions": {
                "type": "array",
                "items": question,
                "minItems": questions,
                "maxItems": questions,
            },
        },
        "required": ["title", "questions"],
        "additionalProperties": False,
    }
