from __future__ import annotations

import json
from typing import Any

import pytest

from blocks.delta import Delta, Item, Text
from blocks.outputs.quiz import QuizAnswer, QuizOutput
from tests.contracts.output_contract import OutputContract
from tests.support.blocks.example_spec import spec_of


def question(text: str = "Why?", **changes: Any) -> dict[str, Any]:
    return {
        "question": text,
        "correct": "Right",
        "wrong": ["One", "Two", "Three"],
        "explanation": "Because.",
    } | changes


def begin(questions: int = 3, *, seed: str = "s", repair: bool = False) -> QuizAnswer:
    return QuizOutput().begin(
        spec_of("quiz"),
        "Rivers",
        {"questions": questions, "difficulty": "easy"},
        seed=seed,
        repair=repair,
    )


def feed(answer: QuizAnswer, *questions: Any, title: str = "Rivers") -> list[Delta]:
    return answer.feed(json.dumps({"title": title, "questions": questions})) + answer.close("stop")


class TestQuiz(OutputContract):
    output = QuizOutput()
    spec = spec_of("quiz")
    options = {"questions": 2, "difficulty": "easy"}
    replies = [
        'Sure! {quiz}\n```json\n{"title": "R\\u00edvers \\ud83c\\udf0a", "questions": [\n'
        ' {"question": "Where does\\nwater \\"go\\"? \\\\", "correct": "Down/up", "wrong":'
        ' ["Up", "Left", "R\\/ght"], "explanation": "It is {heavy} []."},'
        ' {"explanation": "e", "wrong": ["a", "b", "c"], "question": "What is \\u0000?",'
        ' "correct": "d"},]}\n```\nEnjoy! {"title": "no"}'
    ]
    result = {
        "title": "Rívers 🌊",
        "questions": [
            {
                "question": 'Where does\nwater "go"? \\',
                "options": ["Up", "Left", "R/ght", "Down/up"],
                "answer": 3,
                "explanation": "It is {heavy} [].",
            },
            {
                "question": "What is \ufffd?",
                "options": ["d", "a", "b", "c"],
                "answer": 0,
                "explanation": "e",
            },
        ],
    }

    def long_reply(self, size: int) -> str:
        many = [question(f"{number} " + "x" * 100) for number in range(size // 100)]
        return json.dumps({"title": "T", "questions": many})


def test_only_the_title_and_the_questions_grow() -> None:
    deltas = feed(begin(), question(), question("How?"))
    paths = {delta.path for delta in deltas if isinstance(delta, Text)}
    assert paths == {"/title", "/questions/0/question", "/questions/1/question"}


def test_the_place_of_the_right_answer_is_drawn_by_the_seed() -> None:
    def places(seed: str) -> list[int]:
        answer = begin(10, seed=seed)
        feed(answer, *(question(f"{n}?") for n in range(10)))
        for public in answer.result["questions"]:
            assert public["options"][public["answer"]] == "Right"
        return [public["answer"] for public in answer.result["questions"]]

    assert places("a") == places("a")
    assert places("a") != places("b")
    assert set(places("a") + places("b") + places("c")) == {0, 1, 2, 3}


def test_a_model_may_answer_in_the_public_form() -> None:
    public = {"question": "Q?", "options": ["a", "b", "c", "d"], "answer": 2, "explanation": "e"}
    answer = begin(1)
    feed(answer, public)
    (kept,) = answer.result["questions"]
    assert kept["options"][kept["answer"]] == "c"
    assert sorted(kept["options"]) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (question(wrong=["One", "Two", "one "]), "duplicate_options"),
        (question(wrong=["Right.", "Two", "Three"]), "duplicate_options"),
        (question(wrong=["One", "Two"]), "schema"),
        (question(wrong=["One", "Two", 3]), "schema"),
        (question(wrong="One"), "schema"),
        (question(correct=None), "schema"),
        (question(correct=" "), "schema"),
        (question(explanation=None), "schema"),
        (question("  "), "schema"),
        (question("x" * 501), "schema"),
        ("a question?", "schema"),
        (None, "schema"),
        ([], "schema"),
        ({"question": "Q?", "options": list("abcd"), "answer": 4, "explanation": "e"}, ""),
        ({"question": "Q?", "options": list("abcd"), "answer": -1, "explanation": "e"}, ""),
        ({"question": "Q?", "options": list("abcd"), "answer": True, "explanation": "e"}, "schema"),
        ({"question": "Q?", "options": list("abcd"), "answer": "a", "explanation": "e"}, "schema"),
        ({"question": "Q?", "options": list("abc"), "answer": 0, "explanation": "e"}, "schema"),
        (question("FIRST ONE"), "duplicate_question"),
    ],
)
def test_an_invalid_question_is_void_and_counted_and_its_path_used_again(
    bad: Any, reason: str
) -> None:
    answer = begin(3)
    deltas = feed(answer, question("First one?"), bad, question("Another?"))
    items = [d for d in deltas if isinstance(d, Item) and d.path.startswith("/questions")]
    assert [item.path for item in items] == ["/questions/0", "/questions/1", "/questions/1"]
    assert items[1].value is None
    assert items[2].value["question"] == "Another?"
    assert answer.dropped == {reason or "answer_out_of_range": 1}
    assert [q["question"] for q in answer.result["questions"]] == ["First one?", "Another?"]


def test_more_questions_than_asked_for_are_left_out_and_do_not_grow() -> None:
    answer = begin(1)
    deltas = feed(answer, question("A?"), question("B?"))
    assert answer.dropped == {"too_many": 1}
    assert not [d for d in deltas if isinstance(d, Text) and d.path == "/questions/1/question"]
    assert len(answer.result["questions"]) == 1


@pytest.mark.parametrize(("asked", "kept", "enough"), [(3, 1, False), (3, 2, True), (2, 1, True)])
def test_half_of_the_questions_asked_for_are_enough(asked: int, kept: int, enough: bool) -> None:
    answer = begin(asked)
    feed(answer, *(question(f"{n}?") for n in range(kept)))
    assert answer.is_enough is enough


def test_a_title_that_is_missing_is_made_up_so_that_the_items_are_the_result() -> None:
    answer = begin(1)
    deltas = feed(answer, question(), title=" ")
    assert answer.dropped == {"schema": 1}
    assert deltas[-1] == Item("/title", "Quiz")
    assert answer.result["title"] == "Quiz"


def test_cut_in_a_question_it_is_void_as_cut() -> None:
    answer = begin(2)
    text = json.dumps({"title": "T", "questions": [question("A?"), question("B?")]})
    answer.feed(text[:-20])
    assert answer.close("length")[0] == Item("/questions/1", None)
    assert answer.dropped == {"cut": 1}


def test_broken_off_without_a_limit_the_question_is_malformed() -> None:
    answer = begin(2)
    answer.feed('{"title": "T", "questions": [{"question": "A')
    assert Item("/questions/0", None) in answer.close("stop")
    assert answer.dropped == {"malformed": 1}


def test_a_question_with_a_member_twice_is_malformed() -> None:
    answer = begin(1)
    twice = json.dumps(question())[:-1] + ', "question": "Other?"}'
    deltas = [delta for char in '{"questions": [' + twice + "]}" for delta in answer.feed(char)]
    assert deltas[-1] == Item("/questions/0", None)
    assert answer.dropped == {"malformed": 1}
    assert "".join(d.token for d in deltas if isinstance(d, Text)) == "Why?"


def test_the_model_is_held_to_the_number_of_questions_and_shown_an_example_of_its_own() -> None:
    ask = begin(5).next_ask()
    assert ask is not None
    assert ask.schema is not None
    questions = ask.schema["properties"]["questions"]
    assert (questions["minItems"], questions["maxItems"]) == (5, 5)
    roles = [turn.role for turn in ask.turns]
    assert roles == ["system", "user", "assistant", "user"]
    assert "3 different questions about: The solar system" in ask.turns[1].content
    assert "5 different questions about: Rivers. Difficulty: easy" in ask.turns[3].content


def test_the_repair_says_more_plainly_what_is_wanted() -> None:
    first, second = begin(3).next_ask(), begin(3, repair=True).next_ask()
    assert first is not None and second is not None
    assert second.turns[-1].content.startswith(first.turns[-1].content)
    assert "Ask 3 different questions" in second.turns[-1].content


@pytest.mark.parametrize("asked", [0, -3, 99, "3", None, True])
def test_a_count_that_never_went_through_the_checks_is_brought_into_range(asked: Any) -> None:
    ask = QuizOutput().begin(spec_of("quiz"), "x", {"questions": asked}, seed="s", repair=False)
    schema = ask.next_ask()
    assert schema is not None and schema.schema is not None
    assert 1 <= schema.schema["properties"]["questions"]["maxItems"] <= 10


@pytest.mark.parametrize(
    ("example", "word"),
    [
        ("nonsense", "JSON"),
        ('{"questions": []}', "JSON"),
        (json.dumps({"questions": [question()]}), "title"),
        (json.dumps({"title": "T", "questions": [question(wrong=[])]}), "question 1"),
    ],
)
def test_what_is_wrong_with_an_example_is_said(example: str, word: str) -> None:
    assert word in QuizOutput().example_problem(example)


def test_the_shipped_example_is_right() -> None:
    assert QuizOutput().example_problem(spec_of("quiz").example_answer) == ""
