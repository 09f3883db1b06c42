"""A web process knows whether any worker is alive."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models import F

from blocks.models import BlockType
from streaming.errors import Refused
from streaming.generating.liveness import Liveness
from streaming.generating.worker_watch import PATIENCE_SECONDS, WorkerWatch, look_at_workers
from streaming.models import ServerProcess, Stream
from streaming.process import Process
from tests.conftest import Play
from tests.support.streaming.browser import Browser

TROUBLE = "the last answers failed: provider_timeout"


@pytest.mark.django_db
def test_workers_that_beat_are_counted_and_nobody_else(tmp_path: Path) -> None:
    web = Liveness(tmp_path)
    workers = [Liveness(tmp_path, is_worker=True) for _ in range(2)]
    for each in (web, *workers):
        each.begin()
    assert look_at_workers() == ["", ""]
    workers[1].model_trouble = TROUBLE
    workers[1].beat()
    silent = ServerProcess.objects.filter(pk=workers[0].process_id)
    silent.update(beat_at=F("beat_at") - timedelta(seconds=60))
    assert look_at_workers() == [TROUBLE]
    workers[1].end()
    assert look_at_workers() == []
    for each in (web, workers[0]):
        each.end()


def test_starts_wait_for_a_restart_and_are_refused_after_half_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = 0.0
    watch = WorkerWatch(now=lambda: clock)
    watch.note([])
    clock = PATIENCE_SECONDS - 1
    watch.note([])
    watch.require()
    assert not caplog.records
    clock = PATIENCE_SECONDS
    for _ in range(3):
        watch.note([])
    with pytest.raises(Refused) as refused:
        watch.require()
    assert (refused.value.code, refused.value.retry_after_seconds) == ("over_capacity", 10)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    watch.note([""])
    watch.require()
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2


async def test_a_start_without_workers_is_refused_and_leaves_nothing(
    browser: Browser, block: BlockType, play: Play, process: Process
) -> None:
    play("Hello")
    clock = 0.0
    process.manager._starter._workers = WorkerWatch(now=lambda: clock)
    clock = PATIENCE_SECONDS
    answer = await browser.call("POST", f"/api/stream/ai-block/{block.slug}", {"prompt": "Why?"})
    answer.problem("over_capacity")
    assert answer.headers["retry-after"] == "10"
    assert await Stream.objects.acount() == 0
