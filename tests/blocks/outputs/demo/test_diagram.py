from __future__ import annotations

import json
from typing import Any

import pytest

from blocks.outputs.demo.diagram import DemoDiagramAnswer
from blocks.outputs.demo.diagram_examples import DIAGRAM_EXAMPLES
from blocks.outputs.diagram import DiagramAnswer, DiagramOutput
from tests.blocks.outputs.demo.playing import demo_spec, play

GOOD = "1. Rain falls\n2. Rivers flow\n3. Sea fills\n4. Clouds form\n"


def begin(prompt: str = "Rivers", *, repair: bool = False, **changes: Any) -> Any:
    spec = demo_spec("diagram", **changes)
    return DiagramOutput().begin(spec, prompt, {}, seed="s", repair=repair)


def labels(result: Any) -> list[str]:
    return [node["label"] for node in result["nodes"]]


def test_only_the_demo_model_gets_the_lines() -> None:
    assert isinstance(begin(), DemoDiagramAnswer)
    assert isinstance(begin(model="local:mine.gguf"), DiagramAnswer)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7])
def test_each_line_is_a_node_and_leads_to_the_next(size: int) -> None:
    outcome, asks = play(begin(), GOOD, size=size)
    result = outcome.result
    assert result is not None
    assert labels(result) == ["Rain falls", "Rivers flow", "Sea fills", "Clouds form"]
    assert result["edges"] == [
        {"from": "n1", "to": "n2"},
        {"from": "n2", "to": "n3"},
        {"from": "n3", "to": "n4"},
    ]
    assert result["source"].startswith("flowchart TD")
    assert outcome.grown["/nodes/1/label"] == "Rivers flow"
    assert len(asks) == 1 and outcome.is_enough and not outcome.dropped
    for path, value in outcome.items.items():
        _, kind, *index = path.split("/")
        assert (result[kind][int(index[0])] if index else result[kind]) == value


@pytest.mark.parametrize(
    ("prompt", "is_cycle"),
    [
        ("The water cycle", True),
        ("Life Cycles of frogs", True),
        ("The lifecycle of a product", True),
        ("How a bicycle works", False),
        ("Recycling", False),
        ("Motorcycles", False),
        ("Cyclones", False),
    ],
)
def test_the_last_leads_to_the_first_only_in_a_cycle(prompt: str, is_cycle: bool) -> None:
    outcome, _ = play(begin(prompt), GOOD)
    edges = outcome.result["edges"]  # type: ignore[index]
    assert ({"from": "n4", "to": "n1"} in edges) is is_cycle


def test_words_that_need_another_one_are_cut_off_and_never_shown() -> None:
    reply = "1. Rain that falls in the\n2. A\n3. Rivers of water\n4. Sea with\n5. Land\n"
    outcome, _ = play(begin(), reply, size=1)
    assert labels(outcome.result) == ["Rain that falls", "Rivers of water", "Sea", "Land"]
    assert outcome.grown["/nodes/0/label"] == "Rain that falls"
    assert outcome.dropped == {"schema": 1}


def test_bad_labels_are_void_and_the_others_follow_each_other() -> None:
    reply = "1. Rain\n2. rain\n3. Sand the boards\n4. <img src=\n5. Abcdefghijklmnopqrstu\n6. Sea\n"
    outcome, _ = play(begin(), reply, size=1)
    assert labels(outcome.result) == ["Rain", "Sea"]
    assert outcome.result["edges"] == [{"from": "n1", "to": "n2"}]  # type: ignore[index]
    assert outcome.dropped == {
        "duplicate_node": 1,
        "copied_example": 1,
        "not_words": 1,
        "cut": 1,
    }


def test_fewer_than_three_parts_are_asked_for_once_more_and_warmer() -> None:
    few = "1. Rain\n2. Sea\n3. Rain\n4. Sea\n"
    outcome, _ = play(begin(), few)
    assert not outcome.is_enough
    again, asks = play(begin(repair=True), few)
    assert again.is_enough
    assert asks[0].temperature == 0.7


def test_the_last_attempt_asks_until_there_is_a_diagram() -> None:
    outcome, asks = play(begin(repair=True), "1. Rain\n2. rain\n", "1. Rains\n2. Sea\n")
    assert labels(outcome.result) == ["Rain", "Sea"]
    assert len(asks) == 2 and outcome.is_enough
    outcome, asks = play(begin(repair=True), "1. Rain\n")
    assert len(asks) == 3 and not outcome.is_enough


def test_a_label_cut_by_the_limit_is_void() -> None:
    outcome, _ = play(begin(), GOOD[:-6], finish="length", size=1)
    assert len(labels(outcome.result)) == 3
    assert outcome.dropped == {"cut": 1}
    assert not outcome.arriving


def test_an_empty_answer_is_not_enough() -> None:
    outcome, _ = play(begin(), "")
    assert not outcome.is_enough
    assert outcome.items == {"/title": "Rivers"}


def test_what_an_admin_wrote_stays() -> None:
    example = {"title": "T", "nodes": ["One", "Two"], "edges": [{"from": 1, "to": 2}]}
    answer = begin(
        system_prompt="You draw machines.",
        prompt_template="Parts of: $prompt",
        example_prompt="A pump",
        example_answer=json.dumps(example),
    )
    turns = [turn.content for turn in answer.next_ask().turns]
    assert turns == [
        "You draw machines.",
        "Parts of: A pump",
        "1. One\n2. Two\n",
        "Parts of: Rivers",
    ]


@pytest.mark.parametrize("example", ["", "not JSON", "[]", '{"nodes": [1]}', "[" * 9_999])
def test_a_bad_example_gives_way_to_the_recipes(example: str) -> None:
    turns = begin(example_prompt="Mine", example_answer=example).next_ask().turns
    assert len(turns) == 2 + 2 * len(DIAGRAM_EXAMPLES)
