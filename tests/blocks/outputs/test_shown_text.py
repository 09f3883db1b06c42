from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks.outputs.shown_text import asked_length, begun_text, fit


@pytest.mark.parametrize(
    ("text", "limit", "fitted"),
    [
        ("short", 10, "short"),
        ("exactly ten", 11, "exactly ten"),
        ("water rises and falls", 16, "water rises and…"),
        ("water rises and falls", 15, "water rises…"),
        ("x" * 11, 10, None),
        ("水" * 11, 10, "水" * 9 + "…"),
        ("ก" * 8 + "กิ" + "ก", 10, "ก" * 8 + "…"),
        ("a " + "x" * 20, 10, None),
    ],
)
def test_a_long_text_ends_with_a_whole_word(text: str, limit: int, fitted: str | None) -> None:
    assert fit(text, limit) == fitted


@settings(deadline=None, derandomize=True)
@given(st.text("ab \n水", max_size=60), st.integers(4, 40))
def test_what_is_shown_of_a_beginning_is_the_beginning_of_what_fits(text: str, limit: int) -> None:
    fitted = fit(text, limit)
    assert fitted is None or len(fitted) <= limit
    shown = ""
    for end in range(len(text) + 1):
        now = begun_text(text[:end], limit)
        assert now.startswith(shown)
        shown = now
    assert fitted is None or fitted.startswith(shown)


def test_a_model_is_given_room_beyond_what_is_shown() -> None:
    assert asked_length(32) == 48
