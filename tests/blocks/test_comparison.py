from __future__ import annotations

from typing import Any

import pytest

from blocks.comparison import LINES_AT_MOST, Change, compare, in_words


def test_only_what_differs_is_a_change() -> None:
    old = {"a": 1, "b": "x", "c": {"k": 1}}
    new = {"a": 1, "b": "y", "c": {"k": 2}, "d": None}
    assert [change.field for change in compare(old, new)] == ["b", "c", "d"]


def test_true_and_one_differ() -> None:
    assert compare({"a": 1}, {"a": True}) == [Change("a", 1, True)]


def test_a_change_of_one_line_shows_that_line_and_what_is_around_it() -> None:
    old = "\n".join(f"line {n}" for n in range(20))
    change = Change("system_prompt", old, old.replace("line 10", "LINE 10").replace("line 1\n", ""))
    shown = [(line.kind, line.text) for line in change.lines]
    assert ("old", "line 10") in shown
    assert ("new", "LINE 10") in shown
    assert ("old", "line 1") in shown
    assert ("gap", "…") in shown
    assert ("same", "line 11") in shown
    assert ("same", "line 15") not in shown


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "–"), ("", "–"), (True, "yes"), (False, "no"), (0.40, "0.4"), (7, "7"), ("x", "x")],
)
def test_values_are_in_words(value: Any, words: str) -> None:
    assert in_words(value) == words


def test_json_is_compared_by_line() -> None:
    change = Change("options_schema", {"a": {"min": 1}}, {"a": {"min": 2}})
    texts = [line.text for line in change.lines if line.kind != "same"]
    assert texts == ['    "min": 1', '    "min": 2']


def test_huge_texts_are_cut() -> None:
    old, new = ("\n".join(f"{word} {n}" for n in range(50_000)) for word in ("a", "b"))
    assert len(Change("x", old, new).lines) <= LINES_AT_MOST + 1
