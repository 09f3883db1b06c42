"""Reading a visitor's history, page by page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime

from django.db.models import Q

from ..errors import Refused
from ..models import STATUSES, Stream

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
MAX_WORDS_CHARS = 1000
"""SQLite refuses patterns of 50,000 bytes with an error of its own."""


def read_history(owner: str, query: Mapping[str, str]) -> tuple[list[Stream], str | None]:
    """One page of the owner's streams, newest first, and the cursor of the next page.

    Args:
        query: `cursor`, `limit`, `status`, `block_type`, `q`; all optional.

    Raises:
        Refused: `invalid_input`, `invalid_cursor`.
    """
    limit = _limit(query.get("limit"))
    rows = Stream.objects.filter(owner=owner)
    if status := query.get("status"):
        if status not in STATUSES:
            raise Refused("invalid_input", f"status: one of {', '.join(STATUSES)}.", field="status")
        rows = rows.filter(status=status)
    if block_type := _text(query, "block_type"):
        rows = rows.filter(block_type=block_type)
    if words := _text(query, "q"):
        rows = rows.filter(Q(prompt__icontains=words) | Q(text__icontains=words))
    if cursor := query.get("cursor"):
        created_at, stream_id = _read_cursor(cursor)
        rows = rows.filter(
            Q(created_at__lt=created_at) | Q(created_at=created_at, id__lt=stream_id)
        )
    page = list(rows[: limit + 1])
    following = _write_cursor(page[limit - 1]) if len(page) > limit else None
    return page[:limit], following


def _limit(value: str | None) -> int:
    if value is None:
        return DEFAULT_LIMIT
    if not (
        len(value) <= 3 and value.isascii() and value.isdigit() and 1 <= int(value) <= MAX_LIMIT
    ):
        raise Refused("invalid_input", f"limit: 1 to {MAX_LIMIT}.", field="limit")
    return int(value)


def _text(query: Mapping[str, str], name: str) -> str:
    value = query.get(name, "")
    if "\0" in value:  # PostgreSQL refuses it with an error of its own
        raise Refused("invalid_input", f"{name}: may not hold NUL.", field=name)
    if len(value) > MAX_WORDS_CHARS:
        raise Refused(
            "invalid_input", f"{name}: at most {MAX_WORDS_CHARS:,} characters.", field=name
        )
    return value


def _write_cursor(row: Stream) -> str:
    text = f"{row.created_at.isoformat()} {row.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        created_at, stream_id = base64.urlsafe_b64decode(padded).decode().split(" ")
        at = datetime.fromisoformat(created_at)
        if at.tzinfo is None or "\0" in stream_id:
            raise ValueError
        return at.astimezone(UTC), stream_id
    except (ValueError, OverflowError, binascii.Error):
        raise Refused("invalid_cursor", "cursor: take it from `next` of the page before.") from None
