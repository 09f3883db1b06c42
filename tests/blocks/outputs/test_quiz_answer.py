from __future__ import annotations

from typing import Any

import pytest

from blocks.outputs.base import Dropped
from blocks.outputs.quiz_answer import Options, right_place

PLANETS = Options(["Mercury", "Venus", "Earth", "Mars"], ())
NUMBERS = Options(["1", "2", "3", "4"], ())
PRICES = Options(["10", "12", "14", "4"], ())
LABELLED = Options(["x", "y", "z", "w"], ["A", "B", "C", "D"])
COUNTED = Options(["x", "y", "z", "w"], (), is_numbered=True)
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
    ],
)
def test_the_right_option_is_named_in_many_ways(
    said: Any, options: Options, name: str, place: int
) -> None:
    assert right_place(said, options, name=name) == place


@pytest.mark.parametrize(
    "said", [5, -1, 1.5, "E", "Pluto", "Venus and Mars", True, "9", "9" * 5_000, 0.5]
)
def test_what_names_no_option_is_out_of_range(said: Any) -> None:
    with pytest.raises(Dropped, match="answer_out_of_range"):
        right_place(said, PLANETS, name="answer")


@pytest.mark.parametrize("said", [None, "", " ", [], [0, 1], {}, {"x": 1}])
def test_what_can_name_no_option_is_of_the_wrong_form(said: Any) -> None:
    with pytest.raises(Dropped, match="schema"):
        right_place(said, PLANETS, name="answer")
