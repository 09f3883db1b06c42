"""A diagram of the demo model: its parts as numbered lines, an arrow from each to the next.

The model can't say which part leads to which: half of its arrows were copies of the worked example.
The order of the lines is the one thing that it knows. The last part leads to the first only if the
prompt speaks of a cycle.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from blocks.delta import Delta, FinishReason, Item, Text
from blocks.outputs.base import Ask, Dropped
from blocks.outputs.demo.diagram_examples import DIAGRAM_EXAMPLES
from blocks.outputs.demo.lines import LineReader
from blocks.outputs.demo.recipe import Examples, Recipe, dry, example_key
from blocks.outputs.demo.wording import is_cut, is_label, title_of, without_unfinished, wording_key
from blocks.outputs.judge import is_words
from blocks.outputs.mermaid import diagram_source
from blocks.outputs.prompting import loads_object
from blocks.outputs.worked_example import WorkedExample
from blocks.spec import BlockSpec

RECIPE = Recipe(
    system="You list the main steps or parts of a subject, in order. Each one is different and"
    " short: one to four words.",
    template="$prompt",
    shipped_system="You draw diagrams as JSON: first the parts, in one to four words each, then the"
    " arrows that show which part leads to which.",
    shipped_template="Draw a diagram of: $prompt",
)
SHIPPED_EXAMPLES = ("", "d354ee8b285f48d1", "de62f27a613ee5c5")  # keys of those that are replaced
SAMPLING = dry(0.8, 1)
TEMPERATURE, REPAIR_TEMPERATURE = 0.4, 0.7
MAX_TOKENS = 200
REPAIR_ASKS = 3  # of the last attempt, while it has too few parts for a diagram
WANTED_NODES = 3  # with fewer, the model is asked once more
MIN_NODES = 2

_GRAMMAR = r"""
root  ::= "1. " label "\n2. " label "\n3. " label "\n4. " label "\n" ("5. " label "\n" ("6. " label "\n")?)?
label ::= [A-Z0-9] c{0,19} (" " c{1,19}){0,5}
c     ::= [^\x00-\x20\x7f-\xa0\u2000-\u200f:;,.!?()"*<>{}\[\]|\\/_=+%&$#@~^`]
""".strip()  # noqa: E501  (a rule of the grammar is one line)

_MAX_LABEL = 120  # characters
_NUMBER = re.compile(r"\s*\d+\.\s*")
_CYCLE = re.compile(r"\b(?:life)?cycles?\b", re.IGNORECASE)  # not: bicycle


class DemoDiagramAnswer:
    """An attempt at a diagram. `prose` is always '': the grammar leaves no room for a refusal."""

    prose = ""

    def __init__(
        self, spec: BlockSpec, prompt: str, options: Mapping[str, Any], *, repair: bool
    ) -> None:
        self.dropped: Counter[str] = Counter()
        self._repair = repair
        self._title = title_of(prompt, "Diagram")
        self._is_titled = False
        self._is_cycle = _CYCLE.search(prompt) is not None
        self._nodes: list[dict[str, Any]] = []
        self._edges: list[dict[str, Any]] = []
        self._labels: set[str] = set()
        self._reader = LineReader()
        self._told = ""  # of the label that grows
        examples = examples_of(spec)
        self._copies = [
            WorkedExample(labels_of(answer), about=about, prompt=prompt)
            for about, answer in examples
        ]
        self._asks_left = REPAIR_ASKS if repair else 1
        self._ask = Ask(
            RECIPE.turns(spec, prompt, options, examples),
            grammar=_GRAMMAR,
            sampling=SAMPLING,
            temperature=REPAIR_TEMPERATURE if repair else TEMPERATURE,
            max_tokens=min(MAX_TOKENS, spec.max_tokens),
        )

    def next_ask(self) -> Ask | None:
        if not self._asks_left or self.is_enough:
            return None
        self._asks_left -= 1
        return self._ask

    def feed(self, token: str) -> list[Delta]:
        deltas = list(self._begin())
        for line in self._reader.feed(token):
            deltas.extend(self._ended(line))
        deltas.extend(self._grown(self._reader.open_line))
        return deltas

    def close(self, finish_reason: FinishReason) -> list[Delta]:
        deltas = list(self._begin())
        line = self._reader.end()
        if finish_reason == "stop":
            deltas.extend(self._ended(line))
        elif line:
            deltas.append(self._void("cut"))
        if self._is_cycle and len(self._nodes) > MIN_NODES:
            deltas.append(self._edge(self._nodes[-1], self._nodes[0]))
        return deltas

    @property
    def is_over_limit(self) -> bool:
        return self._reader.is_over_limit

    @property
    def is_enough(self) -> bool:
        return len(self._nodes) >= (MIN_NODES if self._repair else WANTED_NODES)

    @property
    def result(self) -> dict[str, Any]:
        parts = {"nodes": self._nodes, "edges": self._edges}
        return {"title": self._title, **parts, "source": diagram_source(parts)}

    # --- inner parts ---

    @property
    def _path(self) -> str:
        return f"/nodes/{len(self._nodes)}"

    def _begin(self) -> Iterator[Delta]:
        if not self._is_titled:
            self._is_titled = True
            yield Item("/title", self._title)

    def _grown(self, line: str) -> Iterator[Delta]:
        """Show the words that are whole and need no other one: they stay, whatever follows."""
        if number := _NUMBER.match(line):
            whole = line[number.end() :].rpartition(" ")[0]
            yield from self._tell(without_unfinished(whole))

    def _tell(self, label: str) -> Iterator[Delta]:
        if len(self._told) < len(label) <= _MAX_LABEL:
            yield Text(label[len(self._told) :], f"{self._path}/label")
            self._told = label

    def _ended(self, line: str) -> Iterator[Delta]:
        if not line:
            return
        label = without_unfinished(_NUMBER.sub("", line, count=1))
        try:
            self._judge(label)
        except Dropped as drop:
            yield self._void(drop.reason)
            return
        yield from self._tell(label)
        node = {"id": f"n{len(self._nodes) + 1}", "label": label}
        self._told = ""
        yield Item(self._path, node)
        self._nodes.append(node)
        self._labels.add(wording_key(label))
        if len(self._nodes) > 1:
            yield self._edge(self._nodes[-2], node)

    def _judge(self, label: str) -> None:
        if not label or len(label) > _MAX_LABEL:
            raise Dropped("schema")
        if not (is_words(label) and is_label(label)):
            raise Dropped("not_words")
        if is_cut(label):
            raise Dropped("cut")
        if wording_key(label) in self._labels:
            raise Dropped("duplicate_node")
        if any(example.has(label) for example in self._copies):
            raise Dropped("copied_example")

    def _void(self, reason: str) -> Item:
        self.dropped[reason] += 1
        self._told = ""
        return Item(self._path, None)

    def _edge(self, start: dict[str, Any], end: dict[str, Any]) -> Item:
        edge = {"from": start["id"], "to": end["id"]}
        self._edges.append(edge)
        return Item(f"/edges/{len(self._edges) - 1}", edge)


def labels_of(answer: str) -> list[str]:
    """Return the labels of an example's lines."""
    return [_NUMBER.sub("", line, count=1) for line in answer.splitlines()]


def examples_of(spec: BlockSpec) -> Examples:
    """Return the block's own worked example in the form of lines, or those of the recipe."""
    if example_key(spec.example_prompt, spec.example_answer) in SHIPPED_EXAMPLES:
        return DIAGRAM_EXAMPLES
    nodes = (loads_object(spec.example_answer) or {}).get("nodes")
    labels = [label for label in nodes if isinstance(label, str)] if isinstance(nodes, list) else []
    answer = "".join(f"{number}. {label}\n" for number, label in enumerate(labels, 1))
    return ((spec.example_prompt, answer),) if answer else DIAGRAM_EXAMPLES
