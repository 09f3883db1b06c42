"""Reads a visitor's history, page by page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime

from django.db.models import QuerySet

from ..database.search import MAX_WORDS_CHARS, Place, rows_after, search
from ..database.time_limit import statement_limit
from ..errors import Refused
from ..models import STATUSES, Stream
from .request_threads import is_on_lane
from .search_lanes import SEARCH

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
PAGE_CHARS = 500_000
"""Characters of prompts and texts on one page. A page may hold fewer than `limit` rows for this."""

MAX_BLOCK_TYPE_CHARS = 60
READING_SECONDS = 2.0


def read_history(owner: str, query: Mapping[str, str]) -> tuple[list[Stream], str | None]:
    """Read one page of the owner's streams, newest first.

    With `q`, one call searches a bounded piece of the history. So a page may hold fewer than
    `limit` streams, or none, and still have a next page.

    Args:
        query: `cursor`, `limit`, `status`, `block_type`, `q`; all optional.

    Returns:
        The page, and the cursor of the next one, or None if this is the last.

    Raises:
        Refused: `invalid_input`, `invalid_cursor`; `over_capacity`: the database took too long.
    """
    limit = _limit(query.get("limit"))
    rows = Stream.objects.filter(owner=owner)
    if status := query.get("status"):
        if status not in STATUSES:
            raise Refused("invalid_input", f"status: one of {', '.join(STATUSES)}.", field="status")
        rows = rows.filter(status=status)
    if block_type := _text(query, "block_type", at_most=MAX_BLOCK_TYPE_CHARS):
        rows = rows.filter(block_type=block_type)
    words = _text(query, "q", at_most=MAX_WORDS_CHARS)
    if words and not is_on_lane(SEARCH):
        # A search that bypassed its lane must not hold a thread that serves all other requests.
        raise Refused("over_capacity", retry_after_seconds=2)
    if cursor := query.get("cursor"):
        rows = rows_after(rows, _read_cursor(cursor))
    with statement_limit(READING_SECONDS):
        return _searched(rows, words, limit) if words else _page(rows, limit)


def _page(rows: QuerySet[Stream], limit: int) -> tuple[list[Stream], str | None]:
    found = list(rows[: limit + 1])
    page = _bounded(found[:limit])
    if len(page) == len(found):
        return page, None
    return page, _write_cursor(Place(page[-1].created_at, page[-1].id))


def _searched(rows: QuerySet[Stream], words: str, limit: int) -> tuple[list[Stream], str | None]:
    found = search(rows, words, at_most=limit)
    by_id = Stream.objects.in_bulk(found.ids)
    rows_found = [by_id[stream_id] for stream_id in found.ids if stream_id in by_id]
    page = _bounded(rows_found)
    if len(page) < len(rows_found):
        return page, _write_cursor(Place(page[-1].created_at, page[-1].id))
    return page, None if found.stopped_at is None else _write_cursor(found.stopped_at)


def _bounded(rows: list[Stream]) -> list[Stream]:
    """Return the first rows, at least one, that fit into a response of bounded size."""
    chars = 0
    for count, row in enumerate(rows, start=1):
        chars += len(row.prompt) + len(row.text)
        if chars >= PAGE_CHARS:
            return rows[:count]
    return rows


def _limit(value: str | None) -> int:
    if value is None:
        return DEFAULT_LIMIT
    if not (
        len(value) <= 3 and value.isascii() and value.isdigit() and 1 <= int(value) <= MAX_LIMIT
    ):
        raise Refused("invalid_input", f"limit: 1 to {MAX_LIMIT}.", field="limit")
    return int(value)


def _text(query: Mapping[str, str], name: str, *, at_most: int) -> str:
    value = query.get(name, "")
    if "\0" in value:  # PostgreSQL would reject it with its own error
        raise Refused("invalid_input", f"{name}: must not contain NUL.", field=name)
    if len(value) > at_most:
        raise Refused("invalid_input", f"{name}: at most {at_most} characters.", field=name)
    return value


def _write_cursor(last: Place) -> str:
    text = f"{last.created_at.isoformat()} {last.stream_id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> Place:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        created_at, stream_id = base64.urlsafe_b64decode(padded).decode().split(" ")
        at = datetime.fromisoformat(created_at)
        if at.tzinfo is None or "\0" in stream_id:
            raise ValueError
        return Place(at.astimezone(UTC), stream_id)
    except (ValueError, OverflowError, binascii.Error):
        raise Refused("invalid_cursor", "cursor: use `next` of the previous page.") from None
