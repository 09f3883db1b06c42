"""The versions of block types: who changed what, when and why. Synchronous ORM.

django-simple-history stores a version for each save of a `BlockType`, whoever saves it. What this
module adds: the person and the reason, no version where nothing changed, and a first version for a
block type that has none.

Decision: specs/050-live-ai-interaction/decisions/045-versions-of-block-types.md
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from .comparison import Change, compare
from .forms import FIELDS, BlockTypeForm, form_of, values_of
from .models import BlockType

REASON_CHARACTERS = 100

FIRST = "first version"
RESTORED = "restored"


def save(
    block: BlockType, *, by: Any = None, why: str = "", fields: Collection[str] | None = None
) -> bool:
    """Save a block type as a new version.

    Args:
        by: the user who changes it; None for a command.
        why: in at most REASON_CHARACTERS characters.
        fields: the names of those that were changed. The others keep what is stored by now, and
            `block` gets that, too: the block type may have been read long ago. None: all fields.

    Returns:
        Whether anything differed from what is stored. If not, nothing is saved. Nor is it if
        `fields` were changed of a block type that is deleted by now.
    """
    with transaction.atomic():
        stored = None
        if block.pk is not None:
            stored = BlockType.objects.select_for_update().filter(pk=block.pk).first()
        if stored is None and fields is not None:
            return False
        if stored is not None:
            if fields is not None:
                for name in set(FIELDS) - set(fields):
                    setattr(block, name, getattr(stored, name))
            if not compare(values_of(stored), values_of(block)):
                return False
            _ensure_first(stored)
        set_author(block, by, why)
        block.save()
    return True


def set_author(block: BlockType, by: Any, why: str = "") -> None:
    """Name who saves or deletes a block type next, and why, for its version."""
    author: Any = block
    author._history_user = by
    author._change_reason = why[:REASON_CHARACTERS] or None


def _ensure_first(stored: BlockType) -> None:
    """Give a block type its first version, if a process of an older release created it."""
    if not BlockType.history.filter(id=stored.pk).exists():
        BlockType.history.create(
            **{"id": stored.pk} | values_of(stored),
            history_date=timezone.now(),
            history_type="+",
            history_change_reason=FIRST,
        )


def deleted() -> QuerySet[Any]:
    """Return the last version of each block type that does not exist any more, newest first."""
    rows = BlockType.history.order_by()
    last = rows.values("id").annotate(last=Max("history_id")).values("last")
    existing = BlockType.objects.order_by().values("id")
    found: QuerySet[Any] = rows.filter(history_type="-", pk__in=last).exclude(id__in=existing)
    return found.order_by("-history_date", "-history_id")


def newest_id(pk: int) -> int | None:
    """Return the number of a block type's newest version; None if it has none."""
    number: int | None = BlockType.history.filter(id=pk).aggregate(n=Max("history_id"))["n"]
    return number


def changes_of(version: Any) -> list[Change]:
    """Return what a version changed; nothing for a first version."""
    before = version.prev_record
    return [] if before is None else compare(values_of(before), values_of(version))


def changes_back(block: BlockType, version: Any) -> list[Change]:
    """Return what a roll-back to a version would change."""
    return compare(values_of(block), values_of(version))


def form_back(block: BlockType, version: Any) -> BlockTypeForm:
    """Return the form that rolls a block type back. An old version may no longer be valid."""
    return form_of(values_of(version), block)
