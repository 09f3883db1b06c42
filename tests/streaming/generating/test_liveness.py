"""Streams of a dead process are found; those of a living process are not."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from streaming.database import store
from streaming.generating.liveness import DEAD_AFTER_SECONDS, Liveness
from streaming.metrics.counted import VIEWERS, viewers_now
from streaming.models import ServerProcess, Stream

pytestmark = pytest.mark.django_db


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def mine(tmp_path: Path) -> Any:
    """A process that has run long enough to judge others."""
    clock = Clock()
    liveness = Liveness(tmp_path, now=clock)
    liveness.begin()
    clock.seconds += DEAD_AFTER_SECONDS + 1
    liveness._beat_at = clock.seconds  # it has sent heartbeats all the time
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


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def test_overdue_is_what_nobody_took_up_or_was_cancelled_and_not_what_was_just_handed_over(
    settings: Any, mine: Liveness, other: Liveness
) -> None:
    settings.STREAM_DEADLINE_SECONDS = 600
    overdue = [
        add_row("", created_at=ago(601)),
        add_row("", created_at=ago(1_900), started_at=ago(1_201)),  # no worker remains
        add_row("a killed worker", created_at=ago(1_900), started_at=ago(1_201)),
        add_row("a killed worker", created_at=ago(9), started_at=ago(9), cancel_intent="admin"),
        add_row("", created_at=ago(9), cancel_intent="owner"),
    ]
    add_row("", created_at=ago(590))
    add_row("", created_at=ago(1_100), started_at=ago(560))  # its worker has just handed it over
    add_row("a killed worker", created_at=ago(590), started_at=ago(560))
    add_row(other.process_id, created_at=ago(3_000), started_at=ago(3_000))
    add_row(other.process_id, created_at=ago(9), cancel_intent="owner")  # which it carries out
    add_row("", created_at=ago(3_000), ended_at=ago(2_000))
    assert set(store.overdue(mine.find_orphans([]))) == {row.pk for row in overdue}
    assert store.overdue(mine.find_orphans([row.pk for row in overdue])) == []


def test_a_heartbeat_says_how_many_viewers_this_process_has(mine: Liveness) -> None:
    before = viewers_now()
    with VIEWERS.labels("sse").track_inprogress(), VIEWERS.labels("websocket").track_inprogress():
        mine.beat()
    assert ServerProcess.objects.get(pk=mine.process_id).viewers == before + 2
    mine.beat()
    assert ServerProcess.objects.get(pk=mine.process_id).viewers == before


def kill(process: Liveness) -> None:
    """Act like the operating system: the lock is released, the row stays."""
    assert process._lock is not None
    os.close(process._lock)
    process._lock = None


def rows() -> list[dict[str, Any]]:
    return list(Stream.objects.order_by("id").values())


def test_a_dead_process_s_streams_are_found_until_somebody_has_them(
    mine: Liveness, other: Liveness
) -> None:
    row = add_row(other.process_id)
    before = rows()
    assert mine.find_orphans([]) == []
    kill(other)
    assert mine.find_orphans([]) == [row.id]
    assert not ServerProcess.objects.filter(pk=other.process_id).exists()
    assert mine.find_orphans([]) == [row.id]  # of an unknown process
    assert rows() == before  # looking changes nothing
    Stream.objects.update(process=mine.process_id)
    assert mine.find_orphans([row.id]) == []


def test_the_oldest_is_found_first(mine: Liveness) -> None:
    now = timezone.now()
    ages = {
        seconds: add_row("", created_at=now - timedelta(seconds=seconds)) for seconds in (1, 9, 5)
    }
    assert mine.find_orphans([]) == [ages[seconds].id for seconds in (9, 5, 1)]


def test_a_living_process_s_streams_are_not_found(mine: Liveness, other: Liveness) -> None:
    add_row(other.process_id)
    own = add_row(mine.process_id)
    assert mine.find_orphans([own.id]) == []


def test_a_stream_of_this_process_that_does_not_run_here_is_found(mine: Liveness) -> None:
    running, forgotten = add_row(mine.process_id), add_row(mine.process_id)
    assert mine.find_orphans([running.id]) == [forgotten.id]


def test_a_stream_that_was_handed_over_is_found_at_once(mine: Liveness, other: Liveness) -> None:
    left = add_row("")
    assert mine.find_orphans([]) == [left.id]
    assert other.find_orphans([]) == [left.id]


def test_a_process_on_another_machine_is_dead_when_its_beat_is_old(mine: Liveness) -> None:
    left = {}
    for name, age in (("fresh", DEAD_AFTER_SECONDS - 3), ("old", DEAD_AFTER_SECONDS + 1)):
        beat = timezone.now() - timedelta(seconds=age)
        ServerProcess.objects.create(id=name, host="elsewhere", beat_at=beat)
        left[name] = add_row(name).id
    assert mine.find_orphans([]) == [left["old"]]


def test_a_process_whose_beat_is_old_is_dead_though_it_holds_its_lock(
    mine: Liveness, other: Liveness
) -> None:
    """The process hangs: others take over its streams, and the epoch keeps it from writing."""
    row = add_row(other.process_id)
    late = timezone.now() - timedelta(seconds=DEAD_AFTER_SECONDS + 1)
    ServerProcess.objects.filter(pk=other.process_id).update(beat_at=late)
    assert mine.find_orphans([]) == [row.id]


@pytest.mark.parametrize("ahead_seconds", [-300, 300])
def test_the_clock_of_another_machine_may_be_wrong(
    mine: Liveness, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ahead_seconds: int
) -> None:
    other = Liveness(tmp_path / "another disk")
    row = add_row(other.process_id)
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: ago(-ahead_seconds))
        other.begin()
    ServerProcess.objects.filter(pk=other.process_id).update(host="elsewhere")
    assert mine.find_orphans([]) == []
    late = F("beat_at") - timedelta(seconds=DEAD_AFTER_SECONDS + 1)
    ServerProcess.objects.filter(pk=other.process_id).update(beat_at=late)
    assert mine.find_orphans([]) == [row.id]
    other.end()


def test_while_nobody_could_beat_an_old_beat_says_nothing(tmp_path: Path) -> None:
    seconds = 1000.0
    mine = Liveness(tmp_path, now=lambda: seconds)
    mine.begin()
    late = timezone.now() - timedelta(seconds=DEAD_AFTER_SECONDS + 1)
    ServerProcess.objects.create(id="other", host="elsewhere", beat_at=late)
    row = add_row("other")
    seconds += DEAD_AFTER_SECONDS + 1  # first query after the database was unreachable
    assert mine.find_orphans([]) == []
    mine.beat()
    assert mine.find_orphans([]) == []
    for _ in range(3):
        seconds += DEAD_AFTER_SECONDS / 3
        mine.beat()
        assert mine.find_orphans([]) == []
    seconds += 0.1
    assert mine.find_orphans([]) == [row.id]  # the grace period has passed
    mine.end()


def test_a_new_process_lets_others_beat_first(tmp_path: Path) -> None:
    """Maybe no process could until now."""
    clock = Clock()
    mine = Liveness(tmp_path, now=clock)
    mine.begin()
    late = timezone.now() - timedelta(seconds=DEAD_AFTER_SECONDS + 1)
    ServerProcess.objects.create(id="other", host="elsewhere", beat_at=late)
    row = add_row("other")
    for _ in range(3):
        assert mine.find_orphans([]) == []
        clock.seconds += DEAD_AFTER_SECONDS / 3
        mine.beat()
    clock.seconds += 0.1
    assert mine.find_orphans([]) == [row.id]
    mine.end()


def test_a_lock_that_is_free_says_so_at_any_time(tmp_path: Path, other: Liveness) -> None:
    seconds = 1000.0
    mine = Liveness(tmp_path, now=lambda: seconds)
    mine.begin()
    row = add_row(other.process_id)
    kill(other)
    ServerProcess.objects.update(beat_at=timezone.now() - timedelta(seconds=60))
    seconds += 60
    assert mine.find_orphans([]) == [row.id]
    mine.end()


def test_ended_streams_are_no_orphans(mine: Liveness, other: Liveness) -> None:
    terminal = {"type": "cancelled", "stream_id": "x" * 22, "seq": 8, "by": "owner"}
    ended = {"status": "cancelled", "terminal": terminal, "ended_at": timezone.now(), "seq": 8}
    add_row(other.process_id, **ended)
    add_row("", **ended)
    kill(other)
    assert mine.find_orphans([]) == []


def test_a_process_that_leaves_in_order_leaves_nothing_behind(tmp_path: Path) -> None:
    liveness = Liveness(tmp_path)
    liveness.begin()
    assert ServerProcess.objects.count() == 1
    assert len(list(tmp_path.iterdir())) == 1
    liveness.end()
    liveness.end()
    assert ServerProcess.objects.count() == 0
    assert list(tmp_path.iterdir()) == []


def test_processes_that_share_a_database_and_no_redis_say_so_once(
    settings: Any, mine: Liveness, other: Liveness, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = ""
    for _ in range(3):
        mine.find_orphans([])
    (record,) = caplog.records
    assert record.levelname == "WARNING" and "REDIS_URL is empty" in record.getMessage()


@pytest.mark.parametrize("url", ["", "redis://localhost:6379/0"])
def test_a_process_is_quiet_about_dead_ones_and_about_those_that_redis_connects(
    settings: Any, mine: Liveness, other: Liveness, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    settings.REDIS_URL = url
    if not url:
        kill(other)
    mine.find_orphans([])
    assert caplog.records == []
