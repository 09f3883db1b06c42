import json

import pytest

from blocks.errors import EmptyAnswer
from blocks.providers.base import ChatRequest, Message
from blocks.providers.script import (
    End,
    Fail,
    Hang,
    Pause,
    Say,
    Tell,
    Think,
    flatten,
    has_property,
    parse_script,
)


def steps_of(*steps: object) -> list:
    return list(flatten(parse_script({"steps": list(steps)}).replies[0].takes[0]))


def request_of(prompt: str = "", schema: dict | None = None) -> ChatRequest:
    return ChatRequest((Message("system", "sky"), Message("user", prompt)), 0.4, 9, schema=schema)


def test_every_kind_of_step_is_read():
    assert steps_of(
        "one",
        {"text": "abcde", "every_ms": 20, "token_chars": 2},
        {"json": {"a": "ü"}, "token_chars": 100},
        {"tokens": ["x", "y"], "every_ms": 2.5},
        {"repeat": 2, "steps": [{"think": True}]},
        {"pause_ms": 500},
        {"hang": True},
        {"fail": "empty_answer", "message": "Nothing."},
        {"finish": "length"},
        {"usage": {"input_tokens": 1, "output_tokens": 2}},
    ) == [
        Say(("one",)),
        Say(("ab", "cd", "e"), 0.02),
        Say(('{"a":"ü"}',)),
        Say(("x", "y"), 0.0025),
        Think(),
        Think(),
        Pause(0.5),
        Hang(),
        Fail(EmptyAnswer, "Nothing."),
        End("length"),
        Tell(1, 2),
    ]


@pytest.mark.parametrize(
    "data",
    [
        [],
        {},
        {"replies": []},
        {"steps": "x"},
        {"steps": [{"say": "x"}]},
        {"steps": [""]},
        {"steps": [{"text": "x", "token_chars": 0}]},
        {"steps": [{"text": "x", "every_ms": -1}]},
        {"steps": [{"pause_ms": "long"}]},
        {"steps": [{"repeat": -1, "steps": []}]},
        {"steps": [{"fail": "no_such_code"}]},
        {"steps": [{"finish": "tired"}]},
        {"steps": [{"clock": 2, "every_ms": 20, "turn_ms": [0, 500]}]},
        {"steps": [{"clock": 2, "every_ms": 20, "turn_ms": [500, 500, 1000]}]},
        {"steps": [{"clock": 2, "every_ms": 20, "turn_ms": [500, 1500, 1000]}]},
        {"steps": [{"clock": 2, "every_ms": 20, "turn_ms": [500, 510, 1000]}]},  # no token may fit
        {"steps": [{"clock": 2, "turn_ms": [0, 500, 1000]}]},
        {"replies": [{"when": {"schema_ha": "x"}, "steps": []}]},
        {"replies": [{"in_turn": []}]},
    ],
)
def test_what_is_no_script_is_refused(data):
    with pytest.raises(ValueError, match=r"."):
        parse_script(data)


def test_a_wrong_step_is_named_by_its_place():
    with pytest.raises(ValueError, match=r"replies\[1\]\[0\]\.steps\[1\]"):
        parse_script({"replies": [{"steps": []}, {"steps": ["a", {"wat": 1}]}]})


@pytest.mark.parametrize(
    ("when", "prompt", "schema", "fits"),
    [
        ({}, "x", None, True),
        ({"prompt_has": "SKY"}, "the sky", None, True),
        ({"prompt_has": "sky"}, "the sea", None, False),  # the system's words don't count
        ({"schema_has": "edges"}, "x", None, False),
        ({"schema_has": "edges"}, "x", {"properties": {"edges": {}}}, True),
        ({"schema_has": "edges"}, "edges", {"properties": {"nodes": {}}}, False),
        ({"schema_has": "e", "prompt_has": "p"}, "x", {"properties": {"e": {}}}, False),
    ],
)
def test_a_reply_is_chosen_by_the_request(when, prompt, schema, fits):
    reply = parse_script({"when": when, "steps": []}).replies[0]
    assert reply.fits(request_of(prompt, schema)) is fits


def test_a_property_is_found_at_any_depth_and_a_word_elsewhere_is_none():
    deep = {"anyOf": [{"items": {"properties": {"edges": {"enum": ["nodes"]}}}}]}
    assert has_property(deep, "edges")
    assert not has_property(deep, "nodes")


def test_an_array_is_cut_to_what_the_schema_allows():
    script = parse_script({"steps": [{"json": {"a": [1, 2, 3], "b": [4], "c": 5}}]})
    schema = {"properties": {"a": {"maxItems": 2}, "b": {"maxItems": 2}}}
    (step,) = flatten(script.replies[0].takes[0], schema)
    assert "".join(step.tokens) == '{"a":[1,2],"b":[4],"c":5}'


def test_long_repetitions_cost_nothing_before_they_are_played():
    steps = parse_script({"steps": [{"repeat": 10**12, "steps": ["x"]}]}).replies[0].takes[0]
    assert next(flatten(steps)) == Say(("x",))


def test_the_form_survives_json():
    data = {"steps": [{"text": "ü😀"}]}
    assert parse_script(json.loads(json.dumps(data))) == parse_script(data)
