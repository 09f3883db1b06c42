"""Hands streams to worker processes, by taskiq over a list in Redis.

Only ids travel, and a task is no more than a hint that a stream waits: the lease decides who
generates it, so one that comes twice does nothing, and one that is lost is found by the next look
of any worker (`recovery.py`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable

from taskiq.api import run_receiver_task
from taskiq_redis import ListQueueBroker

from ..event_log.base import LogUnavailable

logger = logging.getLogger(__name__)

LIMIT_SECONDS = 1.0
RETRY_SECONDS = 0.5

Generate = Callable[[str], Awaitable[None]]


class _Broker(ListQueueBroker):
    """Goes on listening when Redis was away: by itself it would try again without a pause."""

    async def listen(self) -> AsyncGenerator[bytes, None]:
        is_unreachable = False
        while True:
            try:
                async for message in super().listen():
                    is_unreachable = False
                    yield message
            except Exception as error:
                if not is_unreachable:
                    logger.warning("The queue can't be reached (%s).", type(error).__name__)
                is_unreachable = True
                await asyncio.sleep(RETRY_SECONDS)


async def _nowhere(stream_id: str) -> None:
    raise NotImplementedError("A worker generates; here streams are only handed over.")


class Queue:
    """The streams that wait for a worker.

    Args:
        url: of Redis.
        prefix: of this deployment's keys.
        generate: the worker's side: generates the stream with this id, until it ends here.
    """

    def __init__(self, url: str, *, prefix: str, generate: Generate = _nowhere) -> None:
        name = f"{prefix}:queue"
        # RESP 2: with 3 redis-py does not notice connections that died in a quiet moment.
        self._sender = ListQueueBroker(
            url, queue_name=name, socket_connect_timeout=LIMIT_SECONDS, protocol=2
        )
        # Without a limit of its own: a worker that waits for work would be cut off after seconds.
        self._receiver = _Broker(
            url,
            queue_name=name,
            socket_connect_timeout=LIMIT_SECONDS,
            socket_timeout=None,
            protocol=2,
        )
        self._send = self._sender.register_task(_nowhere, task_name="generate")

        async def take(stream_id: str) -> None:
            await generate(stream_id)

        self._receiver.register_task(take, task_name="generate")

    async def put(self, stream_id: str) -> None:
        """Have a worker generate a stream.

        Raises:
            LogUnavailable: Redis can't be reached.
        """
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                await self._send.kiq(stream_id)
        except Exception as error:
            raise LogUnavailable(type(error).__name__) from None

    async def work(self, *, at_most: int) -> None:
        """Take streams from the queue, so many at a time, until this is cancelled. What was taken
        goes on: generations are tasks of their own."""
        await run_receiver_task(
            self._receiver, max_async_tasks=at_most, max_prefetch=0, validate_params=False
        )

    async def aclose(self) -> None:
        await self._sender.shutdown()
        await self._receiver.shutdown()
