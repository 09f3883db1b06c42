from __future__ import annotations

from typing import Any

import pytest

from blocks.schemas import answer_schema_problem, depth_of, options_schema_problem


def nested(levels: int) -> Any:
    value: Any = True
    for _ in range(levels):
        value = {"properties": {"a": value}, "type": "object"}
    return value


@pytest.mark.parametrize(
    "schema",
    [
        None,
        {},
        {"properties": {}},
        {"type": "object", "properties": {"n": {"type": "integer", "default": 3, "minimum": 1}}},
        {"properties": {"tone": {"type": "string", "enum": ["a"]}}, "required": ["tone"]},
        {"properties": {"ok": {"type": "boolean"}}, "additionalProperties": False},
    ],
)
def test_good_options(schema: Any) -> None:
    assert options_schema_problem(schema) == ""


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        ([], "object"),
        ("x", "object"),
        ({"type": "array"}, "object"),
        ({"properties": 3}, "JSON Schema"),
        ({"properties": {"n": {"type": "whole"}}}, "JSON Schema"),
        ({"properties": {"n": {"type": "integer", "minimum": "1"}}}, "JSON Schema"),
        ({"properties": {"n": True}}, "type"),
        ({"properties": {"n": {"type": ["integer", "null"]}}}, "type"),
        ({"properties": {"n": {"type": "array"}}}, "type"),
        ({"properties": {"n": {}}}, "type"),
        ({"properties": {"n": {"type": "integer", "default": "3"}}}, "default"),
        ({"properties": {"t": {"type": "string", "pattern": "(a+)+$"}}}, "pattern"),
        ({"properties": {"t": {"type": "string", "$ref": "#"}}}, "$ref"),
        ({"properties": {"prompt": {"type": "string"}}}, "prompt"),
        ({"properties": {"request_id": {"type": "string"}}}, "request_id"),
        ({"properties": {"after": {"type": "string"}}}, "after"),
        ({"properties": {"format": {"type": "string"}}}, "format"),
        ({"properties": {"Not a name": {"type": "string"}}}, "Not a name"),
        ({"properties": {}, "required": ["n"]}, "n"),
        ({"additionalProperties": True}, "additionalProperties"),
        ({"patternProperties": {}}, "patternProperties"),
        ({"properties": nested(40)}, "deep"),
        ({"properties": {"t": {"type": "string", "title": "x" * 70_000}}}, "longer"),
    ],
)
def test_what_is_wrong_with_options_is_said(schema: Any, word: str) -> None:
    assert word in options_schema_problem(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": True}},
        {
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/b"}},
            "$defs": {"b": {"type": "array", "items": {"pattern": "^x"}}},
        },
    ],
)
def test_good_answers(schema: Any) -> None:
    assert answer_schema_problem(schema) == ""


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        (None, "object"),
        ([], "object"),
        ({}, "object"),
        ({"type": "array"}, "object"),
        ({"type": ["object", "null"]}, "object"),
        ({"type": "object"}, "properties"),
        ({"type": "object", "properties": {}}, "properties"),
        ({"type": "object", "properties": {"a": 5}}, "JSON Schema"),
        ({"type": "object", "properties": {"a": {"$ref": "http://x/y"}}}, "outside"),
        ({"type": "object", "properties": {"a": {"$ref": "file.json"}}}, "outside"),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}}, "nothing"),
        ({"type": "object", "properties": {"a": {"pattern": "("}}}, "regex"),
        ({"type": "object", "properties": {"a": {"patternProperties": {"[": True}}}}, "regex"),
        (nested(40), "deep"),
    ],
)
def test_what_is_wrong_with_an_answer_s_schema_is_said(schema: Any, word: str) -> None:
    assert word in answer_schema_problem(schema)


def test_depth_is_counted_without_recursion() -> None:
    deep: Any = 1
    for _ in range(200_000):
        deep = [deep]
    assert depth_of(deep, limit=32) == 33
    assert depth_of([[1], {"a": 2}]) == 3
    assert depth_of("x") == 1
