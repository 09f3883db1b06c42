"""A cancel of a stream whose worker hangs is carried out by any process, once its lease is over."""

from __future__ import annotations

from asgiref.sync import sync_to_async

from blocks.models import BlockType
from streaming.models import Stream
from streaming.process import Process
from tests.conftest import Play
from tests.support.streaming.leaving import SharedLog, chunks, leave, watch


async def test_a_cancel_outlives_a_worker_that_hangs(
    log: SharedLog, process: Process, block: BlockType, play: Play
) -> None:
    provider = play("never asked")
    row = await leave(block)
    await log.put(row.id, *chunks(row, 0, "The ", "sky "))
    epoch = await log.acquire(row.id)
    assert epoch is not None
    await process.manager.store_cancel(row.id, None, by="admin")
    assert (await Stream.objects.aget(pk=row.id)).cancel_intent == "admin"
    # What a web process may end while workers generate.
    assert await sync_to_async(process._find_overdue)(()) == [row.id]
    await process.recovery.take_over(row.id)
    assert (await Stream.objects.aget(pk=row.id)).ended_at is None  # the lease still holds
    await log.release(row.id, epoch)  # it has run out
    await process.recovery.look(process._find_overdue, process.recovery.take_over)
    tape = await watch(process, row)
    assert (tape.terminal["type"], tape.terminal["by"]) == ("cancelled", "admin")
    assert tape.text == "The sky "
    assert not provider.requests
