"""Answers to count: one with its end, and a hundred thousand at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from streaming.models import Stream
from tests.support.streaming.admin import put

CODES = {"complete": "finish_reason", "error": "code", "cancelled": "by"}
"""The field of the last event that says how an answer ended, by its status."""


def answer(status: str = "complete", code: str = "stop", **fields: Any) -> Stream:
    """Create an answer that ended so, a minute ago by default; `running` has no end."""
    at: datetime = fields.pop("at", timezone.now() - timedelta(minutes=1))
    terminal = {"seq": 9, "type": status, "duration_ms": 3_000, CODES.get(status, ""): code}
    has_ended = status in CODES
    values = {
        "status": status,
        "terminal": terminal if has_ended else None,
        "code": code if has_ended else None,
        "created_at": at,
        "ended_at": at if has_ended else None,
        "ttft_ms": 1_000 if status == "complete" else None,
        "input_tokens": 10,
        "output_tokens": 40,
        **fields,
    }
    return put(**values)


def many(row: Stream, count: int) -> None:
    """Copy a row so often, with ids of their own and different times to a first token."""
    names = [field.column for field in Stream._meta.concrete_fields]
    changed = {"id": "'copy' || n", "ttft_ms": "n %% 5000"}
    columns = ", ".join(map(connection.ops.quote_name, names))
    values = ", ".join(changed.get(name, connection.ops.quote_name(name)) for name in names)
    table = Stream._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE numbers(n) AS"
            " (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s)"
            f" INSERT INTO {table} ({columns}) SELECT {values} FROM {table}, numbers WHERE id = %s",
            [count, row.pk],
        )
