"""Reads a flowchart that a model wrote as Mermaid text instead of JSON."""

from __future__ import annotations

import re
from typing import Any

_HEAD = re.compile(r"(?:^|\n|`)\s*(?:graph|flowchart)(?:\s+(?:TB|TD|BT|RL|LR))?[ \t]*(?:;|\n)")
_SKIPPED = re.compile(
    r"(?:subgraph|end|style|classDef|class|click|linkStyle|direction|%%)\b|%%", re.IGNORECASE
)
_NODE = re.compile(
    r'\s*(?P<id>\w{1,64})(?:[\[({>/\\]{1,3}\s*(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\])}]*?))'
    r"\s*[\])}/\\]{1,3})?(?::::\w+)?\s*"
)
_ARROW = re.compile(
    r"(?:<?-{2,}[>xo-]?|-\.+->?|={2,}>)\s*\|\s*\"?(?P<inside>[^|\"]*)\"?\s*\|"
    r"|(?:--|==|-\.)\s*\"?(?P<between>[^-=.>|\"][^->|\"]*?)\"?\s*(?:--+>|==+>|\.-+>)"
    r"|<?-{2,}[>xo-]|-\.+->|={2,}>"
)
_MAX_STATEMENTS = 200


def read_mermaid(text: str) -> dict[str, Any] | None:
    """Return `{nodes: [{id, label}], edges: [{from, to, label}]}`; None if it is no flowchart.

    A node without a label has its id as label. Styles and groups are left out.
    """
    head = _HEAD.search(text)
    if head is None:
        return None
    labels: dict[str, str] = {}
    edges: list[dict[str, str]] = []
    body = text[head.end() :].split("```")[0]
    for statement in re.split(r"[;\n]", body)[:_MAX_STATEMENTS]:
        if not _SKIPPED.match(statement.strip()):
            _read_statement(statement, labels, edges)
    nodes = [{"id": name, "label": label} for name, label in labels.items()]
    return {"nodes": nodes, "edges": edges} if nodes else None


def _read_statement(text: str, labels: dict[str, str], edges: list[dict[str, str]]) -> None:
    node = _NODE.match(text)
    while node is not None:
        start = _note(node, labels)
        arrow = _ARROW.match(text, node.end())
        node = _NODE.match(text, arrow.end()) if arrow else None
        if arrow and node:
            label = arrow["inside"] or arrow["between"] or ""
            edges.append({"from": start, "to": _note(node, labels), "label": label.strip()})


def _note(node: re.Match[str], labels: dict[str, str]) -> str:
    """Note a node under its label, or under its id until a label comes; return its id."""
    name, label = node["id"], (node["quoted"] or node["bare"] or "").strip()
    if label:
        labels[name] = label
    labels.setdefault(name, name)
    return name
