"""Faults around a save end no saver, and an answer without a row counts all the same."""

from __future__ import annotations

from typing import Any

import pytest

from blocks.models import BlockType
from streaming.database.rows import columns_of
from streaming.generating import saver as savers
from streaming.generating.end_signal import stream_ended
from streaming.metrics.counted import REGISTRY
from streaming.models import Stream
from streaming.process import Process
from tests.support.streaming.counting import ends_counted
from tests.support.streaming.dictated import DictatedProvider
from tests.support.streaming.viewing import reached, read, start


async def test_an_answer_whose_row_is_deleted_while_it_runs_counts_and_is_told_to_nobody(
    process: Process, block: BlockType, model: DictatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(stream_ended, "has_listeners", lambda sender: told.append("asked"))
    model.say("The ")
    started = await start(process, block)
    await reached(started.feed, 0)
    before = ends_counted()
    await Stream.objects.filter(pk=started.feed.stream_id).adelete()
    await process.generations.ended(10)
    assert ends_counted() == before + 1
    assert not told


async def test_a_fault_in_what_follows_a_save_or_in_the_save_itself_ends_no_saver(
    process: Process,
    block: BlockType,
    model: DictatedProvider,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(savers, "SAVE_SECONDS", 0.01)
    monkeypatch.setattr(savers, "END_WAITS_SECONDS", 20.0)
    failures = REGISTRY.get_sample_value("liveai_save_failures_total") or 0.0
    monkeypatch.setattr(process.generations.signals, "tell", fail)
    faults = iter([fail, fail])
    monkeypatch.setattr(savers, "columns_of", lambda *a, **k: next(faults, columns_of)(*a, **k))
    for number in range(2):
        model.say("The sky")
        model.finish()
        feed = (await start(process, block)).feed
        assert (await read(process, feed)).terminal
        await process.generations.ended(30)
        assert (await Stream.objects.aget(pk=feed.stream_id)).text == "The sky", number
    assert REGISTRY.get_sample_value("liveai_save_failures_total") == failures + 2
    assert caplog.text.count("Saving streams failed; retrying.") == 1
    assert caplog.text.count("Telling the end of stream") == 2
