"""Blocks for tests, as the engine sees them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from blocks.spec import BlockSpec

_FIRST = import_module("blocks.migrations.0002_first_blocks").BLOCKS
_CHANGES = import_module("blocks.migrations.0003_unlikely_examples").EXAMPLES
SHIPPED = {row["slug"]: row | _CHANGES.get(row["slug"], {}) for row in _FIRST}
"""The fields of the shipped blocks, by slug, as the migrations leave them."""


def spec_of(output: str, **changes: Any) -> BlockSpec:
    """Build a small block of that output, with the shipped block's prompts if there is one."""
    shipped = SHIPPED.get(output, {})
    fields: dict[str, Any] = {
        "slug": f"a-{output}",
        "title": "A block",
        "output": output,
        "system_prompt": shipped.get("system_prompt", "Be brief."),
        "prompt_template": shipped.get("prompt_template", "$prompt"),
        "example_prompt": shipped.get("example_prompt", ""),
        "example_answer": shipped.get("example_answer", ""),
        "answer_schema": None,
        "model": "fake:model",
        "temperature": 0.4,
        "max_tokens": 800,
        "streaming": True,
        "on_abandon": "continue",
        "on_generator_lost": "restart",
    }
    return BlockSpec(**(fields | changes))
