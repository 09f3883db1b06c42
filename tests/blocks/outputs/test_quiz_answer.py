from __future__ import annotations

from typing import Any

import pytest

from blocks.outputs.base import Dropped
from blocks.outputs.quiz_answer import Options, Right, place_in, right_place

PLANETS = Options(["Mercury", "Venus", "Earth", "Mars"], ())
NUMBERS = Options(["1", "2", "3", "4"], ())
PRICES = Options(["10", "12", "14", "4"], ())
LABELLED = Options(["x", "y", "z", "w"], ["A", "B", "C", "D"])
COUNTED = Options(["x", "y", "z", "w"], ["1", "2", "3", "4"])
ARABIC = Options(["x", "y", "z", "w"], ["١", "٢", "٣", "٤"])
ROMAN = Options(["x", "y", "z", "w"], ["I", "II", "III", "IV"])
CYRILLIC = Options(["x", "y", "z", "w"], ["А", "Б", "В", "Г"])
COUNTS = Options(["1", "2", "3", "4"], (), are_numbers=True)
IDS = Options(["x", "y", "z", "w"], ["1", "2", "3", "4"])


@pytest.mark.parametrize(
    ("said", "options", "name", "place"),
    [
        (1, PLANETS, "answer", 1),
        (1.0, PLANETS, "correctindex", 1),
        ("1", PLANETS, "answer", 1),
        ("0", PLANETS, "answer", 0),
        ("option_b", PLANETS, "correctoption", 1),
        ("Option 2", PLANETS, "correctoption", 1),
        ([1], PLANETS, "answer", 1),
        (["B"], PLANETS, "correctanswers", 1),
        (4, PLANETS, "answer", 3),
        ("4", PLANETS, "answer", 3),
        (1, PLANETS, "answernumber", 0),
        (0, PLANETS, "answer", 0),
        *(
            (said, PLANETS, "answer", 1)
            for said in ("B", "b)", "(B)", "B.", "Option B", "B) Venus")
        ),
        *((said, PLANETS, "answer", 1) for said in ("Venus", " venus. ", "A: Venus", "D) venus!")),
        ("answer: B", PLANETS, "answer", 1),
        ({"label": "B"}, PLANETS, "answer", 1),
        ({"text": "Venus"}, PLANETS, "answer", 1),
        ("2", NUMBERS, "answer", 1),
        (2, NUMBERS, "answer", 2),
        (12, PRICES, "answer", 1),
        (4, PRICES, "answer", 3),
        ("B", LABELLED, "answer", 1),
        ("c", LABELLED, "answer", 2),
        (1, COUNTED, "answer", 0),
        (1, IDS, "answer", 0),
        (True, Options(["True", "False", "x", "y"], ()), "answer", 0),
        ("A", Options(["B", "A", "AB", "O"], ()), "answer", 1),
        ("aa", Options(["Aa", "aa", "AA", "b"], ()), "answer", 1),
        *((said, PLANETS, "answer", 1) for said in ("Ｂ", "【B】", "$B$", r"\boxed{B}", "`Venus`")),
        *(
            (said, PLANETS, "answer", 1)
            for said in ("B,", "B;", "✅ B", "**B. Venus**", "Letter B")
        ),
        *((said, PLANETS, "answer", 1) for said in ("B (Venus)", "Venus (B)", "B is correct")),
        *((said, PLANETS, "answer", 1) for said in ("The correct answer is: Venus", "Correct: B")),
        ([["B"]], PLANETS, "answer", 1),
        ("٣", ARABIC, "answer", 2),
        (3, ARABIC, "answer", 2),
        ("iii)", ROMAN, "answer", 2),
        ("Ⅱ", ROMAN, "answer", 1),
        ("В", LABELLED, "answer", 1),  # the Cyrillic letter
        ("C", CYRILLIC, "answer", 2),
        (2, COUNTS, "answer", 1),
        (2, COUNTS, "correctindex", 2),
        ("The hottest planet is Venus.", PLANETS, "answer", 1),
        ("option2", PLANETS, "answer", 1),
        ({"correct": "Venus", "explanation": "So."}, PLANETS, "answer", 1),
        ("25", Options(["10%", "25%", "50%", "75%"], ()), "answer", 1),
        (5, Options(["2 kg", "5 kg", "7 kg", "15 kg"], ()), "answer", 1),
        ("x^2", Options(["$x^2$", "$x^3$", "$2x$", "$x$"], ()), "answer", 0),
        (2, Options(["10", "20", "30", "40"], (), are_numbers=True), "answer", 2),
    ],
)
def test_the_right_option_is_named_in_many_ways(
    said: Any, options: Options, name: str, place: int
) -> None:
    assert right_place(said, options, name=name).place == place


@pytest.mark.parametrize(
    ("said", "base", "right"),
    [
        (0, None, Right(0, 0)),
        (4, None, Right(3, 1)),
        ("4", None, Right(3, 1)),
        (2, None, Right(2, place_from_1=1)),
        ("2", None, Right(2, place_from_1=1)),
        (2, 0, Right(2)),
        (2, 1, Right(1)),
        (0, 0, Right(0, 0)),
        (4, 1, Right(3, 1)),
        ("B", None, Right(1)),
    ],
)
def test_a_number_counts_from_0_or_from_1(said: Any, base: Any, right: Right) -> None:
    assert right_place(said, PLANETS, name="answer", base=base) == right


@pytest.mark.parametrize(("said", "base"), [(0, 1), (4, 0)])
def test_a_number_that_contradicts_the_other_questions_names_no_option(
    said: int, base: Any
) -> None:
    with pytest.raises(Dropped, match="answer_out_of_range"):
        right_place(said, PLANETS, name="answer", base=base)


@pytest.mark.parametrize("said", ["B, C", "A. B", "B and C", "A or B"])
def test_two_letters_name_no_option(said: str) -> None:
    with pytest.raises(Dropped, match="answer_out_of_range"):
        right_place(said, PLANETS, name="answer")


def test_a_letter_that_looks_like_another_one_is_not_guessed() -> None:
    with pytest.raises(Dropped, match="answer_out_of_range"):
        right_place("B", CYRILLIC, name="answer")  # the Latin letter


@pytest.mark.parametrize(
    ("explanation", "place"),
    [
        ("Venus is the hottest.", 1),
        ("It is EARTH, of course.", 2),
        ("Earth is cooler than Venus.", None),
        ("Marsh gas.", None),
        ("", None),
    ],
)
def test_an_explanation_that_speaks_of_one_of_two_options_decides(
    explanation: str, place: int | None
) -> None:
    assert place_in(explanation, PLANETS.texts, (2, 1)) == place
    assert place_in("金星最热", ["水星", "金星"], (0, 1)) == 1


@pytest.mark.parametrize(
    "said",
    [
        "It is not Venus",
        "Venus or so",
        5,
        -1,
        1.5,
        "E",
        "Pluto",
        "Venus and Mars",
        True,
        "9",
        "9" * 5_000,
        0.5,
    ],
)
def test_what_names_no_option_is_out_of_range(said: Any) -> None:
    with pytest.raises(Dropped, match="answer_out_of_range"):
        right_place(said, PLANETS, name="answer")


@pytest.mark.parametrize("said", [None, "", " ", [], [0, 1], {}, {"x": 1}])
def test_what_can_name_no_option_is_of_the_wrong_form(said: Any) -> None:
    with pytest.raises(Dropped, match="schema"):
        right_place(said, PLANETS, name="answer")
