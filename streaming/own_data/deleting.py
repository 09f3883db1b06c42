"""Deletes all answers of an owner. Source: spec.md, "HTTP", `DELETE /api/streams`."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Any

from django.utils import timezone

from ..access.owners import UserId
from ..access.visitor import Visitor
from ..database import batches, store
from ..database.batches import delete_some
from ..errors import Refused
from ..models import Stream
from ..process import Process
from ..protocol.events import CancelledBy

DELETE_SECONDS = 5.0
"""About 5,000 answers on SQLite. One call takes no longer, apart from the end of what runs."""

CANCELS_AT_ONCE = 16
RUNNING_AT_MOST = 100
"""Streams that are cancelled before the next look for others."""


async def delete_all(process: Process, visitor: Visitor) -> dict[str, Any]:
    """Stop what runs, then delete everything that the owner had asked before the call.

    Running streams end as by a cancel of the owner's: with one terminal event, for every viewer.
    Each row is then deleted as by a single deletion.

    Returns:
        `deleted`: the number of answers; `complete`: whether none is left. Otherwise, another call
        continues.

    Raises:
        Refused: `rate_limited`: another call of the owner's is deleting, or too many of the
            address; `over_capacity`;
            `store_unavailable`: the end of a running stream was not seen. What was deleted stays
            so, and another call continues.

    Cancelling stops it between two batches.
    """
    turn = process.deletions.take(visitor, busy="Your answers are being deleted already.")
    turn.begin()
    try:
        return await delete_owner(process, visitor.owner, by="owner")
    finally:
        turn.end()


def delete_ended(user_id: UserId) -> bool:
    """Delete a user's ended answers, before the account goes; return whether none is left.

    The deletion of the account takes what is left along, in one transaction and through memory, so
    it should be little. It takes `DELETE_SECONDS` at most; another call continues. Synchronous ORM.
    """
    until = time.monotonic() + DELETE_SECONDS
    rows = Stream.objects.filter(user_id=user_id, ended_at__isnull=False).order_by()
    while delete_some(rows) == batches.BATCH_ROWS:
        if time.monotonic() > until:
            return False
        time.sleep(batches.PAUSE_SECONDS)  # other writers get SQLite's lock
    return True


async def delete_owner(process: Process, owner: str, *, by: CancelledBy) -> dict[str, Any]:
    """Do what `delete_all` does, without a turn: for whoever may delete this owner's answers.

    Args:
        by: whom the viewers of what runs are told that it was cancelled by.
    """
    before = timezone.now()
    until = process.now() + DELETE_SECONDS
    deleted, count, is_left = 0, 0, True
    while is_left and process.now() < until:
        if count < batches.BATCH_ROWS:  # at first, and when only what has no end yet is left
            await _cancel_running(process, owner, before, by)
            await process.generations.saver.flush()  # an end is logged before it is saved
        count, is_left = await process.own_data.query(_delete_batch, owner, before)
        deleted += count
        if is_left:
            await asyncio.sleep(batches.PAUSE_SECONDS)  # other writers get SQLite's lock
    return {"deleted": deleted, "complete": not is_left}


def _delete_batch(owner: str, before: datetime) -> tuple[int, bool]:
    """Delete a batch; return its size, and whether rows are left."""
    rows = Stream.objects.filter(owner=owner, created_at__lte=before)
    count = delete_some(rows.filter(ended_at__isnull=False))
    return count, count == batches.BATCH_ROWS or rows.exists()


async def _cancel_running(process: Process, owner: str, before: datetime, by: CancelledBy) -> None:
    at_once = asyncio.Semaphore(CANCELS_AT_ONCE)

    async def cancel(stream_id: str) -> None:
        async with at_once:
            try:
                await process.manager.cancel(stream_id, owner, by=by)
            except Refused as refused:
                if refused.code != "not_found":  # deleted meanwhile
                    raise

    rows = await process.own_data.query(store.find_running, owner, None, RUNNING_AT_MOST)
    ids = [row.id for row in rows if row.created_at <= before]
    await asyncio.gather(*map(cancel, ids))
