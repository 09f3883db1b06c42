"""Substring search in prompts and answers, with bounded work per call.

Rows are read through an index, newest first, and compared in Python instead of in the database.
Python's substring search is linear for any input. Both databases then give the same results,
including case-insensitive matches beyond ASCII.

Source: specs/050-live-ai-interaction/decisions/016.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, QuerySet

from ..models import Stream

MAX_WORDS_CHARS = 100
WINDOW_ROWS = 1_000
WINDOW_CHARS = 2_000_000
"""Characters of prompts and answers per call. Each of the two bounds limits a call to ~50 ms."""

WINDOW_SECONDS = 1.0
"""Time limit for a slow database: the call ends after the batch that reaches it."""

BATCH_ROWS = 20

PAUSE_CHARS = 30_000
PAUSE_SECONDS = 0.0005
"""Sleep briefly after every `PAUSE_CHARS` characters, so that other threads get the GIL.

Otherwise they would wait 5 ms each time that they need it, several times per request."""


class Place(NamedTuple):
    """A row's position in the order of a history."""

    created_at: datetime
    stream_id: str


def rows_after(rows: QuerySet[Stream], place: Place) -> QuerySet[Stream]:
    """Return the rows that follow a place in the order of a history, through its index."""
    at, stream_id = place
    return rows.filter(
        Q(created_at__lt=at) | Q(created_at=at, id__lt=stream_id),
        created_at__lte=at,  # redundant, but in a form that an index can use
    )


class Found(NamedTuple):
    ids: list[str]  # in row order
    stopped_at: Place | None  # last compared row; None: no rows remain


def search(rows: QuerySet[Stream], words: str, *, at_most: int) -> Found:
    """Search the first rows for a prompt or text that contains the words, ignoring case.

    Args:
        rows: the rows in history order.
        at_most: maximum number of results.

    Returns:
        The matches within the bounds of one call, possibly none. The next call continues after
        `stopped_at`.
    """
    until = time.monotonic() + WINDOW_SECONDS
    places = [Place(*place) for place in rows.values_list("created_at", "id")[: WINDOW_ROWS + 1]]
    stopped_at = places[WINDOW_ROWS - 1] if len(places) > WINDOW_ROWS else None
    wanted = words.casefold()
    ids: list[str] = []
    chars = pause_at = 0
    for place, prompt, text in _read(places[:WINDOW_ROWS]):
        chars += len(prompt) + len(text)
        if wanted in prompt.casefold() or wanted in text.casefold():
            ids.append(place.stream_id)
        if len(ids) == at_most or chars > WINDOW_CHARS or time.monotonic() > until:
            stopped_at = None if place == places[-1] else place
            break
        if chars > pause_at:
            time.sleep(PAUSE_SECONDS)
            pause_at = chars + PAUSE_CHARS
    return Found(ids, stopped_at)


def _read(places: list[Place]) -> Iterator[tuple[Place, str, str]]:
    for start in range(0, len(places), BATCH_ROWS):
        batch = places[start : start + BATCH_ROWS]
        ids = [place.stream_id for place in batch]
        rows = Stream.objects.filter(pk__in=ids).order_by().values_list("id", "prompt", "text")
        texts = {stream_id: (prompt, text) for stream_id, prompt, text in rows}
        for place in batch:
            if place.stream_id in texts:  # absent if just deleted
                yield place, *texts[place.stream_id]
