"""A quiz of the demo model: one question in each request, as six labelled lines.

JSON is the wrong form for a model of this size: it can't close its strings. A grammar holds it to
the lines. Valid questions stay in view as the beginning of its answer, so that it asks others.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from blocks.continuation import NOTHING, Earlier
from blocks.delta import Delta, FinishReason, Item, Text
from blocks.outputs.base import Ask, Dropped, Turn
from blocks.outputs.demo.lines import LineReader
from blocks.outputs.demo.quiz_examples import QUIZ_EXAMPLES
from blocks.outputs.demo.recipe import Examples, Recipe, dry, example_key
from blocks.outputs.demo.wording import is_cut, is_stutter, runs_of, title_of, wording_key
from blocks.outputs.prompting import loads_object
from blocks.outputs.quiz_question import Question, public_question, read_question
from blocks.outputs.worked_example import WorkedExample
from blocks.spec import BlockSpec

RECIPE = Recipe(
    system="You write quizzes. Each question is about the subject and different from the others. It"
    " has a short right answer, three short wrong answers and a one-sentence explanation.",
    template="Write a quiz about: $prompt",
    shipped_system="You write multiple-choice quizzes as JSON. Each question is about the subject,"
    " short and clear, and different from the others. It has one correct answer, three wrong"
    " answers that differ from each other, and a one-sentence explanation.",
    shipped_template="Write a quiz with $questions different questions about: $prompt."
    " Difficulty: $difficulty.",
)
SHIPPED_EXAMPLES = ("", "350e9ee97e5aa2de", "299ea358e5da6ced")  # keys of those that are replaced
SAMPLING = dry(1.5, 2)
TEMPERATURE, WARMTH, WARMEST = 0.4, 0.2, 1.0  # each further try of a question is warmer
MORE_TRIES = 3  # a quiz may ask for this many questions again
MAX_TOKENS = 300  # of one question; the grammar ends it earlier

_LENGTHS = {"question": 100, "option": 130, "explanation": 110}
_LONGEST_QUESTION, _LONGEST_REASON = 80, 100  # characters that the grammar counts

# "How" is missing: it becomes "How many", with 10, 20, 50 and 100 as options.
_GRAMMAR = r"""
root ::= "Question %d: " ("What"|"Which"|"Who"|"Where"|"Why"|"When") ques "\nRight: " opt "\nWrong: " opt "\nWrong: " opt "\nWrong: " opt "\nBecause: " sent "\n"
ques ::= " " t{8,80} "?"
sent ::= [A-Z0-9] t{14,100} [.!]
t    ::= [^\x00-\x1f"\\<>{}\[\]|`~^_=#@.?!:;]
opt  ::= [A-Z0-9] c{0,19} (" " c{1,19}){0,5}
c    ::= [^\x00-\x20\x7f-\xa0\u2000-\u200f:,.!?()"*<>{}\[\]|\\/_=;]
""".strip()  # noqa: E501  (a rule of the grammar is one line)

_LINE = re.compile(r"(question(?:\s+\d+)?|right|wrong|because)\s*:\s*(.*)", re.IGNORECASE)
_ASKING = re.compile(r"^(?:which|what)\b", re.IGNORECASE)
_OPENING = re.compile(r"\s*question(?:\s+\d+)?\s*:\s*", re.IGNORECASE)


class DemoQuizAnswer:
    """An attempt at a quiz. `prose` is always '': the grammar leaves no room for a refusal."""

    prose = ""

    def __init__(
        self,
        spec: BlockSpec,
        prompt: str,
        options: Mapping[str, Any],
        *,
        asked: int,
        seed: str,
        earlier: Earlier = NOTHING,
    ) -> None:
        self.dropped: Counter[str] = Counter()
        self._asked, self._seed = asked, seed
        self._title = title_of(prompt, "Quiz")
        self._is_titled = False
        self._tries_left = asked + MORE_TRIES
        # Of the current question. A quiz with earlier questions begins warmer: the first that comes
        # to the model's mind was asked already.
        self._failures = 1 if earlier.questions else 0
        self._seen = {_asked_for(question) for question in earlier.questions}
        self._questions: list[dict[str, Any]] = []
        self._lines: list[str] = []  # of the valid questions, as the model wrote them
        self._options: list[str] = []
        self._max_tokens = min(MAX_TOKENS, spec.max_tokens)
        examples = examples_of(spec)
        self._turns = RECIPE.turns(spec, prompt, {**options, "questions": asked}, examples)
        self._copies = _Copies(examples, prompt)
        self._restart()

    def _restart(self) -> None:
        self._reader = LineReader()
        self._block: list[str] = []  # the lines of the open question
        self._told = 0  # characters of the question

    def next_ask(self) -> Ask | None:
        if len(self._questions) >= self._asked or not self._tries_left:
            return None
        self._tries_left -= 1
        self._restart()
        so_far = "".join(f"{line}\n" for line in self._lines)
        return Ask(
            (*self._turns, Turn("assistant", so_far)) if so_far else self._turns,
            grammar=_GRAMMAR % (len(self._questions) + 1),
            sampling=SAMPLING,
            temperature=min(WARMEST, TEMPERATURE + WARMTH * self._failures),
            max_tokens=self._max_tokens,
        )

    def feed(self, token: str) -> list[Delta]:
        deltas = list(self._begin())
        for line in self._reader.feed(token):
            if not self._block:
                deltas.extend(self._grown(line, is_whole=True))
            if line:
                self._block.append(line)
        if not self._block:
            deltas.extend(self._grown(self._reader.open_line))
        return deltas

    def close(self, finish_reason: FinishReason) -> list[Delta]:
        deltas = list(self._begin())
        if (line := self._reader.end()) and finish_reason == "stop":
            if not self._block:
                deltas.extend(self._grown(line, is_whole=True))
            self._block.append(line)
        path = self._path
        try:
            public = self._accept(finish_reason)
        except Dropped as drop:
            self.dropped[drop.reason] += 1
            self._failures += 1
            return [*deltas, Item(path, None)]
        self._questions.append(public)
        self._seen.add(_asked_for(public["question"]))
        self._failures = 0
        return [*deltas, Item(path, public)]

    @property
    def is_over_limit(self) -> bool:
        return self._reader.is_over_limit

    @property
    def is_enough(self) -> bool:
        return 2 * len(self._questions) >= self._asked

    @property
    def result(self) -> dict[str, Any]:
        return {"title": self._title, "questions": self._questions}

    # --- inner parts ---

    @property
    def _path(self) -> str:
        return f"/questions/{len(self._questions)}"

    def _begin(self) -> Iterator[Delta]:
        if not self._is_titled:
            self._is_titled = True
            yield Item("/title", self._title)

    def _grown(self, line: str, *, is_whole: bool = False) -> Iterator[Delta]:
        opening = _OPENING.match(line)
        if opening is None:
            return
        question = line[opening.end() :]
        if not is_whole:
            question = question.rstrip()  # a blank may be the last of the line
        question = question[: _LENGTHS["question"]]
        if len(question) > self._told:
            yield Text(question[self._told :], f"{self._path}/question")
            self._told = len(question)

    def _accept(self, finish_reason: FinishReason) -> dict[str, Any]:
        form = _read_block(self._block)
        if form is None:
            raise Dropped("cut" if finish_reason == "length" else "malformed")
        read = read_question(form, _LENGTHS)
        self._judge(read)
        self._lines += self._block
        return public_question(read, random.Random(f"{self._seed}{len(self._questions)}"))

    def _judge(self, read: Question) -> None:
        """Raise what this model does wrong, beyond the rules for all models."""
        if any(map(is_stutter, (read.question, *read.options))):
            raise Dropped("not_words")
        if _asked_for(read.question) in self._seen:
            raise Dropped("duplicate_question")
        options = {wording_key(option) for option in read.options}
        if len(options) < len(read.options) or wording_key(read.question) in options:
            raise Dropped("duplicate_options")
        if len(read.question) > _LONGEST_QUESTION or any(map(is_cut, read.options)):
            raise Dropped("cut")
        if self._copies.has(read):
            raise Dropped("copied_example")


class _Copies:
    """Finds what the model copied from the worked examples."""

    def __init__(self, examples: Examples, prompt: str) -> None:
        shown = [(about, form) for about, answer in examples for form in _read_forms(answer)]
        options = [(about, [form["correct"], *form["wrong"]]) for about, form in shown]
        self._options = [
            WorkedExample(texts, about=about, prompt=prompt) for about, texts in options
        ]
        texts = (form[name] for _, form in shown for name in ("question", "explanation"))
        self._runs = set().union(*map(runs_of, texts)) - runs_of(prompt)

    def has(self, read: Question) -> bool:
        copied = [
            option for option in read.options if any(one.has(option) for one in self._options)
        ]
        runs = runs_of(read.question) | runs_of(read.explanation)
        return len(copied) > 1 or bool(runs & self._runs)  # one equal option may be chance


def _asked_for(question: str) -> str:
    """Return a key of what is asked: "Which fruit is the best?" and "What is the best fruit?"."""
    return wording_key(_ASKING.sub("", question))


def examples_of(spec: BlockSpec) -> Examples:
    """Return the block's own worked example in the form of lines, or those of the recipe."""
    if example_key(spec.example_prompt, spec.example_answer) in SHIPPED_EXAMPLES:
        return QUIZ_EXAMPLES
    shown = (loads_object(spec.example_answer) or {}).get("questions")
    answer = ""
    for number, form in enumerate(shown if isinstance(shown, list) else (), 1):
        try:
            read = read_question(form, _LENGTHS)
        except Dropped:
            continue
        right = read.options[read.answer]
        wrong = [option for option in read.options if option is not right]
        options = "".join(f"Wrong: {option}\n" for option in wrong)
        answer += f"Question {number}: {read.question}\nRight: {right}\n{options}"
        answer += f"Because: {read.explanation or right}\n"
    return ((spec.example_prompt, answer),) if answer else QUIZ_EXAMPLES


def _read_block(lines: list[str]) -> dict[str, Any] | None:
    """Read the six lines of a question; None if they are others."""
    found = [match.groups() for line in lines if (match := _LINE.fullmatch(line))]
    names = [name.split()[0].casefold() for name, _ in found]
    if names != ["question", "right", "wrong", "wrong", "wrong", "because"]:
        return None
    question, right, *wrong, reason = (text for _, text in found)
    if len(reason) > _LONGEST_REASON:
        reason = ""  # the grammar cut it
    return {"question": question, "correct": right, "wrong": wrong, "explanation": reason}


def _read_forms(answer: str) -> Iterator[dict[str, Any]]:
    lines = answer.splitlines()
    for at in range(0, len(lines), 6):
        if (form := _read_block(lines[at : at + 6])) is not None:
            yield form
