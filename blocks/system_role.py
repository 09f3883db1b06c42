"""Which words of visitors a block puts into the system prompt. Pure.

A model follows its system prompt more than a question. Whoever writes there can change the block's
rules: that is fine for a choice from a list, and a risk for free text.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Template
from typing import Any


def writes_into_system_role(system_prompt: str, options_schema: Any) -> list[str]:
    """Return the placeholders of the system prompt that visitors fill with their own words.

    These are `prompt` and the options that are strings without a list of values, in the order of
    the text.
    """
    schema = options_schema if isinstance(options_schema, Mapping) else {}
    properties = schema.get("properties")
    options = properties if isinstance(properties, Mapping) else {}
    return [
        name
        for name in Template(system_prompt).get_identifiers()
        if name == "prompt" or _is_free_text(options.get(name))
    ]


def _is_free_text(option: Any) -> bool:
    if not isinstance(option, Mapping) or option.get("type") != "string":
        return False
    return "enum" not in option and "const" not in option


def warning_of(system_prompt: str, options_schema: Any) -> str:
    """Return a warning for the operator; empty if visitors can write nothing there."""
    names = writes_into_system_role(system_prompt, options_schema)
    if not names:
        return ""
    listed = ", ".join(f"${name}" for name in names)
    ways = [f"Move {'it' if len(names) == 1 else 'them'} to the prompt template"]
    if names != ["prompt"]:
        ways.append("give the option a list of values (“enum”)")
    return (
        f"Visitors can write into the system role: the system prompt contains {listed}, which they"
        " fill with their own words. The model may follow these words instead of your rules."
        f" {', or '.join(ways)}."
    )
