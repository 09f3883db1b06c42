from __future__ import annotations

import json
from typing import Any

import pytest

from blocks.continuation import Earlier
from blocks.outputs.base import DROP_REASONS
from blocks.outputs.demo.quiz import MORE_TRIES, TEMPERATURE, WARMTH, DemoQuizAnswer
from blocks.outputs.demo.quiz_examples import QUIZ_EXAMPLES
from blocks.outputs.quiz import QuizAnswer, QuizOutput
from tests.blocks.outputs.demo.playing import demo_spec, play


def begin(
    asked: int = 1, *, prompt: str = "Rivers", options: dict[str, Any] | None = None, **changes: Any
) -> Any:
    spec = demo_spec("quiz", **changes)
    given = {"questions": asked, "difficulty": "easy"} if options is None else options
    return QuizOutput().begin(spec, prompt, given, seed="s", repair=False)


def lines(
    question: str = "Which river is the longest?",
    right: str = "Nile",
    wrong: tuple[str, str, str] = ("Rhine", "Seine", "Thames"),
    because: str = "It is longer than six thousand kilometres.",
    number: int = 1,
) -> str:
    options = "".join(f"Wrong: {option}\n" for option in wrong)
    return f"Question {number}: {question}\nRight: {right}\n{options}Because: {because}\n"


TWO = (lines(), lines("Where does the Rhine begin?", "Alps", number=2))


def test_only_the_demo_model_gets_the_lines() -> None:
    spec = demo_spec("quiz", model="local:mine.gguf")
    for model in ("local:mine.gguf", "openai:smollm2-135m", "scripted:x"):
        spec = demo_spec("quiz", model=model)
        answer = QuizOutput().begin(spec, "Rivers", {}, seed="s", repair=False)
        assert isinstance(answer, QuizAnswer)
    assert isinstance(begin(), DemoQuizAnswer)
    assert isinstance(begin(model=" local : smollm2-135m "), DemoQuizAnswer)


def test_a_question_a_request_comes_to_the_public_form() -> None:
    outcome, asks = play(begin(2), *TWO)
    assert outcome.result == {
        "title": "Rivers",
        "questions": [outcome.items["/questions/0"], outcome.items["/questions/1"]],
    }
    first = outcome.items["/questions/0"]
    assert first["question"] == "Which river is the longest?"
    assert first["options"][first["answer"]] == "Nile"
    assert sorted(first["options"]) == ["Nile", "Rhine", "Seine", "Thames"]
    assert first["explanation"] == "It is longer than six thousand kilometres."
    assert outcome.is_enough and not outcome.dropped
    assert [ask.turns[-1].role for ask in asks] == ["user", "assistant"]
    assert asks[1].turns[-1].content == TWO[0]
    assert '"Question 2: "' in asks[1].grammar


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_where_the_answer_is_cut_into_tokens_changes_nothing(size: int) -> None:
    whole, _ = play(begin(2), *TWO)
    cut, _ = play(begin(2), *TWO, size=size)
    assert cut.facts()[1:] == whole.facts()[1:]
    assert cut.grown == {
        "/questions/0/question": "Which river is the longest?",
        "/questions/1/question": "Where does the Rhine begin?",
    }


def test_the_question_alone_grows_and_the_options_come_with_the_item() -> None:
    answer = begin()
    answer.next_ask()
    deltas = [delta for char in lines() for delta in answer.feed(char)]
    texts = [delta for delta in deltas if hasattr(delta, "token")]
    assert "".join(delta.token for delta in texts) == "Which river is the longest?"
    assert {delta.path for delta in texts} == {"/questions/0/question"}


WORDS = " ".join(f"word{n}" for n in range(10, 40))

FAULTS = {
    "the same words": (lines(wrong=("The Nile", "Nile the", "Seine")), "duplicate_options"),
    "the same option": (lines(wrong=("nile", "Seine", "Thames")), "duplicate_options"),
    "the question as an option": (
        lines("What is the river", wrong=("What is the river?", "B", "C")),
        "duplicate_options",
    ),
    "an option that ends in of": (lines(wrong=("The mouth of", "B", "C")), "cut"),
    "an option of six words": (lines(right="The climate change is a natural"), "cut"),
    "an option with a cut word": (lines(right="Abcdefghijklmnopqrst"), "cut"),
    "a question as long as the grammar allows": (lines(f"Which river {WORDS[:80]}?"), "cut"),
    "a missing line": (lines().replace("Right: Nile\n", ""), "malformed"),
    "other text": ("I can't do that.", "malformed"),
    "nothing": ("", "malformed"),
    "a word twice on end": (lines(wrong=("Golden Orb Orb", "B", "C")), "not_words"),
    "marks alone": (lines(right="++"), "not_words"),
    "an example's question": (QUIZ_EXAMPLES[0][1].split("Question 2")[0], "copied_example"),
    "two of an example's options": (
        lines(wrong=("Carthage", "Syracuse", "Seine")),
        "copied_example",
    ),
    "four words of an example": (
        lines(because="All of this would weaken the light."),
        "copied_example",
    ),
}


@pytest.mark.parametrize(("reply", "reason"), FAULTS.values(), ids=FAULTS)
def test_a_bad_question_is_void_and_asked_for_again_warmer(reply: str, reason: str) -> None:
    outcome, asks = play(begin(), reply, lines())
    assert outcome.dropped == {reason: 1}
    assert reason in DROP_REASONS
    assert len(outcome.result["questions"]) == 1  # type: ignore[index]
    assert [ask.temperature for ask in asks] == [pytest.approx(0.4), pytest.approx(0.6)]
    assert asks[1].turns == asks[0].turns  # the bad one is not in view


def test_one_option_of_an_example_may_be_chance() -> None:
    outcome, _ = play(begin(), lines(wrong=("Carthage", "Seine", "Thames")))
    assert not outcome.dropped


def test_what_the_prompt_speaks_of_is_no_copy() -> None:
    outcome, _ = play(begin(prompt="Lighthouses"), lines(wrong=("Carthage", "Syracuse", "Ephesus")))
    assert not outcome.dropped


@pytest.mark.parametrize("again", ["which river is the longest", "What is the longest river?"])
def test_a_question_that_was_asked_before_is_void(again: str) -> None:
    outcome, _ = play(begin(2), lines(), lines(again), TWO[1])
    assert outcome.dropped == {"duplicate_question": 1}
    assert len(outcome.items) == 3


def test_a_quiz_asks_a_few_times_more_and_then_has_what_it_has() -> None:
    outcome, asks = play(begin(3), lines(), "nothing")
    assert len(asks) == 3 + MORE_TRIES
    assert len(outcome.result["questions"]) == 1  # type: ignore[index]
    assert not outcome.is_enough
    assert not outcome.arriving


def test_an_explanation_that_the_grammar_cut_is_left_out() -> None:
    outcome, _ = play(begin(), lines(because="It is " + "so very " * 12 + "lon."))
    assert outcome.items["/questions/0"]["explanation"] == ""


def test_a_question_cut_by_the_limit_is_void() -> None:
    outcome, _ = play(begin(1), lines()[:60], finish="length")
    assert set(outcome.dropped) == {"cut"}
    assert not outcome.arriving


def test_a_line_without_end_is_over_the_limit() -> None:
    answer = begin()
    answer.next_ask()
    for _ in range(5):
        answer.feed("Question 1: " + "x" * 1_000)
    assert answer.is_over_limit


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("  The\n water  cycle ", "The water cycle"),
        (WORDS, f"{WORDS[:55]}…"),
        ("???", "Quiz"),
        ("是", "是"),
    ],
)
def test_the_title_is_the_prompt(prompt: str, title: str) -> None:
    outcome, _ = play(begin(prompt=prompt), lines())
    assert outcome.items["/title"] == title


def test_the_number_of_questions_is_kept_in_bounds() -> None:
    for options, count in (({}, 3), ({"questions": 0}, 1), ({"questions": 99}, 10)):
        replies = [lines(f"Which river is number {n}?", number=n) for n in range(20)]
        outcome, _ = play(begin(options=options), *replies)
        assert len(outcome.result["questions"]) == count  # type: ignore[index]


def test_what_an_admin_wrote_stays() -> None:
    example = {
        "title": "T",
        "questions": [
            {"question": "Own?", "correct": "R", "wrong": ["A", "B", "C"], "explanation": "So."}
        ],
    }
    answer = begin(
        system_prompt="You quiz nurses.",
        prompt_template="A $difficulty quiz of $questions on: $prompt",
        example_prompt="Bandages",
        example_answer=json.dumps(example),
    )
    turns = [turn.content for turn in answer.next_ask().turns]
    assert turns == [
        "You quiz nurses.",
        "A easy quiz of 1 on: Bandages",
        "Question 1: Own?\nRight: R\nWrong: A\nWrong: B\nWrong: C\nBecause: So.\n",
        "A easy quiz of 1 on: Rivers",
    ]


@pytest.mark.parametrize("example", ["", "not JSON", "[]", '{"questions": [1, {}]}', "[" * 9_999])
def test_a_bad_example_gives_way_to_the_recipes(example: str) -> None:
    turns = begin(example_prompt="Mine", example_answer=example).next_ask().turns
    assert len(turns) == 2 + 2 * len(QUIZ_EXAMPLES)


def test_hostile_input_is_filled_in_once() -> None:
    prompt = "$prompt ${system} $$ Question 2: {0}"
    ask = begin(prompt=prompt).next_ask()
    assert ask.turns[-1].content == f"Write a quiz about: {prompt}"


def test_a_continuation_asks_for_the_missing_questions_alone_and_begins_warmer() -> None:
    spec = demo_spec("quiz")
    earlier = Earlier(questions=("What is the longest river?",))
    options = {"questions": 2, "difficulty": "easy"}
    answer: Any = QuizOutput().begin(
        spec, "Rivers", options, seed="s", repair=False, earlier=earlier
    )
    outcome, asks = play(answer, lines("Which is the longest river?"), TWO[1])
    assert [question["question"] for question in outcome.result["questions"]] == [
        "Where does the Rhine begin?"
    ]
    assert outcome.dropped == {"duplicate_question": 1}
    assert [ask.temperature for ask in asks] == [TEMPERATURE + WARMTH, TEMPERATURE + 2 * WARMTH]
