"""Looking for words in prompts and answers: a bounded piece of work for each call.

The rows are read by an index, newest first, and compared here instead of in the database: Python
looks for a text in linear time whatever the two are, and both databases find the same, in capital
letters beyond ASCII too. Source: specs/050-live-ai-interaction/decisions/016.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from ..models import Stream

MAX_WORDS_CHARS = 100
WINDOW_ROWS = 1_000
WINDOW_CHARS = 2_000_000
"""Of prompts and answers, read by one call. With either bound a call takes some 50 ms."""

WINDOW_SECONDS = 1.0
"""For a database that is slow: the call ends after the batch in which this was reached."""

BATCH_ROWS = 20

PAUSE_CHARS = 30_000
PAUSE_SECONDS = 0.0005
"""After so many characters other threads get the interpreter: without this they would wait 5 ms
each time that they need it, several times in each request."""


class Place(NamedTuple):
    """Where a row stands in the order of a history."""

    created_at: datetime
    stream_id: str


class Found(NamedTuple):
    ids: list[str]  # in the order of the rows
    stopped_at: Place | None  # the last row that was compared; None: there are no further ones


def search(rows: QuerySet[Stream], words: str, *, at_most: int) -> Found:
    """Look through the first rows for those whose prompt or text holds the words, in any case.

    Args:
        rows: in the order of a history.
        at_most: how many to find.

    Returns:
        What was found within the bounds of one call, perhaps nothing; `stopped_at` is where the
        next call goes on.
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
            if place.stream_id in texts:  # else it was deleted just now
                yield place, *texts[place.stream_id]
