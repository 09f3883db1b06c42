"""The Mermaid text of a diagram's parts. A client makes the same text while the parts arrive.

Source: specs/050-live-ai-interaction/fixtures/diagram-source.json, which holds both to the byte.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_BLANKS = re.compile(
    r"[\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+"
)
# They would turn the text beside the label around.
_BIDI_CONTROLS = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# All of ASCII that could mean something to Mermaid, Markdown or HTML, and the ligature that
# Mermaid itself puts in the place of an entity's `&`.
_SPECIAL = re.compile(r"[^A-Za-z0-9 ,'?!\u0080-\ufb01\ufb03-\U0010ffff]")

# Mermaid takes a whole line for a statement wherever this stands in it, in quotes too.
_DIRECTION = re.compile(r"d(?=irection (?:TB|BT|LR|RL|TD))")


def diagram_source(parts: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """A top-down flowchart.

    Args:
        parts: `nodes` [{id, label}] and `edges` [{from, to, label?}], either may be missing:
            ids `n` and digits, labels any text.

    Returns:
        Lines with a line break after each. Whatever a label holds is shown as text: it can't
        end its quotes, begin a directive, or become markup.
    """
    lines = ["flowchart TD"]
    for node in parts.get("nodes", ()):
        # An empty pair of quotes is a syntax error to Mermaid.
        lines.append(f'    {node["id"]}["{escape_label(node["label"]) or " "}"]')
    for edge in parts.get("edges", ()):
        label = escape_label(edge.get("label", ""))
        arrow = f'-->|"{label}"|' if label else "-->"
        lines.append(f"    {edge['from']} {arrow} {edge['to']}")
    return "\n".join(lines) + "\n"


def escape_label(label: str) -> str:
    """A label as it may stand between quotes: one line, special characters as `#code;`."""
    text = _BLANKS.sub(" ", _BIDI_CONTROLS.sub("", label)).strip(" ")
    text = _SPECIAL.sub(lambda match: f"#{ord(match.group())};", text)
    return _DIRECTION.sub(f"#{ord('d')};", text)
