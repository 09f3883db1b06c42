"""Running generations of one process, and the rows that they save."""

from __future__ import annotations

import asyncio
from typing import Any

from blocks.models import BlockType
from streaming.models import Stream
from streaming.process import Process
from streaming.watching.hub import Feed
from tests.support.streaming.dictated import DictatedProvider
from tests.support.streaming.viewing import reached, start


async def begin(process: Process, block: BlockType, model: DictatedProvider) -> Feed:
    """Start a stream that has said `The `, which its row contains."""
    feed = (await start(process, block)).feed
    model.say("The ")
    await reached(feed, 0)
    assert await process.generations.saver.flush()
    return feed


async def take_lease(process: Process, stream_id: str) -> int:
    """Take the lease like another process, once it has expired."""
    await process.log.release(stream_id, (await process.log.status(stream_id)).epoch)
    epoch = await process.log.acquire(stream_id)
    assert epoch is not None
    return epoch


async def until_idle(process: Process) -> None:
    """Wait until the process generates nothing."""
    async with asyncio.timeout(20):
        await process.generations.ended(20)
    assert process.manager.running == 0


async def all_rows() -> list[dict[str, Any]]:
    """Return the values of all rows, by id."""
    return [dict(values) async for values in Stream.objects.order_by("id").values()]
