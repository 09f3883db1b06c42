"""The enabled blocks, in the admin's order, from a cache.

A change applies at once in the process that makes it, and within a second in all others. The block
types are shared: change none of them.
"""

from __future__ import annotations

from django.conf import settings

from .errors import UnknownBlock
from .fresh import Fresh
from .models import BlockType


def _read() -> dict[str, BlockType]:
    return {block.slug: block for block in BlockType.objects.filter(enabled=True)}


_blocks = Fresh(_read)
clear_blocks = _blocks.clear


def connect_signals() -> None:
    """Clear the cache when this process changes a block type, so that it applies immediately."""
    _blocks.follow(BlockType)


def list_blocks() -> list[BlockType]:
    """Return the enabled block types, in order."""
    return list(_blocks.get().values())


def models_in_use() -> set[str]:
    """The models that a start may ask for: the project's own and those of the enabled block types.
    One query."""
    named = BlockType.objects.filter(enabled=True).exclude(model="")
    return {settings.AI_MODEL, *named.values_list("model", flat=True)}


def get_block(slug: str) -> BlockType:
    """Return the enabled block type with this slug.

    Raises:
        UnknownBlock: no such block, or the block is disabled.
    """
    try:
        return _blocks.get()[slug]
    except KeyError:
        raise UnknownBlock from None
