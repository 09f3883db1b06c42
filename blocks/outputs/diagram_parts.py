"""Reads the nodes and edges of a diagram in the forms in which models write them.

A node is a label, or an object with one and perhaps an id. An edge is an object, a pair, or a text
such as "1 -> 2"; it names its nodes by number, id or label.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from blocks.outputs.base import Dropped
from blocks.outputs.judge import is_words
from blocks.outputs.known_names import as_text, first_text, folded
from blocks.outputs.sameness import sameness
from blocks.outputs.shown_text import fit

LABEL_NAMES = frozenset({"label", "text", "caption"})
"""Names of a member that is shown while it grows."""

_NODE_NAMES = frozenset({"name", "title", "node", "value", "content", "step", "description"})
_ID_NAMES = frozenset({"id", "key", "nodeid", "number"})
FROM_NAMES = frozenset(
    {"from", "source", "start", "fromnode", "sourceid", "fromid", "src", "begin", "origin"}
    | {"parent", "sourcenode", "startnode", "startid"}
)
_TO_NAMES = frozenset(
    {"to", "target", "end", "tonode", "targetid", "toid", "dst", "destination", "child"}
    | {"targetnode", "endnode", "endid", "dest"}
)
_EDGE_LABEL_NAMES = LABEL_NAMES | {"name", "title", "relation", "relationship", "description"}

_NUMBERED = re.compile(r"[(\[#\s]*(?:node|step|n)?[\s#_]*([0-9]{1,3})[)\].\s]*", re.IGNORECASE)
_MAX_ARROW = 400  # characters of an edge as text
_ARROW = re.compile(
    r"(?P<start>.+?)\s*(?:[-=.]+>|→|⟶|⇒|➔)\s*(?:\|(?P<inside>[^|]*)\|\s*)?(?P<end>[^:|]+?)"
    r"\s*(?::\s*(?P<label>.*))?"
)


def read_node(value: Any, limit: int) -> tuple[str, str]:
    """Return a node's label and the id that the model gave it, or ''.

    Raises:
        Dropped: schema, not_words.
    """
    own_id = ""
    value = _flat(value)
    if isinstance(value, dict):
        own_id = _id_text(first_text(value, _ID_NAMES))
        label = first_text(value, LABEL_NAMES)
        value = first_text(value, _NODE_NAMES) if label in (None, "") else label
        if isinstance(value, dict):
            value = first_text(value, LABEL_NAMES | _NODE_NAMES)
        is_word = len(own_id) > 1 or not own_id.isascii()
        if value is None and is_word and not _NUMBERED.fullmatch(own_id):
            value = own_id  # {"id": "Rain"}
    value = as_text(value)
    label = fit(value, limit) if isinstance(value, str) else None
    if label is None or not label.strip():
        raise Dropped("schema")
    if not is_words(label):
        raise Dropped("not_words")
    return label, own_id


def is_node(value: Mapping[str, Any]) -> bool:
    """Whether an object looks like a node."""
    names = {folded(name) for name in value}
    return bool(names & (LABEL_NAMES | _NODE_NAMES)) and not is_edge(value)


def is_edge(value: Mapping[str, Any]) -> bool:
    """Whether an object looks like an edge."""
    names = {folded(name) for name in value}
    return bool(names & FROM_NAMES) and bool(names & _TO_NAMES)


class NodeNames:
    """The nodes by every name that an edge may call them by."""

    def __init__(self) -> None:
        self._by_number: dict[int, str] = {}  # in the public form
        self._by_place: dict[int, str] = {}  # in the model's own list, from 1
        self._by_name: dict[str, str] = {}
        self._seen = 0
        self._base: int | None = None  # the number of the first node in the model's own list

    def add(self, node_id: str, label: str, own_id: str) -> None:
        """Note a node in the place that `skip` or `add` has left."""
        self._seen += 1
        self._by_number[len(self._by_number) + 1] = node_id
        self._by_place[self._seen] = node_id
        self._by_name.setdefault(sameness(label), node_id)
        if own_id:
            self._by_name[_id_key(own_id)] = node_id

    def skip(self) -> None:
        """Note a node that was left out."""
        self._seen += 1

    def find(self, said: Any, *, were_told: bool, is_last: bool = True) -> str:
        """Return the public id of the node that an edge calls by number, id or label.

        Args:
            were_told: the model was told the numbers; otherwise they are those of its own list,
                from 0 or from 1. A 0 shows it, and so does the number of nodes.
            is_last: no other edge can show it; the first node is 1 then.

        Raises:
            Dropped: schema, unknown_node.
            Uncertain: another edge may show from where the model counts.
        """
        text = _id_text(said)
        if not text:
            raise Dropped("schema")
        number = _NUMBERED.fullmatch(text)
        if were_told and number and int(number[1]) in self._by_number:
            return self._by_number[int(number[1])]
        found = self._named(text)
        if found is None and number and not were_told:
            if self._base is None and not is_last:
                raise Uncertain
            found = self._by_place.get(int(number[1]) + (self._base == 0))
        if found is None:
            raise Dropped("unknown_node")
        return found

    def note(self, said: Any) -> None:
        """Note from where the model counts, if an end of an edge shows it."""
        text = _id_text(said)
        number = _NUMBERED.fullmatch(text)
        if number and self._base is None and self._named(text) is None:
            self._base = {0: 0, self._seen: 1}.get(int(number[1]))

    def _named(self, text: str) -> str | None:
        return self._by_name.get(_id_key(text)) or self._by_name.get(sameness(text))


class Uncertain(Exception):
    """An edge names its nodes by numbers, and nothing shows yet from where they count."""


def read_edge(
    value: Any,
    nodes: NodeNames,
    limit: int,
    *,
    were_told: bool = True,
    is_last: bool = True,
) -> tuple[str, str, str]:
    """Return where an edge begins and ends, as public ids, and its label or ''.

    Args:
        were_told, is_last: see `NodeNames.find`.

    Raises:
        Dropped: schema, unknown_node, self_loop.
        Uncertain: see `NodeNames.find`.
    """
    said: Any = ""
    arrow = None
    value = _flat(value)
    if isinstance(value, str) and len(value) <= _MAX_ARROW:
        arrow = _ARROW.fullmatch(value.strip())
    if arrow is not None:
        start, end = arrow["start"], arrow["end"]
        said = arrow["inside"] or arrow["label"]
    elif isinstance(value, list) and len(value) in (2, 3):
        start, end, said = [*value, ""][:3]
    elif isinstance(value, dict):
        start, end = first_text(value, FROM_NAMES), first_text(value, _TO_NAMES)
        said = first_text(value, _EDGE_LABEL_NAMES)
        if start is None and end is None:  # {"Rain": "River"}, see `_elements`
            start, end, said = value.get("id"), value.get("label"), ""
    else:
        raise Dropped("schema")
    nodes.note(start)
    nodes.note(end)
    from_id, to_id = (nodes.find(one, were_told=were_told, is_last=is_last) for one in (start, end))
    if from_id == to_id:
        raise Dropped("self_loop")
    said = as_text(said)
    label = fit(said, limit) if isinstance(said, str) else None
    return from_id, to_id, label if label and is_words(label) else ""


def _flat(value: Any) -> Any:
    """Return a part without the object `data` that libraries of graphs put around its members."""
    inner = value.get("data") if isinstance(value, dict) else None
    return {**value, **inner} if isinstance(inner, dict) else value


def _id_text(said: Any) -> str:
    """Return an id as text; '' if it is none."""
    if isinstance(said, dict):
        said = first_text(said, _ID_NAMES | LABEL_NAMES | _NODE_NAMES)
    if isinstance(said, bool):
        return ""
    if isinstance(said, float):
        return str(int(said)) if said.is_integer() else ""
    return str(said).strip() if isinstance(said, int | str) else ""


def _id_key(own_id: str) -> str:
    """Return the key of an id; no label has it."""
    return "\0" + own_id.casefold()
