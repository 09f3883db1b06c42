from __future__ import annotations

import pytest

from blocks.outputs.known_names import as_text, first_text, folded, members


@pytest.mark.parametrize(
    "name", ["correct_answer", "correctAnswer", "Correct Answer", "CORRECT-ANSWER"]
)
def test_names_are_known_in_every_spelling(name: str) -> None:
    assert folded(name) == "correctanswer"


def test_members_are_found_in_order() -> None:
    value = {"B": 1, "x": 2, "a": 3}
    assert list(members(value, {"a", "b"})) == [("b", 1), ("a", 3)]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"a": "x", "b": "y"}, "x"),
        ({"a": None, "b": "y"}, "y"),
        ({"a": "", "b": "y"}, "y"),
        ({"a": 1, "b": "y"}, "y"),
        ({"a": 1, "b": ["y"]}, 1),
        ({"c": "y"}, None),
    ],
)
def test_the_first_text_counts_or_else_the_first_value(
    value: dict[str, object], found: object
) -> None:
    assert first_text(value, {"a", "b"}) == found


def test_numbers_and_truth_values_are_texts_too() -> None:
    assert [as_text(one) for one in (1, 2.5, True, "x", None)] == ["1", "2.5", "True", "x", None]
