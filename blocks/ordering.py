"""The order of the block types, and names for copies of them. Synchronous ORM."""

from __future__ import annotations

from itertools import count, pairwise
from typing import Any

from django.db import transaction

from . import versions
from .models import BlockType

WAYS = ("up", "down")
STEP = 10

SLUG_CHARACTERS = 64


def move(block: BlockType, way: str, *, by: Any) -> bool:
    """Move a block type by one place, up or down.

    Only the two that change places get a new number, unless some have the same number.

    Returns:
        Whether it moved: the first can't move up, the last not down, a deleted one not at all.
    """
    with transaction.atomic():
        locked = BlockType.objects.select_for_update()
        # PostgreSQL sorts before it waits for the locks: another move may have changed the numbers.
        rows = sorted(locked, key=lambda row: (row.order, row.slug))
        here = next((n for n, row in enumerate(rows) if row.pk == block.pk), None)
        if here is None:
            return False
        there = here - 1 if way == "up" else here + 1
        if not 0 <= there < len(rows):
            return False
        numbers = [row.order for row in rows]
        if any(first >= second for first, second in pairwise(numbers)):
            numbers = [STEP * (n + 1) for n in range(len(rows))]
        rows[here], rows[there] = rows[there], rows[here]
        for row, number in zip(rows, numbers, strict=True):
            row.order = number
            versions.save(row, by=by, why=f"moved {block.slug} {way}")
    return True


def free_slug(slug: str) -> str:
    """Return a slug for a copy, which no block type has."""
    taken = set(BlockType.objects.values_list("slug", flat=True))
    for number in count(1):
        ending = "-copy" if number == 1 else f"-copy-{number}"
        candidate = slug[: SLUG_CHARACTERS - len(ending)] + ending
        if candidate not in taken:
            return candidate
    raise AssertionError("numbers do not end")
