"""A quiz: questions with four options each, exactly one of them right.

The schema asks the model for the right answer and three wrong ones, not for options and an index.
Models get the index wrong too often. This module draws the position of the right answer.

Model's form:   {title, questions: [{question, correct, wrong[3], explanation}]}, or the public one
Public form:    {title, questions: [{question, options[4], answer 0-3, explanation}]}
Only the title and the questions stream as text: anything else would give the answer away.
`quiz_question.py` reads the other forms in which models write a question.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from blocks.continuation import CONTINUES, NOTHING, Earlier, EndedAnswer
from blocks.delta import Delta, FinishReason
from blocks.errors import InvalidInput
from blocks.outputs.base import Ask, Dropped
from blocks.outputs.demo.quiz import DemoQuizAnswer
from blocks.outputs.known_names import folded
from blocks.outputs.part_value import Path
from blocks.outputs.prompting import chat, loads_object
from blocks.outputs.question_names import OWN_NAMES, QUESTION_NAMES
from blocks.outputs.quiz_counting import QuizCounting
from blocks.outputs.quiz_example import QuizExample
from blocks.outputs.quiz_question import (
    OPTIONS,
    is_question,
    public_question,
    read_question,
)
from blocks.outputs.sameness import sameness
from blocks.outputs.shown_text import asked_length
from blocks.outputs.titled import TitledAnswer
from blocks.spec import BlockSpec

MAX_QUESTIONS = 10
DEFAULT_QUESTIONS = 3

LENGTHS = {"title": 200, "question": 500, "option": 300, "explanation": 2_000}
"""In characters; longer texts end with a whole word."""

# A local model is small: what it writes beyond these lengths is worth nothing.
_LOCAL_LENGTHS = {"title": 60, "question": 110, "option": 50, "explanation": 140}

# Keeps a small model from repeating a question.
_REPEAT_PENALTY = 1.1


def asked_questions(options: Mapping[str, Any]) -> int:
    """Return how many questions a quiz was asked for."""
    asked = options.get("questions", DEFAULT_QUESTIONS)
    return max(1, min(MAX_QUESTIONS, asked if isinstance(asked, int) else 1))


class QuizOutput:
    name: ClassVar[str] = "quiz"
    label: ClassVar[str] = "Quiz"
    noun: ClassVar[str] = "a quiz"
    structured: ClassVar[bool] = True

    def begin(
        self,
        spec: BlockSpec,
        prompt: str,
        options: Mapping[str, Any],
        *,
        seed: str,
        repair: bool,
        earlier: Earlier = NOTHING,
    ) -> QuizAnswer | DemoQuizAnswer:
        asked = max(1, asked_questions(options) - len(earlier.questions))
        if spec.is_demo:
            return DemoQuizAnswer(spec, prompt, options, asked=asked, seed=seed, earlier=earlier)
        return QuizAnswer(
            spec, prompt, options, asked=asked, seed=seed, repair=repair, earlier=earlier
        )

    def earlier_of(self, answers: Sequence[EndedAnswer], options: Mapping[str, Any]) -> Earlier:
        results = [answer.result for answer in answers]
        if results[-1] is None:
            raise InvalidInput(CONTINUES, "This quiz failed; ask for it again instead.")
        try:
            asked = [
                part["question"] for result in results if result for part in result["questions"]
            ]
        except (KeyError, TypeError):  # the block had another output then
            raise InvalidInput(CONTINUES, "This answer is not a quiz.") from None
        if len(asked) >= asked_questions(options):
            raise InvalidInput(CONTINUES, "This quiz already has all of its questions.")
        return Earlier(questions=tuple(asked))

    def example_problem(self, example_answer: str) -> str:
        example = loads_object(example_answer)
        questions = example.get("questions") if example else None
        if example is None or not isinstance(questions, list) or not questions:
            return (
                'It must be JSON: {"title": …, "questions": [{"question", "correct", "wrong", …}]}.'
            )
        title = example.get("title")
        if not isinstance(title, str) or not title.strip() or len(title) > LENGTHS["title"]:
            return "Its title is missing, blank or too long."
        for number, question in enumerate(questions, 1):
            try:
                read_question(question, LENGTHS)
            except Dropped as drop:
                return f"Its question {number} would be left out: {drop.reason}."
        return ""


class QuizAnswer(TitledAnswer):
    lists: ClassVar = {
        "questions": frozenset(
            {"questions", "quiz", "quizquestions", "items", "mcqs", "multiplechoicequestions"}
            | {"questionlist", "exercises", "fragen", "preguntas", "вопросы", "问题", "問題"}
        )
    }
    part_names = OWN_NAMES
    wrappers: ClassVar = frozenset({"quizdata", "multiplechoicequiz", "test"})
    default_title = "Quiz"

    def __init__(
        self,
        spec: BlockSpec,
        prompt: str,
        options: Mapping[str, Any],
        *,
        asked: int,
        seed: str,
        repair: bool,
        earlier: Earlier,
    ) -> None:
        super().__init__(prompt, _LOCAL_LENGTHS if spec.is_local else LENGTHS)
        self._asked, self._seed = asked, seed
        self._questions: list[dict[str, Any]] = []
        self._seen = {sameness(question) for question in earlier.questions}
        self._growing_name: str | None = None  # the member of the open question that grows
        self._counting = QuizCounting(self._lengths)
        example = loads_object(spec.example_answer) or {}
        self._example = QuizExample(example, spec, prompt, LENGTHS)
        notes = [_asked_before(earlier.questions)] if earlier.questions else []
        if repair:
            notes.append(
                f"Ask {self._asked} different questions, each with one correct answer and three"
                " different wrong ones."
            )
        self._ask: Ask | None = self._first_ask(spec, prompt, options, example, "\n".join(notes))

    def _first_ask(
        self,
        spec: BlockSpec,
        prompt: str,
        options: Mapping[str, Any],
        example: Mapping[str, Any],
        note: str,
    ) -> Ask:
        shown = example.get("questions")
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
                note=note,
            ),
            _schema(self._asked, self._lengths),
            _REPEAT_PENALTY,
        )

    def next_ask(self) -> Ask | None:
        ask, self._ask = self._ask, None
        return ask

    # --- TitledAnswer ---

    @property
    def unnamed_list(self) -> str:
        return "questions"

    def list_of(self, value: Any) -> str | None:
        return "questions" if is_question(value) else None

    def list_place(self, name: str) -> Path | None:
        self._growing_name = None
        is_full = len(self._questions) >= self._asked
        # What follows the answer is often a second version of it.
        return None if is_full and self._documents else ("questions", len(self._questions))

    def grown_path(self, place: Path, inner: Path) -> Path | None:
        if place == ("title",):
            return place if inner == () else None
        if len(inner) != 1 or len(self._questions) >= self._asked:
            return None
        name = str(inner[0])
        if self._growing_name is None and folded(name) in QUESTION_NAMES:
            self._growing_name = name
        return (*place, "question") if name == self._growing_name else None

    def longest(self, path: Path) -> int | None:
        return self._lengths["question"] if path[-1] == "question" else super().longest(path)

    def accept_part(self, name: str, value: Any) -> dict[str, Any]:
        if len(self._questions) >= self._asked:
            raise Dropped("too_many")
        read = read_question(value, self._lengths, base=self._counting.base)
        key = sameness(read.question)
        if key in self._seen:
            raise Dropped("duplicate_question")
        if self._example.has(read):
            raise Dropped("copied_example")
        self._seen.add(key)
        public = public_question(read, random.Random(f"{self._seed}{len(self._questions)}"))
        self._questions.append(public)
        self._counting.note(read, value, public)
        return public

    def feed(self, token: str) -> list[Delta]:
        return self._counting.released(super().feed(token), is_last=False)

    def close(self, finish_reason: FinishReason) -> list[Delta]:
        return self._counting.released(super().close(finish_reason), is_last=True)

    @property
    def is_enough(self) -> bool:
        return 2 * len(self._questions) >= self._asked

    @property
    def result(self) -> dict[str, Any]:
        return {"title": self._title, "questions": self._questions}


def _asked_before(questions: Sequence[str]) -> str:
    listed = "\n".join(f"- {question}" for question in questions)
    return f"These questions were asked already. Ask others:\n{listed}"


def _schema(questions: int, lengths: Mapping[str, int]) -> dict[str, Any]:
    def text(kind: str) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": asked_length(lengths[kind])}

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
