"""Generates a diagram's Mermaid text from its parts. Clients generate the same text themselves.

Source: specs/050-live-ai-interaction/fixtures/diagram-source.json, which holds both to the byte.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_BLANKS = re.compile(
    r"[\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+"
)
# These would reverse the text beside the label.
_BIDI_CONTROLS = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Every ASCII character that Mermaid, Markdown or HTML could interpret, and the ligature that
# Mermaid itself substitutes for an entity's `&`.
_SPECIAL = re.compile(r"[^A-Za-z0-9 ,'?!\u0080-\ufb01\ufb03-\U0010ffff]")

# Mermaid treats a whole line as a statement wherever this word occurs in it, even inside quotes.
_DIRECTION = re.compile(r"d(?=irection (?:TB|BT|LR|RL|TD))")


def diagram_source(parts: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return a top-down flowchart.

    Args:
        parts: `nodes` [{id, label}] and `edges` [{from, to, label?}]; either may be missing. Ids
            are `n` and digits; labels are any text.

    Returns:
        Lines, each with a line break. Labels always show as text: they can't close their quotes,
        begin a directive, or become markup.
    """
    lines = ["flowchart TD"]
    for node in parts.get("nodes", ()):
        # Mermaid rejects an empty pair of quotes as a syntax error.
        lines.append(f'    {node["id"]}["{escape_label(node["label"]) or " "}"]')
    for edge in parts.get("edges", ()):
        label = escape_label(edge.get("label", ""))
        arrow = f'-->|"{label}"|' if label else "-->"
        lines.append(f"    {edge['from']} {arrow} {edge['to']}")
    return "\n".join(lines) + "\n"


def escape_label(label: str) -> str:
    """Escape a label for use between quotes: one line, with special characters as `#code;`."""
    text = _BLANKS.sub(" ", _BIDI_CONTROLS.sub("", label)).strip(" ")
    text = _SPECIAL.sub(lambda match: f"#{ord(match.group())};", text)
    return _DIRECTION.sub(f"#{ord('d')};", text)
