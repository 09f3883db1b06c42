"""The rows in a socket's greeting."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from streaming.database import store
from streaming.models import Stream


def put(number: int, **fields: Any) -> str:
    values = {
        "id": f"{number:022}",
        "owner": "user:1",
        "block_type": "tale",
        "model": "x",
        "prompt": "Why?",
        "status": "running",
        "mark": 9,
        "created_at": timezone.now() + timedelta(seconds=number),
        **fields,
    }
    return Stream.objects.create(**values).pk


def test_the_newest_running_streams_of_an_owner_are_found_up_to_a_bound(db: None) -> None:
    rows = [put(number) for number in range(5)]
    put(6, status="complete", ended_at=timezone.now())
    put(7, owner="user:2")
    assert [row.pk for row in store.find_running("user:1", None, 3)] == rows[:1:-1]


def test_those_that_wait_stand_among_them_and_a_session_narrows_them_down(db: None) -> None:
    first, second = put(1, session="a"), put(2, status="queued")
    assert [row.pk for row in store.find_running("user:1", None, 100)] == [second, first]
    assert [row.pk for row in store.find_running("user:1", "a", 100)] == [first]


def test_rows_that_have_ended_are_not_read(db: None) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL scans a table that is nearly empty")
    with CaptureQueriesContext(connection) as queries:
        store.find_running("user:1", None, 100)
    (query,) = queries
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + query["sql"])
        plan = str(cursor.fetchall())
    assert "stream_by_status (owner=? AND status=?)" in plan
    assert "TEMP B-TREE" not in plan
