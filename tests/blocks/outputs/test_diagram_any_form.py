"""Diagrams in the forms in which models write them: all are the same diagram."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.blocks.outputs.test_diagram import begin

LABELS = ["Rain", "River", "Sea", "Cloud"]
STEPS = [(0, 1), (1, 2), (2, 3), (3, 0)]
EDGES = [{"from": f"n{a + 1}", "to": f"n{b + 1}"} for a, b in STEPS]
MERMAID = "graph TD\n  A[Rain] --> B[River]\n  B --> C[Sea]\n  C --> D[Cloud]\n  D --> A\n"


def pairs(base: int = 0, steps: Any = STEPS) -> list[dict[str, int]]:
    return [{"from": a + base, "to": b + base} for a, b in steps]


def lettered(**names: str) -> list[dict[str, str]]:
    return [{names["start"]: "ABCD"[a], names["end"]: "ABCD"[b]} for a, b in STEPS]


NODES = [{"id": letter, "label": label} for letter, label in zip("ABCD", LABELS, strict=True)]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"nodes": LABELS, "edges": pairs()}),
        json.dumps({"nodes": LABELS, "edges": pairs(1)}),
        json.dumps({"edges": pairs(), "nodes": LABELS}),
        json.dumps({"edges": pairs(1), "title": "T", "nodes": LABELS}),
        json.dumps({"edges": lettered(start="from", end="to"), "nodes": NODES}),
        json.dumps({"nodes": NODES, "edges": lettered(start="parent", end="child")}),
        json.dumps({"nodes": NODES, "edges": lettered(start="begin", end="end")}),
        json.dumps({"nodes": LABELS, "edges": {LABELS[a]: LABELS[b] for a, b in STEPS}}),
        json.dumps(
            {
                "nodes": [{"id": label, "group": 1} for label in LABELS],
                "links": [{"source": LABELS[a], "target": LABELS[b], "value": 1} for a, b in STEPS],
            }
        ),
        json.dumps(
            {
                "elements": {
                    "nodes": [{"data": node} for node in NODES],
                    "edges": [{"data": one} for one in lettered(start="source", end="target")],
                }
            }
        ),
        json.dumps({"result": json.dumps({"title": "T", "nodes": LABELS, "edges": pairs()})}),
        json.dumps({"title": "T", "mermaid": MERMAID}),
        MERMAID,
        f"Here it is:\n\n```mermaid\n{MERMAID}```\nEnjoy!",
        MERMAID.replace("[", '["').replace("]", '"]'),
    ],
)
def test_the_nodes_and_edges_are_found(text: str) -> None:
    for size in (1, 3, 100_000):
        answer = begin()
        answer.next_ask()
        for at in range(0, len(text), size):
            answer.feed(text[at : at + size])
        answer.close("stop")
        assert [node["label"] for node in answer.result["nodes"]] == LABELS
        assert answer.result["edges"] == EDGES
        assert answer.next_ask() is None
        assert not answer.dropped


@pytest.mark.parametrize("base", [0, 1])
def test_a_late_edge_shows_from_where_all_of_them_count(base: int) -> None:
    steps = [STEPS[at] for at in (1, 0, 2)]
    answer = begin()
    answer.next_ask()
    answer.feed(json.dumps({"nodes": LABELS, "edges": pairs(base, steps)}))
    answer.close("stop")
    assert answer.result["edges"] == [EDGES[at] for at in (1, 0, 2)]


def test_edges_that_wait_are_kept_when_the_answer_is_cut() -> None:
    answer = begin()
    answer.next_ask()
    answer.feed('{"nodes": ["Rain", "River", "Sea", "Cloud"], "edges": [[1, 2], [2, 3], [3')
    answer.close("length")
    assert answer.result["edges"] == EDGES[:2]
    assert answer.dropped == {"cut": 1}
