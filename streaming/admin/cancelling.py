"""Cancels many streams concurrently, and says what happened to each."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest

from ..errors import Refused
from ..loop.log_ids import of_stream
from ..models import Stream
from ..process import ensure_started

CANCELS_AT_ONCE = 16
"""Concurrent stores of cancels of one action. The waits for the ends are not limited."""

NAMED_AT_MOST = 20
"""Streams that one message names. Messages may travel in a cookie."""

CANCELLED = "cancelled"
ENDED = "ended"

logger = logging.getLogger(__name__)


async def cancel_all(stream_ids: Collection[str]) -> dict[str, str]:
    """Cancel streams concurrently.

    Returns:
        By stream id: CANCELLED, ENDED (it ended by itself before), or the reason of a failure.
    """
    process = await ensure_started()
    manager = process.manager
    storing = asyncio.Semaphore(CANCELS_AT_ONCE)

    async def cancel(stream_id: str) -> str:
        async with storing:
            feed = await manager.store_cancel(stream_id, None, by="admin")
        await manager.see_end(feed)
        return CANCELLED if feed.window.status == "cancelled" else ENDED

    async def outcome(stream_id: str) -> str:
        try:
            return await process.connections.until_dismissed(cancel(stream_id))
        except Refused as refused:
            return refused.message
        except Exception:
            with of_stream(stream_id):
                logger.exception("The cancel of stream %s failed.", stream_id)
            return "Something went wrong on our side."

    return dict(zip(stream_ids, await asyncio.gather(*map(outcome, stream_ids)), strict=True))


def record(user: Any, outcomes: Mapping[str, str], *, were_all: bool = False) -> None:
    """Record who cancelled what, in the admin's history and in the log. Synchronous ORM.

    Args:
        outcomes: of `cancel_all`. What ended by itself, or could not be cancelled, is left out.
        were_all: whether all that ran were cancelled: one entry then, instead of one for each.
    """
    ids = [stream_id for stream_id, outcome in outcomes.items() if outcome == CANCELLED]
    if not ids:
        return
    if were_all:
        LogEntry.objects.create(
            user_id=user.pk,
            content_type=ContentType.objects.get_for_model(Stream),
            object_repr="All running answers",
            action_flag=CHANGE,
            change_message=f"{streams_were(len(ids))} cancelled.",
        )
    else:
        rows: Any = Stream.objects.filter(pk__in=ids).only("id", "block_type")
        LogEntry.objects.log_actions(user.pk, rows, CHANGE, change_message="Cancelled.")
    logger.info("User %s cancelled %d streams.", user.pk, len(ids))


def report(request: HttpRequest, outcomes: Mapping[str, str], *, ended_before: int = 0) -> None:
    """Tell the admin what `cancel_all` did.

    Args:
        ended_before: how many more of the chosen streams had ended already.
    """
    cancelled = sum(outcome == CANCELLED for outcome in outcomes.values())
    ended_before += sum(outcome == ENDED for outcome in outcomes.values())
    level = messages.SUCCESS if cancelled else messages.INFO
    messages.add_message(request, level, f"{streams_were(cancelled)} cancelled.")
    if ended_before:
        messages.info(request, f"{ended_before} had already ended.")
    refused: dict[str, list[str]] = defaultdict(list)
    for stream_id, outcome in outcomes.items():
        if outcome not in (CANCELLED, ENDED):
            refused[outcome].append(stream_id)
    for reason, named in refused.items():
        messages.error(request, f"{streams_were(len(named), named)} not cancelled: {reason}")


def find_running() -> list[str]:
    """Return the ids of the streams that have not ended. Synchronous ORM."""
    unended = Stream.objects.filter(ended_at__isnull=True).order_by()
    return list(unended.values_list("pk", flat=True))


def streams_are(count: int) -> str:
    """`2 streams are`: the beginning of a sentence."""
    return f"{count} stream is" if count == 1 else f"{count} streams are"


def streams_were(count: int, names: Collection[str] = ()) -> str:
    """`2 streams (a, b) were`: the beginning of a message."""
    named = list(names)[:NAMED_AT_MOST]
    if len(names) > len(named):
        named.append("…")
    listed = f" ({', '.join(named)})" if named else ""
    return f"{count} stream{listed} was" if count == 1 else f"{count} streams{listed} were"
