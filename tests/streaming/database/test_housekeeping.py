"""Deletion of old data, in batches."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models.signals import post_delete
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from blocks.models import BlockType
from streaming.database import batches
from streaming.database.housekeeping import clear_intents, clear_reads, clear_sessions, tidy
from streaming.database.old_answers import OldAnswers
from streaming.database.store import new_stream_id
from streaming.event_log.base import StreamNotFound
from streaming.models import CancelIntent, ListRead, Stream, TranscriptRead
from streaming.process import Process
from tests.conftest import Play
from tests.support.streaming.browser import Browser

Clear = Callable[[], bool]


def clear_streams() -> bool:
    """Make the first step of a pass. With one plan, every step is like the first."""
    return OldAnswers().delete_some()


def put_stream(*, days: float | None, **fields: Any) -> Stream:
    """Create the row of a stream that ended this many days ago; None: it runs."""
    at = timezone.now() - timedelta(days=days or 0)
    values = {
        "id": new_stream_id(),
        "owner": "user:1",
        "block_type": "tale",
        "model": "x",
        "prompt": "Why?",
        "mark": 9,
        "created_at": at,
        "ended_at": None if days is None else at,
        **fields,
    }
    return Stream.objects.create(**values)


def put_session(*, days: float) -> str:
    session = SessionStore()
    session["a"] = 1
    session.set_expiry(timezone.now() + timedelta(days=days))
    session.save()
    return str(session.session_key)


def put_intent(*, seconds: float) -> CancelIntent:
    at = timezone.now() - timedelta(seconds=seconds)
    return CancelIntent.objects.create(owner="a", request_id=new_stream_id(), created_at=at)


def test_expired_sessions_go_and_others_stay(db: None) -> None:
    put_session(days=-1)
    kept = put_session(days=1)
    assert clear_sessions() is False
    assert [session.pk for session in Session.objects.all()] == [kept]


def test_sessions_of_an_engine_without_rows_are_cleared_its_own_way(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleared: list[bool] = []
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.file"
    monkeypatch.setattr(
        "django.contrib.sessions.backends.file.SessionStore.clear_expired",
        lambda: cleared.append(True),
    )
    assert clear_sessions() is False
    assert cleared == [True]


def test_old_cancel_intents_are_deleted_and_recent_ones_stay(db: None) -> None:
    put_intent(seconds=61)
    kept = put_intent(seconds=30)
    assert clear_intents() is False
    assert list(CancelIntent.objects.all()) == [kept]


def test_streams_go_so_many_days_after_their_end_and_running_ones_never(
    db: None, settings: Any
) -> None:
    settings.STREAM_RETENTION_DAYS = 30.0
    put_stream(days=31)
    long_ago = timezone.now() - timedelta(days=400)
    kept = [
        put_stream(days=29),
        put_stream(days=29, created_at=long_ago),
        put_stream(days=None, created_at=long_ago, status="running"),
        put_stream(days=None, created_at=long_ago),
    ]
    assert clear_streams() is False
    assert {row.pk for row in Stream.objects.all()} == {row.pk for row in kept}


def test_without_a_retention_every_stream_stays(db: None, settings: Any) -> None:
    settings.STREAM_RETENTION_DAYS = 0.0
    put_stream(days=4000)
    assert clear_streams() is False
    assert Stream.objects.count() == 1


def put_reads(*, days: float) -> tuple[TranscriptRead, ListRead]:
    at = timezone.now() - timedelta(days=days)
    return (
        TranscriptRead.objects.create(at=at, reader="root", stream_id="x", owner="user:1"),
        ListRead.objects.create(at=at, reader="root", what="search"),
    )


def test_records_of_what_staff_read_go_after_their_own_time(db: None, settings: Any) -> None:
    settings.STREAM_RETENTION_DAYS = 1.0
    settings.AUDIT_RETENTION_DAYS = 10.0
    put_reads(days=11)
    kept = put_reads(days=9)
    assert clear_reads() is False
    assert (TranscriptRead.objects.get(), ListRead.objects.get()) == kept
    settings.AUDIT_RETENTION_DAYS = 0.0
    put_reads(days=4000)
    assert clear_reads() is False
    assert (TranscriptRead.objects.count(), ListRead.objects.count()) == (2, 2)


def test_each_kind_of_records_has_its_batches(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUDIT_RETENTION_DAYS = 10.0
    monkeypatch.setattr(batches, "BATCH_ROWS", 2)
    for _ in range(3):
        put_reads(days=11)
    TranscriptRead.objects.all().delete()
    assert clear_reads() is True
    assert (clear_reads(), ListRead.objects.count()) == (False, 0)


def put_old(clear: Clear) -> None:
    if clear is clear_intents:
        put_intent(seconds=100)
    elif clear is clear_sessions:
        put_session(days=-1)
    else:
        put_stream(days=100)


@pytest.mark.parametrize("clear", [clear_intents, clear_sessions, clear_streams])
def test_rows_are_deleted_in_batches_and_the_rest_is_reported(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch, clear: Clear
) -> None:
    settings.STREAM_RETENTION_DAYS = 30.0
    monkeypatch.setattr(batches, "BATCH_ROWS", 3)
    model = {clear_intents: CancelIntent, clear_sessions: Session, clear_streams: Stream}[clear]
    for _ in range(7):
        put_old(clear)
    left = []
    while clear():
        left.append(model.objects.count())
    assert left == [4, 1]
    assert model.objects.count() == 0


def test_a_batch_reads_no_text_of_the_streams(db: None, settings: Any) -> None:
    settings.STREAM_RETENTION_DAYS = 30.0
    put_stream(days=31, text="a long answer")
    post_delete.connect(_hear, sender=Stream)
    try:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            clear_streams()
    finally:
        post_delete.disconnect(_hear, sender=Stream)
    assert Stream.objects.count() == 0
    assert not [query for query in queries if '"text"' in query["sql"]]


def _hear(**_: Any) -> None:
    """Receive a signal, so that Django reads the rows that it deletes."""


@pytest.mark.parametrize(
    ("rows", "index"),
    [
        (lambda now: Stream.objects.filter(ended_at__lt=now).order_by("ended_at"), "stream_end"),
        (
            lambda now: Session.objects.filter(expire_date__lt=now).order_by("expire_date"),
            "django_session_expire_date",
        ),
    ],
    ids=["streams", "sessions"],
)
def test_what_is_old_is_found_by_an_index(db: None, rows: Callable[[Any], Any], index: str) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL scans a table that is nearly empty")
    assert index in rows(timezone.now()).values("pk").explain()


async def test_all_that_is_old_goes_in_one_round(
    process: Process, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STREAM_RETENTION_DAYS = 30.0
    monkeypatch.setattr(batches, "BATCH_ROWS", 2)
    monkeypatch.setattr(batches, "PAUSE_SECONDS", 0.0)
    for clear in (clear_intents, clear_sessions, clear_streams):
        for _ in range(5):
            await process.keeping.run(put_old, clear)
    await tidy(process.keeping)
    for model in (CancelIntent, Session, Stream):
        assert await model.objects.acount() == 0


async def test_a_stream_that_goes_leaves_the_hub_and_the_log(
    process: Process, browser: Browser, block: BlockType, play: Play, settings: Any
) -> None:
    settings.STREAM_RETENTION_DAYS = 1.0
    play("Hello")
    old = await browser.start()
    await old.end()
    play("Hello", {"hang": True})
    running = await browser.start()
    await running.text("Hello")
    long_ago = timezone.now() - timedelta(days=2)
    await Stream.objects.filter(pk=old.stream_id).aupdate(created_at=long_ago, ended_at=long_ago)
    await Stream.objects.filter(pk=running.stream_id).aupdate(created_at=long_ago)
    await tidy(process.keeping)
    (await browser.call("GET", f"/api/streams/{old.stream_id}")).problem("not_found")
    assert process.hub.find(old.stream_id) is None
    with pytest.raises(StreamNotFound):
        await process.log.status(old.stream_id)
    assert (await browser.resource(running.stream_id))["status"] == "running"
    await browser.cancel(running.stream_id)
