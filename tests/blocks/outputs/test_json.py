from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from blocks.delta import Delta, Item, Text
from blocks.outputs.json import JsonAnswer, JsonOutput
from tests.contracts.output_contract import OutputContract
from tests.support.blocks.example_spec import spec_of

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 9_000},
        "serves": {"$ref": "#/$defs/count"},
        "steps": {"$ref": "#/$defs/steps"},
        "a/b~c": {"type": "object", "properties": {"x~/y": {"type": "array"}}},
        "note": {"type": ["string", "null"]},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["name"],
    "additionalProperties": {"type": "integer"},
    "$defs": {
        "count": {"type": "integer", "minimum": 1},
        "steps": {"type": "array", "items": {"$ref": "#/$defs/step"}},
        "step": {"type": "object", "required": ["do"], "properties": {"do": {"type": "string"}}},
    },
}


def begin(schema: Any = SCHEMA) -> JsonAnswer:
    spec = spec_of("json", answer_schema=schema)
    return JsonOutput().begin(spec, "Soup", {}, seed="s", repair=False)


def play(answer: JsonAnswer, value: Any) -> list[Delta]:
    text = value if isinstance(value, str) else json.dumps(value)
    return answer.feed(text) + answer.close("stop")


class TestJson(OutputContract):
    output = JsonOutput()
    spec = spec_of("json", answer_schema=SCHEMA)
    options = {}
    replies = [
        'Here: {"name": "Soup \\n\\u00e9", "serves": 4,'
        ' "steps": [{"do": "cut"}, {"do": "cook \\"it\\"",'
        ' "for": [1, -2.5e1, null, true]}], "a/b~c": {"x~/y": ["deep \\ud83c\\udf72", ["er"]]},'
        ' "tags": [], "extra": 7, "note": null}'
    ]
    forms = [
        {
            "name": "It's soup, \né",
            "serves": 4,
            "steps": [{"do": "cut"}, {"do": 'cook "it"', "for": [1, -25.0, None, True]}],
            "a/b~c": {"x~/y": ["deep 🍲", ["er"]]},
            "tags": [],
            "note": None,
        }
    ]
    result = {
        "name": "Soup \né",
        "serves": 4,
        "steps": [{"do": "cut"}, {"do": 'cook "it"', "for": [1, -25.0, None, True]}],
        "a/b~c": {"x~/y": ["deep 🍲", ["er"]]},
        "tags": [],
        "extra": 7,
        "note": None,
    }

    def long_reply(self, size: int) -> str:
        return json.dumps({"name": "x" * 200, "steps": [{"do": "y" * 200}] * (size // 100)})


def test_parts_are_members_or_the_elements_of_arrays() -> None:
    deltas = play(begin(), TestJson.replies[0])
    assert [delta.path for delta in deltas if isinstance(delta, Item)] == [
        "/name",
        "/serves",
        "/steps/0",
        "/steps/1",
        "/a~1b~0c",
        "/extra",
    ]
    paths = {delta.path for delta in deltas if isinstance(delta, Text)}
    assert {"/name", "/steps/1/do", "/a~1b~0c/x~0~1y/0", "/a~1b~0c/x~0~1y/1/0"} == paths - {
        "/steps/0/do"
    }


@pytest.mark.parametrize(
    ("value", "dropped", "result"),
    [
        ({"name": "S", "serves": 0}, {"schema": 1}, {"name": "S"}),
        ({"name": "S", "serves": []}, {}, None),
        ({"name": "S", "serves": [3]}, {"schema": 1}, None),
        ({"name": "S", "more": "text"}, {"schema": 1}, {"name": "S"}),
        ({"name": "S", "tags": ["a", 1, "b"]}, {"schema": 1}, {"name": "S", "tags": ["a", "b"]}),
        (
            {"name": "S", "steps": [{"do": 1}, {}, {"do": "it"}]},
            {"schema": 2},
            {"name": "S", "steps": [{"do": "it"}]},
        ),
        ('{"name": "S", "name": "T"}', {"malformed": 1}, {"name": "S"}),
        ('{"name": "S", "serves": 1e999}', {"malformed": 1}, {"name": "S"}),
        ('{"name": "S", "serves": ' + "9" * 5_000 + "}", {"malformed": 1}, {"name": "S"}),
        ('{"name": "S", "tags": ["a"', {}, {"name": "S", "tags": ["a"]}),
    ],
)
def test_an_invalid_part_is_left_out(
    value: Any, dropped: dict[str, int], result: dict[str, Any] | None
) -> None:
    answer = begin()
    play(answer, value)
    assert answer.dropped == dropped
    assert answer.is_enough is (result is not None)
    if result is not None:
        assert answer.result == result


@pytest.mark.parametrize(
    "value", [{}, {"serves": 1}, {"name": 1}, {"name": ["S"]}, "prose", "", "[]", '"name"']
)
def test_without_a_valid_required_member_it_is_not_enough(value: Any) -> None:
    answer = begin()
    play(answer, value)
    assert not answer.is_enough


def test_an_empty_object_is_enough_where_nothing_is_required_but_prose_is_not() -> None:
    schema = {"type": "object", "properties": {"a": True}}
    for text, enough in [("{}", True), ("```json\n{ }\n```", True), ("I can't.", False)]:
        answer = begin(schema)
        play(answer, text)
        assert answer.is_enough is enough, text


def test_the_whole_is_checked_too() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "array", "minItems": 2, "items": {"type": "integer"}}},
    }
    answer = begin(schema)
    play(answer, {"a": [1, "x"]})
    assert answer.result == {"a": [1]}
    assert not answer.is_enough


def test_a_schema_elsewhere_is_never_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(*args: Any, **kwargs: Any) -> None:
        pytest.fail("it went to the network")

    monkeypatch.setattr(urllib.request, "urlopen", fetch)
    monkeypatch.setattr("socket.create_connection", fetch)
    ref = {"$ref": "http://127.0.0.1:9/schema.json"}
    answer = begin({"type": "object", "properties": {"a": ref, "b": {"items": ref}}})
    play(answer, {"a": 1, "b": [1]})
    assert answer.dropped == {"schema": 2}
    assert answer.result == {"b": []}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"$ref": "#/properties/a"}}},
        {"type": "object", "properties": {"a": {"$ref": "#/nowhere"}}},
        {"type": "object", "properties": {"a": {"type": "no such type"}}},
        {"type": "object", "properties": {"a": {"pattern": "("}}},
        {"type": "object", "properties": {"a": 5}},
        {"type": "object", "properties": 5},
        {"$ref": "#"},
    ],
)
def test_a_schema_that_nobody_checked_makes_no_crash(schema: Any) -> None:
    answer = begin(schema)
    play(answer, {"a": "x", "b": ["y"]})
    assert isinstance(answer.is_enough, bool)


def test_a_second_document_adds_only_what_the_first_one_did_not_have() -> None:
    answer = begin()
    play(answer, '{"name": "S", "tags": ["a"]} {"name": "T", "tags": ["b"], "serves": 2}')
    assert answer.result == {"name": "S", "tags": ["a"], "serves": 2}
    assert not answer.dropped


def test_an_array_without_a_name_is_no_member() -> None:
    answer = begin()
    play(answer, '[["x"], {"name": "S"}]')
    assert answer.result == {"name": "S"}


def test_prose_with_an_open_brace_does_not_swallow_the_answer() -> None:
    answer = begin()
    play(answer, 'Use {name} and {} and { } like {{"name": "S"}')
    assert answer.result == {"name": "S"}
