"""Rows of a visitor's history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from streaming.access.sessions import SESSION_KEY, SessionStore
from streaming.database.store import new_stream_id
from streaming.models import Stream
from tests.support.streaming.browser import Browser

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


async def owner_of(browser: Browser) -> str:
    session = SessionStore(browser.cookies["sessionid"])
    if user_id := await session.aget("_auth_user_id"):
        return f"user:{user_id}"
    return f"anonymous:{await session.aget(SESSION_KEY)}"


def ended(stream_id: str, number: int, owner: str, **fields: Any) -> Stream:
    at = NOON + timedelta(minutes=number)
    terminal = {
        "type": "complete",
        "stream_id": stream_id,
        "seq": 1,
        "finish_reason": "stop",
        "usage": {"input_tokens": 1, "output_tokens": 2},
        "ttft_ms": 5,
        "duration_ms": 9,
    }
    values = {
        "prompt": f"question {number}",
        "text": f"answer {number}",
        "block_type": "tale",
        "model": "x",
        "status": "complete",
        "terminal": terminal,
        "seq": 1,
        "mark": 9,
        "created_at": at,
        "ended_at": at,
        "input_tokens": 1,
        "output_tokens": 2,
        **fields,
    }
    return Stream(id=stream_id, owner=owner, **values)


async def put_many(owner: str, count: int, **fields: Any) -> list[str]:
    """Create the rows of ended answers; return their ids, the newest first."""
    rows = [ended(new_stream_id(), number, owner, **fields) for number in range(count)]
    await Stream.objects.abulk_create(rows)
    return [row.pk for row in reversed(rows)]


async def left() -> set[str]:
    return {pk async for pk in Stream.objects.values_list("pk", flat=True)}
