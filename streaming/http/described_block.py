"""A block type as clients see it."""

from __future__ import annotations

from typing import Any

from blocks.models import BlockType
from blocks.sample import samples_of


def described_block(block: BlockType) -> dict[str, Any]:
    """Return the block's entry in `GET /api/blocks`. Source: spec.md, "HTTP"."""
    return {
        "slug": block.slug,
        "title": block.title,
        "description": block.description,
        "output": block.output,
        "model": block.spec().model_name,
        "options": block.options_schema or {"type": "object", "properties": {}},
        "prompt_limit": block.prompt_limit,
        "samples": [
            {"name": sample.name, "label": sample.label, "prompt": sample.prompt}
            for sample in samples_of(block)
        ],
    }
