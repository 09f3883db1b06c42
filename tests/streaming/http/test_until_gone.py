"""A response whose client leaves in the same moment in which the response is done."""

from __future__ import annotations

import asyncio
from typing import Any

from streaming.http.until_gone import Client


async def test_a_client_that_leaves_as_the_work_ends_is_no_error() -> None:
    moment, loop = asyncio.Event(), asyncio.get_running_loop()
    logged: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: logged.append(context))

    async def receive() -> Any:
        await moment.wait()
        return {"type": "http.disconnect"}

    async def work() -> None:
        await asyncio.sleep(0)  # `receive` waits first, and is told first
        await moment.wait()

    client = Client(receive, None)
    running = asyncio.create_task(client.unless_gone(work()))
    for _ in range(3):
        await asyncio.sleep(0)
    moment.set()
    await running
    await asyncio.sleep(0)
    assert client.is_gone and logged == []
