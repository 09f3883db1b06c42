"""A diagram: nodes and the arrows between them, as parts and as Mermaid text.

One answer takes two requests: first the nodes, then the edges, whose schema allows only the ids of
existing nodes. Asked for both at once, a small model points every third edge at a missing node.

Model's form:   {title, nodes: [label, …]}, then {edges: [{from, to, label?}]} with ids 1, 2, …
Public form:    {title, nodes: [{id: "n1", label}], edges: [{from: "n1", to, label?}], source}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from blocks.delta import Delta, FinishReason, Item
from blocks.outputs.base import Ask, Dropped, Turn
from blocks.outputs.mermaid import diagram_source
from blocks.outputs.part_text import is_text, sameness
from blocks.outputs.part_value import Path
from blocks.outputs.prompting import chat, loads_object
from blocks.outputs.structured import StructuredAnswer
from blocks.spec import BlockSpec

MIN_NODES, MIN_EDGES = 2, 1  # fewer do not make a diagram
ASKED_NODES = (3, 7)
MAX_NODES, MAX_EDGES = 12, 24

# In characters. The schema sent to the model sets the first; validation applies the second, in case
# the model ignores the schema.
_ASKED_LENGTHS = {"title": 60, "node": 32, "edge": 24}
_LENGTHS = {"title": 200, "node": 120, "edge": 120}

# For the nodes only: edges must be free to name the same node again.
_REPEAT_PENALTY = 1.1

_NODE_ID = re.compile(r"n?([1-9][0-9]?)")
_ARROWS = "The parts: {nodes}. Which leads to which? Answer with the arrows between them."


class DiagramOutput:
    name: ClassVar[str] = "diagram"
    label: ClassVar[str] = "Diagram"
    structured: ClassVar[bool] = True

    def begin(
        self, spec: BlockSpec, prompt: str, options: Mapping[str, Any], *, seed: str, repair: bool
    ) -> DiagramAnswer:
        return DiagramAnswer(spec, prompt, options, repair=repair)

    def example_problem(self, example_answer: str) -> str:
        example = loads_object(example_answer)
        if (
            example is None
            or not is_text(example.get("title"), _LENGTHS["title"])
            or not isinstance(example.get("nodes"), list)
            or not isinstance(example.get("edges"), list)
        ):
            return (
                'It must be JSON: {"title": …, "nodes": ["label", …], "edges": [{"from": 1, "to":'
                " 2}]}, where the numbers are the places of the nodes."
            )
        labels = {sameness(label) for label in example["nodes"] if is_text(label, _LENGTHS["node"])}
        if len(labels) < len(example["nodes"]) or len(labels) < MIN_NODES:
            return "Its nodes must be texts, at least two, short and all different."
        for number, edge in enumerate(example["edges"], 1):
            try:
                _read_edge(edge, len(labels))
            except Dropped as drop:
                return f"Its edge {number} would be left out: {drop.reason}."
        return "" if example["edges"] else "It has no edges."


class DiagramAnswer(StructuredAnswer):
    def __init__(
        self, spec: BlockSpec, prompt: str, options: Mapping[str, Any], *, repair: bool
    ) -> None:
        super().__init__()
        self._spec, self._prompt, self._options = spec, prompt, options
        self._repair = repair
        self._asks = 0
        self._title = ""
        self._nodes: list[dict[str, Any]] = []
        self._edges: list[dict[str, Any]] = []
        self._labels: set[str] = set()
        self._ends: set[tuple[str, str]] = set()
        self._source = ""

    def next_ask(self) -> Ask | None:
        self._asks += 1
        if self._asks == 1:
            return self._ask_nodes()
        if self._asks == 2 and len(self._nodes) >= MIN_NODES:
            self._restart_scan()
            return self._ask_edges()
        return None

    def _example(self) -> tuple[str, str, list[str]]:
        """Return the worked example's two answers and its labels; blanks if it has none."""
        example = loads_object(self._spec.example_answer)
        if example is None or DiagramOutput().example_problem(self._spec.example_answer):
            return "", "", []
        nodes = {"title": example["title"], "nodes": example["nodes"]}
        return _dumps(nodes), _dumps({"edges": example["edges"]}), example["nodes"]

    def _ask_nodes(self) -> Ask:
        note = f"Name at least {ASKED_NODES[0]} different parts." if self._repair else ""
        turns = chat(
            self._spec, self._prompt, self._options, example_answer=self._example()[0], note=note
        )
        return Ask(turns, _nodes_schema(), _REPEAT_PENALTY)

    def _ask_edges(self) -> Ask:
        nodes, edges, labels = self._example()
        turns = chat(self._spec, self._prompt, self._options, example_answer=nodes)
        named = [node["label"] for node in self._nodes]
        told = [
            *turns[:-1],
            *(
                (Turn("user", _arrows(labels)), Turn("assistant", edges))
                if edges and len(turns) > 2
                else ()
            ),
            turns[-1],
            Turn("assistant", _dumps({"title": self._title, "nodes": named})),
            Turn("user", _arrows(named)),
        ]
        return Ask(tuple(told), _edges_schema(len(named)))

    def place(self, key: str, index: int | None) -> Path | None:
        if self._asks == 1 and key == "title" and index is None:
            return ("title",)
        if self._asks == 1 and key == "nodes" and index is not None:
            return ("nodes", len(self._nodes))
        if self._asks == 2 and key == "edges" and index is not None:
            return ("edges", len(self._edges))
        return None

    def grown_path(self, place: Path, inner: Path) -> Path | None:
        if place[0] == "title":
            return place if inner == () else None
        if place[0] == "nodes" and len(self._nodes) >= MAX_NODES:
            return None
        if place[0] == "nodes":
            return (*place, "label") if inner in ((), ("label",)) else None
        return (*place, "label") if inner == ("label",) and len(self._edges) < MAX_EDGES else None

    def accept(self, key: str, index: int | None, value: Any) -> Any:
        match key:
            case "title":
                return self._accept_title(value)
            case "nodes":
                return self._accept_node(value)
            case _:
                return self._accept_edge(value)

    def _accept_title(self, title: Any) -> str:
        if not is_text(title, _LENGTHS["title"]):
            raise Dropped("schema")
        self._title = str(title)
        return self._title

    def _accept_node(self, value: Any) -> dict[str, Any]:
        label = value.get("label") if isinstance(value, dict) else value
        if not is_text(label, _LENGTHS["node"]):
            raise Dropped("schema")
        if len(self._nodes) >= MAX_NODES:
            raise Dropped("too_many")
        if sameness(label) in self._labels:
            raise Dropped("duplicate_node")
        self._labels.add(sameness(label))
        node = {"id": f"n{len(self._nodes) + 1}", "label": label}
        self._nodes.append(node)
        return node

    def _accept_edge(self, value: Any) -> dict[str, Any]:
        edge = _read_edge(value, len(self._nodes))
        if len(self._edges) >= MAX_EDGES:
            raise Dropped("too_many")
        ends = (edge["from"], edge["to"])
        if ends in self._ends:
            raise Dropped("duplicate_edge")
        self._ends.add(ends)
        self._edges.append(edge)
        return edge

    def close(self, finish_reason: FinishReason) -> list[Delta]:
        deltas = super().close(finish_reason)
        self._source = diagram_source({"nodes": self._nodes, "edges": self._edges})
        return deltas

    def end(self) -> Iterable[Delta]:
        if self._title:
            return ()
        self._title = "Diagram"
        return (Item("/title", self._title),)

    @property
    def is_enough(self) -> bool:
        return len(self._nodes) >= MIN_NODES and len(self._edges) >= MIN_EDGES

    @property
    def result(self) -> dict[str, Any]:
        return {
            "title": self._title,
            "nodes": self._nodes,
            "edges": self._edges,
            "source": self._source,
        }


def _read_edge(value: Any, nodes: int) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Dropped("schema")
    label = value.get("label", "")
    if not isinstance(label, str) or len(label) > _LENGTHS["edge"]:
        raise Dropped("schema")
    start, end = _node_id(value.get("from"), nodes), _node_id(value.get("to"), nodes)
    if start == end:
        raise Dropped("self_loop")
    return {"from": start, "to": end, **({"label": label} if label else {})}


def _node_id(value: Any, nodes: int) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Dropped("schema")
    match = _NODE_ID.fullmatch(str(value))
    if match is None or int(match[1]) > nodes:
        raise Dropped("unknown_node")
    return f"n{match[1]}"


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _arrows(labels: list[str]) -> str:
    return _ARROWS.format(nodes=", ".join(f"{n} {label}" for n, label in enumerate(labels, 1)))


def _nodes_schema() -> dict[str, Any]:
    label = {"type": "string", "minLength": 1, "maxLength": _ASKED_LENGTHS["node"]}
    return {
        "type": "object",
        "properties": {
            "title": {"type": "string", "minLength": 1, "maxLength": _ASKED_LENGTHS["title"]},
            "nodes": {
                "type": "array",
                "items": label,
                "minItems": ASKED_NODES[0],
                "maxItems": ASKED_NODES[1],
            },
        },
        "required": ["title", "nodes"],
        "additionalProperties": False,
    }


def _edges_schema(nodes: int) -> dict[str, Any]:
    node = {"type": "integer", "enum": list(range(1, nodes + 1))}
    label = {"type": "string", "maxLength": _ASKED_LENGTHS["edge"]}
    return {
        "type": "object",
        "properties": {
            "edges": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"from": node, "to": node, "label": label},
                    "required": ["from", "to"],
                    "additionalProperties": False,
                },
                "minItems": nodes - 1,
                "maxItems": nodes,
            }
        },
        "required": ["edges"],
        "additionalProperties": False,
    }
