from __future__ import annotations

import pytest

from blocks.outputs.loose_words import read_word


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("true", True),
        ("False", False),
        ("None", None),
        ("undefined", None),
        ("NaN", None),
        ("-Infinity", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("1.0", 1.0),
        ("-2.5e1", -25.0),
        ("9007199254740991", 2**53 - 1),
        ("007", "007"),
        ("+1", "+1"),
        ("50%", "50%"),
        ("B", "B"),
        ("Its wide rings", "Its wide rings"),
    ],
)
def test_a_value_without_quotes_is_a_word_a_number_or_text(word: str, value: object) -> None:
    read = read_word(word)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("word", ["9007199254740992", "-" + "9" * 5_000, "1e999", "-1e999"])
def test_a_number_that_not_every_client_can_hold_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=r"exact|range"):
        read_word(word)
