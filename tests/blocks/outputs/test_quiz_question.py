from __future__ import annotations

from typing import Any

import pytest

from blocks.outputs.base import Dropped
from blocks.outputs.quiz_question import is_question, read_question

LENGTHS = {"question": 60, "option": 20, "explanation": 40}
FOUR = ("x", "y", "z", "w")


def asked(**members: Any) -> dict[str, Any]:
    return {"question": "Q?", "explanation": "Because."} | members


ORDERED = [
    asked(options=list(FOUR), answer=1),
    asked(choices=list(FOUR), correct_answer="y"),
    asked(options=dict(zip("ABCD", FOUR, strict=True)), answer="B"),
    asked(options={"1": "x", "2": "y", "3": "z", "4": "w"}, answer=2),
    asked(options=["A) x", "B) y", "C) z", "D) w"], answer="B"),
    asked(
        options=[{"label": label, "text": text} for label, text in zip("ABCD", FOUR, strict=True)],
        answer="B",
    ),
    asked(options=[{"id": n, "text": text} for n, text in enumerate(FOUR, 1)], answer=2),
    asked(options=[{"text": text, "isCorrect": text == "y"} for text in FOUR]),
    asked(options=[{label: text} for label, text in zip("ABCD", FOUR, strict=True)], answer="B"),
    asked(option_a="x", option_b="y", option_c="z", option_d="w", correct_option="B"),
    asked(A="x", B="y", C="z", D="w", answer="B"),
    asked(option1="x", option2="y", option3="z", option4="w", answer="y"),
    asked(options=[*FOUR, "v"], answer=1),
    asked(correct="B) y", wrong=["A) x", "C) z", "D) w"]),
    asked(options=list(FOUR), answer="Y is nice", correct_index=1),
    {"Question": "Q?", "Options": list(FOUR), "Answer": "B", "Rationale": "Because."},
    {"question": {"text": "Q?", "options": list(FOUR), "answer": 1, "explanation": "Because."}},
    {"text": "Q?", "options": list(FOUR), "answer": [1], "explanation": "Because."},
    {"title": "Q?", "options": list(FOUR), "answer": "B", "explanation": "Because."},
    {"content": "Q?", "opciones": list(FOUR), "respuesta": "y", "explicación": "Because."},
    {"题目": "Q?", "选项": list(FOUR), "正确答案": "B", "解析": "Because."},
    {"प्रश्न": "Q?", "विकल्प": list(FOUR), "उत्तर": "y", "व्याख्या": "Because."},
    asked(options=list(FOUR), ans="B"),
    asked(options=list(FOUR), correct_option_text="y"),
    asked(options=list(FOUR), correct_idx=1),
    asked(options=list(FOUR), correct_answer_number=2),
    asked(options=list(FOUR), answers=["B"]),
    asked(answers=[{"answer": text, "correct": text == "y"} for text in FOUR]),
    asked(options=[{"text": text, "isCorrect": str(text == "y").lower()} for text in FOUR]),
    asked(options=[{"text": text, "score": int(text == "y")} for text in FOUR]),
    asked(
        options=[{"option": label, "text": text} for label, text in zip("ABCD", FOUR, strict=True)],
        answer="B",
    ),
    asked(options=[[label, text] for label, text in zip("ABCD", FOUR, strict=True)], answer="B"),
    asked(options={f"option_{n}": text for n, text in zip("abcd", FOUR, strict=True)}, answer="B"),
    asked(options="A) x\nB) y\nC) z\nD) w", answer="B"),
    asked(options=["I. x", "II. y", "III. z", "IV. w"], answer="II"),
    asked(options=["١) x", "٢) y", "٣) z", "٤) w"], answer="٢"),
    asked(options=["- x", "- y", "- z", "- w"], answer="y"),
]


@pytest.mark.parametrize("value", ORDERED)
def test_options_are_read_in_the_order_that_the_model_gave(value: Any) -> None:
    read = read_question(value, LENGTHS)
    assert (read.question, read.explanation) == ("Q?", "Because.")
    assert (read.options, read.answer) == (FOUR, 1)
    assert read.is_ordered


@pytest.mark.parametrize(
    "value",
    [
        asked(correct="y", wrong=["x", "z", "w"]),
        asked(correct_answer="y", incorrect_answers=["x", "z", "w"]),
        asked(answer="y", distractors=["x", "z", "w"]),
        asked(correct=["y"], wrong={"1": "x", "2": "z", "3": "w"}),
        asked(correct="y", wrong=["x", "z", "w", "v"]),
        asked(correct="y", wrong=["y", "x", "z", "w"]),
        asked(correct={"text": "y"}, wrong=[{"text": "x"}, "z", "w"]),
        asked(correct_index=0, correct="y", wrong=["x", "z", "w"]),
        asked(answer="B", correct="y", wrong=["x", "z", "w"]),
    ],
)
def test_the_right_option_and_wrong_ones_have_no_order(value: Any) -> None:
    read = read_question(value, LENGTHS)
    assert (read.options, read.answer) == (("y", "x", "z", "w"), 0)
    assert not read.is_ordered


@pytest.mark.parametrize("answer", [4, "4"])
def test_a_number_among_numbers_is_the_option_itself(answer: Any) -> None:
    read = read_question(asked(options=[2, 3, 4, 5], answer=answer), LENGTHS)
    assert read.options[read.answer] == "4"
    assert not read.is_guess


def test_numbers_and_truth_values_are_options() -> None:
    read = read_question(asked(options=[1, 2.5, True, "x"], answer=0), LENGTHS)
    assert read.options == ("1", "2.5", "True", "x")


@pytest.mark.parametrize(
    "explanation", [None, "", " ", 5, [], ", x", "explanation:", "no no no no"]
)
def test_an_explanation_is_blank_if_there_is_none_that_means_something(explanation: Any) -> None:
    value = asked(correct="y", wrong=["x", "z", "w"], explanation=explanation)
    assert read_question(value, LENGTHS).explanation == ""
    del value["explanation"]
    assert read_question(value, LENGTHS).explanation == ""


def test_long_texts_end_with_a_whole_word() -> None:
    long = " ".join(f"word{n}" for n in range(20))
    read = read_question(
        asked(question=long, correct=long, wrong=["x", "y", "z"], why=long, explanation=None),
        LENGTHS,
    )
    assert read.question == long[:59] + "…"
    assert read.options[0] == "word0 word1 word2…"
    assert read.explanation.endswith("…")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (asked(options=["x", "y", "z"], answer=0), "schema"),
        (asked(correct="x", wrong=["y", "z"]), "schema"),
        (asked(correct_index=0, wrong=["y", "z", "w"]), "schema"),
        (asked(correct=True, wrong=[False]), "schema"),
        (asked(options=["x", "y", "z", "w", "Both A and E"], answer=0), "schema"),
        (asked(options=list("abcdefghi"), answer=0), "schema"),
        (asked(options="x, y, z, w", answer=0), "schema"),
        (asked(options=["x", "y", "z", None], answer=0), "schema"),
        (asked(options=["x", "y", "z", "v" * 21], answer=0), "schema"),
        (asked(options=list(FOUR)), "schema"),
        (asked(options=list(FOUR), answer="v"), "answer_out_of_range"),
        (asked(options=[{"text": text, "correct": True} for text in FOUR]), "schema"),
        (asked(options=["x", "X.", "z", "w"], answer=0), "duplicate_options"),
        (asked(correct="x", wrong=["X", "z", "w"]), "duplicate_options"),
        (asked(options=["x", "y", "y", "x", "z"], answer=0), "duplicate_options"),
        (asked(question=", x", correct="x", wrong=["y", "z", "w"]), "not_words"),
        (asked(correct="x", wrong=["y", "z", "]: w"]), "not_words"),
        (asked(question=None, correct="x", wrong=["y", "z", "w"]), "schema"),
        (asked(question=["Q?"], correct="x", wrong=["y", "z", "w"]), "schema"),
        ("Q?", "schema"),
        ([], "schema"),
        ({}, "schema"),
    ],
)
def test_what_is_no_question_with_four_options_is_void(value: Any, reason: str) -> None:
    with pytest.raises(Dropped, match=reason):
        read_question(value, LENGTHS)


def test_options_that_differ_by_case_alone_stay_where_the_question_asks_for_it() -> None:
    texts = ["Aa", "aa", "AA", "b"]
    value = asked(question="Is it Aa, aa or AA?", options=texts, answer="aa")
    assert read_question(value, LENGTHS).answer == 1
    with pytest.raises(Dropped, match="duplicate_options"):
        read_question(asked(options=texts, answer=0), LENGTHS)


def test_a_question_is_known_by_its_members() -> None:
    assert is_question({"Question": "Q?", "choices": []})
    assert is_question({"text": "Q?", "correct": "x"})
    assert not is_question({"question": "Q?"})
    assert not is_question({"title": "T", "answer": 1})
    assert not is_question(["question", "answer"])
