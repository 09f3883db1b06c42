"""A diagram: nodes and the arrows between them, as parts and as Mermaid text.

One answer takes two requests: first the nodes, then the edges, whose schema allows only the ids of
existing nodes. Asked for both at once, a small model points every third edge at a missing node.

Model's form:   {title, nodes: [label, …]}, then {edges: [{from, to, label?}]} with ids 1, 2, …
Public form:    {title, nodes: [{id: "n1", label}], edges: [{from: "n1", to, label?}], source}
`diagram_parts.py` reads the other forms in which models write nodes and edges, `mermaid_text.py` a
flowchart without JSON. A model that answers
the first request with edges too is not asked again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from blocks.continuation import CONTINUES, NOTHING, Earlier, EndedAnswer
from blocks.delta import Delta, FinishReason
from blocks.errors import InvalidInput
from blocks.outputs.base import Ask, Dropped, Turn
from blocks.outputs.demo.diagram import DemoDiagramAnswer
from blocks.outputs.diagram_parts import (
    FROM_NAMES,
    LABEL_NAMES,
    NodeNames,
    Uncertain,
    is_edge,
    is_node,
    read_edge,
    read_node,
)
from blocks.outputs.known_names import folded
from blocks.outputs.mermaid import diagram_source
from blocks.outputs.mermaid_text import read_mermaid
from blocks.outputs.part_value import Path
from blocks.outputs.prompting import chat, loads_object
from blocks.outputs.sameness import sameness
from blocks.outputs.shown_text import asked_length
from blocks.outputs.structured import LatePart
from blocks.outputs.titled import TitledAnswer
from blocks.outputs.worked_example import WorkedExample
from blocks.spec import BlockSpec

MIN_NODES, MIN_EDGES = 2, 1  # fewer do not make a diagram
ASKED_NODES = (3, 24)
MAX_NODES, MAX_EDGES = 24, 48

_LENGTHS = {"title": 200, "node": 120, "edge": 120}
"""In characters; longer texts end with a whole word."""

# A local model is small: it fills any number of nodes, and any length, with noise.
_LOCAL_NODES = (3, 7)
_LOCAL_LENGTHS = {"title": 60, "node": 32, "edge": 24}

# For the nodes only: edges must be free to name the same node again.
_REPEAT_PENALTY = 1.1

_MAX_TEXT = 16 * 1024  # that may be Mermaid instead of JSON

_ARROWS = "The parts: {nodes}. Which leads to which? Answer with the arrows between them."


class DiagramOutput:
    name: ClassVar[str] = "diagram"
    label: ClassVar[str] = "Diagram"
    noun: ClassVar[str] = "a diagram"
    structured: ClassVar[bool] = True

    def begin(
        self,
        spec: BlockSpec,
        prompt: str,
        options: Mapping[str, Any],
        *,
        seed: str,
        repair: bool,
        earlier: Earlier = NOTHING,
    ) -> DiagramAnswer | DemoDiagramAnswer:
        if spec.is_demo:
            return DemoDiagramAnswer(spec, prompt, options, repair=repair)
        return DiagramAnswer(spec, prompt, options, repair=repair)

    def earlier_of(self, answers: Sequence[EndedAnswer], options: Mapping[str, Any]) -> Earlier:
        raise InvalidInput(CONTINUES, "A diagram can't be continued.")

    def example_problem(self, example_answer: str) -> str:
        example = loads_object(example_answer)
        if (
            example is None
            or not isinstance(example.get("title"), str)
            or not example["title"].strip()
            or not isinstance(example.get("nodes"), list)
            or not isinstance(example.get("edges"), list)
        ):
            return (
                'It must be JSON: {"title": …, "nodes": ["label", …], "edges": [{"from": 1, "to":'
                " 2}]}, where the numbers are the places of the nodes."
            )
        names = NodeNames()
        labels = [label for label in example["nodes"] if isinstance(label, str) and label.strip()]
        for number, label in enumerate(labels, 1):
            names.add(f"n{number}", label, "")
        kinds = {sameness(label) for label in labels}
        is_short = all(len(label) <= _LENGTHS["node"] for label in labels)
        if not is_short or not MIN_NODES <= len(example["nodes"]) == len(kinds):
            return "Its nodes must be texts, at least two, short and all different."
        for number, edge in enumerate(example["edges"], 1):
            try:
                read_edge(edge, names, _LENGTHS["edge"])
            except Dropped as drop:
                return f"Its edge {number} would be left out: {drop.reason}."
        return "" if example["edges"] else "It has no edges."


class DiagramAnswer(TitledAnswer):
    lists: ClassVar = {
        "nodes": frozenset({"nodes", "parts", "steps", "vertices", "elements", "labels", "boxes"}),
        "edges": frozenset(
            {"edges", "arrows", "links", "connections", "relations", "relationships"}
        ),
    }
    part_names = FROM_NAMES
    wrappers: ClassVar = frozenset({"diagram", "graph", "flowchart"})
    default_title = "Diagram"

    def __init__(
        self, spec: BlockSpec, prompt: str, options: Mapping[str, Any], *, repair: bool
    ) -> None:
        super().__init__(prompt, _LOCAL_LENGTHS if spec.is_local else _LENGTHS)
        self._spec, self._prompt, self._options = spec, prompt, options
        self._repair = repair
        self._asks = 0
        self._nodes: list[dict[str, Any]] = []
        self._edges: list[dict[str, Any]] = []
        self._labels: set[str] = set()
        self._names = NodeNames()
        self._ends: set[tuple[str, str]] = set()
        self._growing_name: str | None = None  # the member of the open part that grows
        self._waiting_edges: list[Any] = []  # another one may show from where they count
        self._is_last = False  # no other edge can show it
        self._said = ""  # the text of the first call, at most _MAX_TEXT characters
        self._source = ""
        self._example = _example_of(spec)
        about = spec.example_prompt
        self._example_labels = WorkedExample(self._example[2], about=about, prompt=prompt)
        self._example_arrows = WorkedExample(self._example[3], about=about, prompt=prompt)

    def next_ask(self) -> Ask | None:
        self._asks += 1
        if self._asks == 1:
            return self._ask_nodes()
        if self._asks == 2 and len(self._nodes) >= MIN_NODES and not self.is_enough:
            self._restart_scan()
            return self._ask_edges()
        return None

    def _ask_nodes(self) -> Ask:
        note = f"Name at least {ASKED_NODES[0]} different parts." if self._repair else ""
        turns = chat(
            self._spec, self._prompt, self._options, example_answer=self._example[0], note=note
        )
        return Ask(turns, self._nodes_schema(), _REPEAT_PENALTY)

    def _ask_edges(self) -> Ask:
        nodes, edges, labels, _ = self._example
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
        return Ask(tuple(told), self._edges_schema(len(named)))

    def _nodes_schema(self) -> dict[str, Any]:
        fewest, most = _LOCAL_NODES if self._spec.is_local else ASKED_NODES
        return {
            "type": "object",
            "properties": {
                "title": self._text_schema("title"),
                "nodes": {
                    "type": "array",
                    "items": self._text_schema("node"),
                    "minItems": fewest,
                    "maxItems": most,
                },
            },
            "required": ["title", "nodes"],
            "additionalProperties": False,
        }

    def _edges_schema(self, nodes: int) -> dict[str, Any]:
        node = {"type": "integer", "enum": list(range(1, nodes + 1))}
        label = {"type": "string", "maxLength": asked_length(self._lengths["edge"])}
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
                    "maxItems": nodes if self._spec.is_local else 2 * nodes,
                }
            },
            "required": ["edges"],
            "additionalProperties": False,
        }

    def _text_schema(self, kind: str) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": asked_length(self._lengths[kind])}

    # --- TitledAnswer ---

    @property
    def unnamed_list(self) -> str:
        return "nodes" if self._asks == 1 else "edges"

    def list_of(self, value: Any) -> str | None:
        if any(self._list_named(name) for name in value):
            return None
        if is_edge(value):
            return "edges"
        return "nodes" if self._asks == 1 and is_node(value) else None

    def list_place(self, name: str) -> Path | None:
        self._growing_name = None
        if name == "edges":
            is_early = not self._nodes  # then it is found late, when the nodes are known
            return None if self.is_second_version or is_early else ("edges", len(self._edges))
        is_over = self.is_second_version and len(self._nodes) >= MIN_NODES
        return None if self._asks > 1 or is_over else ("nodes", len(self._nodes))

    def grown_path(self, place: Path, inner: Path) -> Path | None:
        if place == ("title",):
            return place if inner == () else None
        is_node_place = place[0] == "nodes"
        if not is_node_place and self._asks == 1:  # the edge may wait
            return None
        if len(self._nodes) >= MAX_NODES if is_node_place else len(self._edges) >= MAX_EDGES:
            return None
        if inner == ():
            return (*place, "label") if is_node_place else None
        name = str(inner[0])
        if len(inner) == 1 and self._growing_name is None and folded(name) in LABEL_NAMES:
            self._growing_name = name
        return (*place, "label") if inner == (self._growing_name,) else None

    def longest(self, path: Path) -> int | None:
        kinds = {"nodes": "node", "edges": "edge", "title": "title"}
        return self._lengths[kinds[str(path[0])]]

    def read_text(self, text: str) -> Any:
        return read_mermaid(text) or super().read_text(text)

    def found_late(self, leftovers: dict[str, Any]) -> Iterable[LatePart]:
        parts = [*super().found_late(leftovers)]
        if not parts and self._nodes and not self._edges:  # the edges came before the nodes
            edges = {key: value for key, value in leftovers.items() if self._is_edges(key)}
            parts = [*self._parts_in(edges, 2)]
        yield from sorted(parts, key=lambda part: self._is_edges(part[0]))
        yield from self._last_edges()

    def _last_edges(self) -> Iterable[LatePart]:
        waiting, self._waiting_edges = self._waiting_edges, []
        self._is_last = True
        yield from (("edges", 0, edge) for edge in waiting)
        self._is_last = False

    def _is_edges(self, key: str) -> bool:
        return self._list_named(key) == "edges"

    def accept_part(self, name: str, value: Any) -> dict[str, Any] | None:
        if name == "edges":
            return self._accept_edge(value)
        try:
            return self._accept_node(value)
        except Dropped:
            self._names.skip()
            raise

    def _accept_node(self, value: Any) -> dict[str, Any]:
        label, own_id = read_node(value, self._lengths["node"])
        if len(self._nodes) >= MAX_NODES:
            raise Dropped("too_many")
        if sameness(label) in self._labels:
            raise Dropped("duplicate_node")
        if self._example_labels.has(label):
            raise Dropped("copied_example")
        self._labels.add(sameness(label))
        node = {"id": f"n{len(self._nodes) + 1}", "label": label}
        self._nodes.append(node)
        self._names.add(node["id"], label, own_id)
        return node

    def _accept_edge(self, value: Any) -> dict[str, Any] | None:
        try:
            start, end, label = read_edge(
                value,
                self._names,
                self._lengths["edge"],
                were_told=self._asks > 1,
                is_last=self._is_last,
            )
            if self._waiting_edges:
                raise Uncertain
        except Uncertain:  # the ones behind it wait too, so the order stays
            if len(self._waiting_edges) >= MAX_EDGES:
                raise Dropped("too_many") from None
            self._waiting_edges.append(value)
            return None
        if len(self._edges) >= MAX_EDGES:
            raise Dropped("too_many")
        if (start, end) in self._ends:
            raise Dropped("duplicate_edge")
        self._ends.add((start, end))
        edge = {"from": start, "to": end}
        if label and sameness(label) not in self._labels and not self._example_arrows.has(label):
            edge["label"] = label
        self._edges.append(edge)
        return edge

    def feed(self, token: str) -> list[Delta]:
        if self._asks == 1 and len(self._said) < _MAX_TEXT:
            self._said += token
        return super().feed(token)

    def end(self) -> Iterable[Delta]:
        if self._asks == 1 and not self._nodes and (flowchart := read_mermaid(self._said)):
            yield from self._late(self._parts_in(flowchart, 2))
        yield from self._late(self._last_edges())
        yield from super().end()

    def close(self, finish_reason: FinishReason) -> list[Delta]:
        deltas = super().close(finish_reason)
        self._source = diagram_source({"nodes": self._nodes, "edges": self._edges})
        return deltas

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


def _example_of(spec: BlockSpec) -> tuple[str, str, list[str], list[str]]:
    """Return the worked example's two answers, its labels and those of its edges."""
    example = loads_object(spec.example_answer)
    if example is None or DiagramOutput().example_problem(spec.example_answer):
        return "", "", [], []
    nodes = {"title": example["title"], "nodes": example["nodes"]}
    arrows = [
        edge["label"] for edge in example["edges"] if isinstance(edge, dict) and "label" in edge
    ]
    arrows = [label for label in arrows if isinstance(label, str)]
    return _dumps(nodes), _dumps({"edges": example["edges"]}), example["nodes"], arrows


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _arrows(labels: list[str]) -> str:
    return _ARROWS.format(nodes=", ".join(f"{n} {label}" for n, label in enumerate(labels, 1)))
