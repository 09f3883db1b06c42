from __future__ import annotations

import json
from typing import Any

import pytest

from blocks.outputs.part_value import MAX_PART_DEPTH, Path, growth, read_begun, read_whole


@pytest.mark.parametrize(
    ("begun", "value"),
    [
        ('"ab', "ab"),
        ('"ab\\', "ab"),
        ('"ab\\u00e', "ab"),
        ('"ab\\ud83d', "ab"),
        ('"ab\\ud83d\\ude0', "ab"),
        ('"ab\\u0000c', "ab\ufffdc"),
        ('{"a": "x", "b', {"a": "x"}),
        ('{"a": "x", "b": ', {"a": "x"}),
        ('{"a": ["x", "y', {"a": ["x", "y"]}),
        ('{"a": "x", "b": tr', {"a": "x"}),
    ],
)
def test_what_is_begun_is_shown_without_half_an_escape(begun: str, value: Any) -> None:
    assert read_begun(begun.encode()) == value


@pytest.mark.parametrize("begun", ["", "-", '"\\ud83dx', '["a", nope', '{"a": 1, "a": 2', "[01"])
def test_what_can_not_be_seen_is_a_value_error(begun: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (jiter's, or ours)
        read_begun(begun.encode())


def test_each_look_at_a_text_that_arrives_shows_the_beginnings_of_its_strings() -> None:
    text = json.dumps({"a": "é\n😀", "b": [1, -2.5e-1, None, {"c": "x", "": "y\0"}], "d": "z"})
    told: dict[Path, str] = {}
    before: Any = None
    for end in range(1, len(text) + 1):
        now = read_begun(text[:end].encode())
        for path, fresh in growth(before, now):
            told[path] = told.get(path, "") + fresh
        before = now
    assert told == {
        ("a",): "é\n😀",
        ("b", 3, "c"): "x",
        ("b", 3, ""): "y\ufffd",
        ("d",): "z",
    }
    assert before == read_whole(text.encode())


def test_growth_goes_on_where_the_text_was_open() -> None:
    before = {"a": "never looked at again", "b": ["x", {"c": "y"}]}
    now = {"a": "", "b": ["x", {"c": "yz", "d": "1"}, "2"], "e": "3"}
    assert list(growth(before, now)) == [
        (("b", 1, "c"), "z"),
        (("b", 1, "d"), "1"),
        (("b", 2), "2"),
        (("e",), "3"),
    ]
    assert list(growth(now, now)) == []
    assert list(growth(None, "x")) == [((), "x")]
    assert list(growth("x", "x")) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("9007199254740992", "exact"),
        ("-9007199254740992", "exact"),
        ("[1e999]", "range"),
        ('{"a": -1e999}', "range"),
        ("[" * (MAX_PART_DEPTH + 1) + "]" * (MAX_PART_DEPTH + 1), "deep"),
        ('{"a": 1, "a": 2}', "uplicate"),
        ('{"\\u0000": 1, "\ufffd": 2}', "twice"),
        ('"\\ud83d"', "hex escape"),
        ("NaN", "expected value"),
        ("[1", "EOF"),
    ],
)
def test_what_can_not_be_passed_on_is_a_value_error(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read_whole(text.encode())


def test_what_is_within_the_limits_is_read() -> None:
    deepest = "[" * MAX_PART_DEPTH + "]" * MAX_PART_DEPTH
    assert read_whole(deepest.encode()) == json.loads(deepest)
    assert read_whole(b"[9007199254740991, -9007199254740991, true, 1e308]") == [
        2**53 - 1,
        -(2**53) + 1,
        True,
        1e308,
    ]
