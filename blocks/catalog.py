"""The enabled blocks, in the admin's order."""

from __future__ import annotations

from django.conf import settings

from .errors import UnknownBlock
from .models import BlockType


def list_blocks() -> list[BlockType]:
    """Return the enabled block types, in order, with one query."""
    return list(BlockType.objects.filter(enabled=True))


def models_in_use() -> set[str]:
    """The models that a start may ask for: the project's own and those of the enabled block types.
    One query."""
    named = BlockType.objects.filter(enabled=True).exclude(model="")
    return {settings.AI_MODEL, *named.values_list("model", flat=True)}


def get_block(slug: str) -> BlockType:
    """Return the enabled block type with this slug.

    Raises:
        UnknownBlock: no such block, the block is disabled, or the slug is malformed.
    """
    # PostgreSQL rejects NUL in a text parameter with an error of its own.
    if not slug or "\0" in slug or not slug.isascii():
        raise UnknownBlock
    try:
        return BlockType.objects.get(slug=slug, enabled=True)
    except BlockType.DoesNotExist:
        raise UnknownBlock from None
