from __future__ import annotations

from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks.errors import InputError, InvalidInput, PromptTooLong
from blocks.inputs import check_input

SCHEMA = {
    "type": "object",
    "properties": {
        "questions": {"type": "integer", "minimum": 1, "maximum": 10, "default": 3},
        "difficulty": {"type": "string", "enum": ["easy", "hard"], "default": "easy"},
        "speed": {"type": "number"},
        "fun": {"type": "boolean"},
        "tone": {"type": "string"},
    },
    "additionalProperties": False,
}


def block(schema: Any = SCHEMA, limit: int = 100) -> Any:
    return SimpleNamespace(prompt_limit=limit, options_schema=schema)


def field_of(prompt: Any, options: Any, *, schema: Any = SCHEMA, coerce: bool = False) -> str:
    with pytest.raises(InvalidInput) as caught:
        check_input(block(schema), prompt, options, coerce=coerce)
    assert caught.value.message
    assert caught.value.code == "invalid_input"
    return caught.value.field


def test_defaults_are_filled_in() -> None:
    assert check_input(block(), "Hi", {}) == ("Hi", {"questions": 3, "difficulty": "easy"})
    assert check_input(block(), "Hi", None)[1] == {"questions": 3, "difficulty": "easy"}


def test_equal_inputs_are_equal_whatever_their_order() -> None:
    one = check_input(block(), "Hi", {"difficulty": "hard", "questions": 1})
    two = check_input(block(), "Hi", {"questions": 1, "difficulty": "hard"})
    assert list(one[1].items()) == list(two[1].items())


@pytest.mark.parametrize(
    "prompt", [None, 3, ["Hi"], {}, True, "", "  \n ", "a\0b", "a\ud800b", "\udfff"]
)
def test_a_prompt_that_is_no_text_names_the_prompt(prompt: Any) -> None:
    assert field_of(prompt, {}) == "prompt"


def test_the_limit_counts_characters() -> None:
    assert check_input(block(limit=3), "äöü", {})[0] == "äöü"
    with pytest.raises(PromptTooLong) as caught:
        check_input(block(limit=3), "äöüx", {})
    assert caught.value.limit == 3
    assert "3 characters" in caught.value.message


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"questions": 0}, "questions"),
        ({"questions": 11}, "questions"),
        ({"questions": 3.5}, "questions"),
        ({"questions": "3"}, "questions"),
        ({"questions": True}, "questions"),
        ({"questions": None}, "questions"),
        ({"questions": [3]}, "questions"),
        ({"questions": 10**400}, "questions"),
        ({"difficulty": "impossible"}, "difficulty"),
        ({"difficulty": {}}, "difficulty"),
        ({"speed": float("inf")}, "speed"),
        ({"speed": float("nan")}, "speed"),
        ({"speed": 2**60}, "speed"),
        ({"fun": 1}, "fun"),
        ({"fun": "true"}, "fun"),
        ({"tone": "a\0"}, "tone"),
        ({"tone": "\ud800"}, "tone"),
        ({"tone": "x" * 2_001}, "tone"),
        ({"no_such": 1}, "no_such"),
        ({"__proto__": 1}, "__proto__"),
        ({"\ud800": 1}, "?"),
        ({"x" * 1_000: 1}, "x" * 64),
        ([], "options"),
        ("{}", "options"),
        (3, "options"),
    ],
)
def test_a_wrong_option_is_named(options: Any, field: str) -> None:
    assert field_of("Hi", options) == field


def test_deep_options_are_refused_without_recursion() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert field_of("Hi", {"tone": deep}) == "tone"
    assert field_of("Hi", deep) == "options"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("questions", "3", 3),
        ("questions", "+3", 3),
        ("speed", "3", 3),
        ("speed", "-2.5", -2.5),
        ("speed", "1e3", 1000.0),
        ("fun", "true", True),
        ("fun", "True", True),
        ("fun", "0", False),
        ("tone", "3", "3"),
        ("tone", "true", "true"),
    ],
)
def test_query_parameters_become_what_the_schema_says(name: str, text: str, value: Any) -> None:
    got = check_input(block(), "Hi", {name: text}, coerce=True)[1][name]
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("questions", "3.5"),
        ("questions", "3.0"),
        ("questions", ""),
        ("questions", " 3"),
        ("questions", "٣"),
        ("questions", "9" * 5_000),
        ("questions", "1_0"),
        ("speed", "nan"),
        ("speed", "Infinity"),
        ("speed", "1e999"),
        ("speed", "0x10"),
        ("fun", "yes"),
        ("fun", ""),
    ],
)
def test_query_parameters_that_do_not_fit_are_refused(name: str, text: str) -> None:
    assert field_of("Hi", {name: text}, coerce=True) == name


def test_a_whole_float_is_an_integer() -> None:
    got = check_input(block(), "Hi", {"questions": 3.0})[1]["questions"]
    assert type(got) is int


def test_a_required_option_without_default_is_missed() -> None:
    schema = {"properties": {"tone": {"type": "string"}}, "required": ["tone"]}
    assert field_of("Hi", {}, schema=schema) == "tone"


@pytest.mark.parametrize(
    "schema",
    [
        None,
        [],
        "x",
        {"properties": []},
        {"properties": {"tone": 5}},
        {"properties": {"tone": {"type": 5}}},
        {"properties": {"tone": {"type": "string", "maxLength": "x"}}},
        {"properties": {"tone": {"$ref": "http://127.0.0.1:9/"}}},
        {"properties": {"tone": {"type": "string", "enum": 5}}},
        {"properties": {"tone": {"type": "string"}}, "required": 7},
    ],
)
def test_a_schema_that_nobody_checked_makes_no_crash(schema: Any) -> None:
    for options in ({}, {"tone": "x"}, {"tone": 3}):
        with suppress(InvalidInput):
            check_input(block(schema), "Hi", options, coerce=True)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    _values,
    st.dictionaries(st.sampled_from(list(SCHEMA["properties"])) | st.text(), _values, max_size=3),
    st.booleans(),
)
def test_any_input_is_either_good_or_an_input_error(
    prompt: Any, options: Any, coerce: bool
) -> None:
    try:
        prompt, checked = check_input(block(), prompt, options, coerce=coerce)
    except InputError:
        return
    assert prompt.strip()
    assert checked.keys() <= SCHEMA["properties"].keys()
    assert check_input(block(), prompt, checked) == (prompt, checked)
