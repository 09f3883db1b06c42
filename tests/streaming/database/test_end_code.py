"""The column that says in a word how a stream ended: written with the end, and filled once."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from blocks.models import BlockType
from streaming.models import Stream
from streaming.process import Process
from tests.conftest import Play
from tests.support.streaming.admin import put
from tests.support.streaming.browser import Browser


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (["Hello"], "stop"),
        (["Hel", {"fail": "provider_interrupted"}], "provider_interrupted"),
        (["Hel", {"hang": True}], "owner"),
    ],
)
async def test_an_end_is_written_with_its_code(
    browser: Browser, block: BlockType, play: Play, process: Process, said: list[Any], code: str
) -> None:
    play(*said)
    reader = await browser.start()
    if code == "owner":
        await reader.text("Hel")
        await browser.cancel(reader.stream_id)
    await reader.end()
    await process.generations.saver.flush()
    assert (await Stream.objects.aget()).code == code


def test_the_migration_fills_it_in_batches_and_leaves_what_runs_alone(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    migration: Any = import_module("streaming.migrations.0015_fill_end_code")
    monkeypatch.setattr(migration, "BATCH_ROWS", 2)
    ends = [{"finish_reason": "length", "result": {"code": "x"}}, {"code": "internal"}]
    ends += [{"by": "abandoned"}] * 3
    rows = [put(terminal=end) for end in ends]
    running = put(status="running", ended_at=None)
    kept = put(terminal={"code": "internal"}, code="as it was")
    migration.fill_codes(apps, SimpleNamespace(connection=connection))
    codes = [Stream.objects.get(pk=row.pk).code for row in (*rows, running, kept)]
    assert codes == ["length", "internal", *["abandoned"] * 3, None, "as it was"]
