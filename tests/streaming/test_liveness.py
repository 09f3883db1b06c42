"""Rows of a process that died are closed with what they hold; a living one's are not touched."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from streaming.liveness import DEAD_AFTER_SECONDS, Liveness
from streaming.models import ServerProcess, Stream
from streaming.rows import window_of
from tests.contracts.schema import validate_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def mine(tmp_path: Path) -> Any:
    liveness = Liveness(tmp_path)
    liveness.begin()
    yield liveness
    liveness.end()


@pytest.fixture
def other(tmp_path: Path) -> Any:
    liveness = Liveness(tmp_path)
    liveness.begin()
    yield liveness
    liveness.end()


def add_row(process: str, **fields: Any) -> Stream:
    values = {
        "id": f"{Stream.objects.count():022}",
        "owner": "anonymous:a",
        "block_type": "tale",
        "model": "x",
        "prompt": "Why?",
        "status": "running",
        "text": "What was sa",
        "seq": 7,
        "mark": 99,
        "created_at": timezone.now(),
        **fields,
    }
    return Stream.objects.create(process=process, **values)


def kill(process: Liveness) -> None:
    """As the system does: its lock is let go of, its row stays."""
    assert process._lock is not None
    os.close(process._lock)
    process._lock = None


def test_a_dead_process_s_streams_end_as_lost_with_their_text(
    mine: Liveness, other: Liveness
) -> None:
    row = add_row(other.process_id, arriving={"/nodes/0/label": "Ri"})
    assert mine.close_lost() == 0
    kill(other)
    assert mine.close_lost() == 1
    row.refresh_from_db()
    assert (row.status, row.text) == ("error", "What was sa")
    assert row.terminal["code"] == "generator_lost"
    assert row.terminal["retryable"]
    assert row.terminal["seq"] == row.mark + 1  # above all that can have been delivered
    assert row.ended_at is not None
    assert row.arriving == {}
    validate_event(row.terminal)
    window = window_of(row)
    assert window.has_ended
    assert window.state.text == "What was sa"
    assert not ServerProcess.objects.filter(pk=other.process_id).exists()
    assert mine.close_lost() == 0


def test_a_stored_cancel_wins_over_the_loss(mine: Liveness, other: Liveness) -> None:
    row = add_row(other.process_id, cancel_wish="admin")
    kill(other)
    mine.close_lost()
    row.refresh_from_db()
    assert (row.status, row.terminal["by"]) == ("cancelled", "admin")


def test_a_living_process_s_rows_are_not_touched(mine: Liveness, other: Liveness) -> None:
    theirs, own = add_row(other.process_id), add_row(mine.process_id)
    before = list(Stream.objects.order_by("id").values())
    assert mine.close_lost() == 0
    assert list(Stream.objects.order_by("id").values()) == before
    assert {theirs.pk, own.pk} == {row["id"] for row in before}


def test_a_process_on_another_machine_is_dead_when_its_beat_is_old(mine: Liveness) -> None:
    for name, age in (("fresh", DEAD_AFTER_SECONDS - 3), ("old", DEAD_AFTER_SECONDS + 1)):
        beat = timezone.now() - timedelta(seconds=age)
        ServerProcess.objects.create(id=name, host="elsewhere", beat_at=beat)
        add_row(name)
    assert mine.close_lost() == 1
    assert list(Stream.objects.filter(ended_at__isnull=True).values_list("process", flat=True)) == [
        "fresh"
    ]


def test_a_row_of_a_process_that_nobody_knows_is_closed(mine: Liveness) -> None:
    add_row("never heard of")
    assert mine.close_lost() == 1


def test_ended_rows_stay_as_they_are(mine: Liveness, other: Liveness) -> None:
    terminal = {"type": "cancelled", "stream_id": "x" * 22, "seq": 8, "by": "owner"}
    add_row(other.process_id, status="cancelled", terminal=terminal, ended_at=timezone.now(), seq=8)
    kill(other)
    assert mine.close_lost() == 0
    assert Stream.objects.get().terminal == terminal


def test_a_process_that_leaves_in_order_leaves_nothing_behind(tmp_path: Path) -> None:
    liveness = Liveness(tmp_path)
    liveness.begin()
    assert ServerProcess.objects.count() == 1
    assert len(list(tmp_path.iterdir())) == 1
    liveness.end()
    liveness.end()
    assert ServerProcess.objects.count() == 0
    assert list(tmp_path.iterdir()) == []
