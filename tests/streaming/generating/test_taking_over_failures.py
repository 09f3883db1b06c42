"""Failed takeovers are retried, count once, and affect no other stream."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.utils import timezone

from blocks.models import BlockType
from liveai.log_formatter import LogFormatter
from liveai.log_lines import WITHHELD
from streaming.event_log.base import LogUnavailable, StreamNotFound
from streaming.generating import recovery
from streaming.generating.recovery import AT_ONCE
from streaming.models import ServerProcess, Stream
from streaming.process import Process
from streaming.protocol import events
from tests.conftest import Play
from tests.support.streaming.leaving import (
    SharedLog,
    chunks,
    leave,
    look,
    watch,
)
from tests.support.streaming.viewing import VISITOR, reached, start


async def test_one_that_can_t_be_taken_up_does_not_hold_up_the_others(
    process: Process, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caplog.handler, "formatter", LogFormatter())
    asked: list[str] = []

    async def take_up(stream_id: str) -> None:
        asked.append(stream_id)
        if len(asked) == 1:
            raise ValueError("a row that makes no sense")

    await process.recovery.look(lambda running: ["a", "b", "c"], take_up)
    assert sorted(asked) == ["a", "b", "c"]
    assert f" stream_id={asked[0]} ERROR " in caplog.text
    assert "could not be taken over" in caplog.text
    assert f"ValueError: {WITHHELD}" in caplog.text


async def test_with_the_log_away_the_next_look_tries_again(process: Process) -> None:
    asked: list[str] = []

    async def take_up(stream_id: str) -> None:
        asked.append(stream_id)
        raise LogUnavailable

    left = [f"{number:022}" for number in range(10 * AT_ONCE)]
    await process.recovery.look(lambda running: left, take_up)
    assert len(asked) == AT_ONCE
    await process.recovery.look(lambda running: left, take_up)
    assert len(asked) == 2 * AT_ONCE


async def test_a_death_is_counted_once_however_often_the_stream_could_not_be_begun(
    log: SharedLog, process: Process, block: BlockType, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    play("The sky ", "is blue")
    row = await leave(block)
    await log.put(row.id, *chunks(row, 0, "The ", "sky "))
    with monkeypatch.context() as patch:

        def fail(slug: str) -> Any:
            raise OperationalError("the database is locked")

        patch.setattr(recovery, "_spec_of", fail)
        for _ in range(recovery.RECOVERIES_AT_MOST + 1):
            await look(process)
    await look(process)
    tape = await watch(process, row)
    assert tape.terminal is not None
    assert (tape.terminal["type"], tape.text) == ("complete", "The sky is blue")
    await row.arefresh_from_db()
    assert row.recoveries == 1


async def test_a_try_that_failed_does_not_make_believe_that_nothing_is_missing(
    log: SharedLog, process: Process, block: BlockType, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = play("The sky is blue")
    row = await leave(block)
    await log.put(row.id, after=20)  # nobody knows the events from 2 to 20
    with monkeypatch.context() as patch:

        def fail(stream_id: str) -> Any:
            raise OperationalError("the database is locked")

        patch.setattr(recovery, "_spec_of", fail)
        await look(process)
    await look(process)
    tape = await watch(process, row)
    assert "reset" in tape.types or tape.types[1] == "snapshot"
    assert tape.text == "The sky is blue"
    assert [request.so_far for request in provider.requests] == [""]


async def test_who_comes_after_an_outage_takes_nothing_from_the_living(
    log: SharedLog, process: Process, block: BlockType, play: Play
) -> None:
    """No process could send a heartbeat or renew a lease, and the holders return a moment later."""
    play("The ", {"hang": True})
    feed = (await start(process, block)).feed
    await reached(feed, 0)
    assert await process.generations.saver.flush()
    await ServerProcess.objects.aupdate(beat_at=timezone.now() - timedelta(seconds=60))
    await log.release(feed.stream_id, (await log.status(feed.stream_id)).epoch)  # it expired
    other = await Process.begin()
    try:
        assert len(other.generations) == 0
    finally:
        await other.aclose()


async def test_a_row_that_has_its_end_but_not_the_time_of_it_is_not_generated_again(
    log: SharedLog, process: Process, block: BlockType, play: Play
) -> None:
    provider = play("never asked")
    row = await leave(block)
    end = events.cancelled(row.id, 2, by="owner")
    await Stream.objects.aupdate(status="cancelled", seq=2, terminal=end.to_dict())
    await look(process)
    await row.arefresh_from_db()
    assert row.ended_at is not None
    assert (row.status, row.recoveries, provider.calls_started) == ("cancelled", 0, 0)
    assert (await watch(process, row)).terminal == end.to_dict()


async def test_a_stream_that_was_deleted_meanwhile_leaves_nothing(
    log: SharedLog, process: Process, block: BlockType, play: Play
) -> None:
    provider = play("never asked")
    row = await leave(block)
    await log.put(row.id, *chunks(row, 0, "The ", "sky "))
    # In another process: this one receives no signal.
    await sync_to_async(Stream.objects.all()._raw_delete)("default")
    await process.recovery.take_over(row.id)
    with pytest.raises(StreamNotFound):
        await log.status(row.id)
    await process.recovery.take_over("never heard of")
    assert process.manager.running == provider.calls_started == 0


async def test_what_could_not_be_taken_up_keeps_no_lease(
    log: SharedLog, process: Process, block: BlockType, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    play("The sky ", {"hang": True})
    row = await leave(block)
    await log.put(row.id, *chunks(row, 0, "The ", "sky "))
    with monkeypatch.context() as patch:

        async def fail(stream_id: str) -> Any:
            raise LogUnavailable

        patch.setattr(log, "read", fail)
        with pytest.raises(LogUnavailable):
            await process.recovery.take_over(row.id)
    assert not (await log.status(row.id)).is_held
    await look(process)
    feed = await process.manager.watch(row.id, VISITOR.owner)
    await reached(feed, 1)
    assert (await log.status(row.id)).is_held
    assert await ServerProcess.objects.acount() == 1
