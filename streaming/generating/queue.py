"""Hands streams to worker processes through taskiq, over a list in Redis.

A task carries only a stream id and is no more than a hint that the stream waits. The lease decides
which worker generates it, so a duplicate task does nothing. If a task is lost, the next recovery
scan of any worker finds its stream (`recovery.py`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable

from taskiq.api import run_receiver_task
from taskiq_redis import ListQueueBroker

from ..event_log.base import LogUnavailable
from ..loop.fair_timeout import fair_timeout
from ..loop.log_ids import of_stream

logger = logging.getLogger(__name__)

LIMIT_SECONDS = 1.0
RETRY_SECONDS = 0.5

Generate = Callable[[str], Awaitable[None]]


class _Broker(ListQueueBroker):
    """Keeps listening after Redis was unreachable; the base class would retry without a pause."""

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
    raise NotImplementedError("Only a worker generates; this process only enqueues streams.")


class Queue:
    """The queue of streams that wait for a worker.

    Args:
        url: of Redis.
        prefix: of this deployment's keys.
        generate: called in a worker with a stream id; returns when its generation here has ended.
    """

    def __init__(self, url: str, *, prefix: str, generate: Generate = _nowhere) -> None:
        name = f"{prefix}:queue"
        # RESP 2: with RESP 3, redis-py does not notice connections that died while idle.
        self._sender = ListQueueBroker(
            url, queue_name=name, socket_connect_timeout=LIMIT_SECONDS, protocol=2
        )
        # No socket timeout: it would disconnect an idle worker after seconds.
        self._receiver = _Broker(
            url,
            queue_name=name,
            socket_connect_timeout=LIMIT_SECONDS,
            socket_timeout=None,
            protocol=2,
        )
        self._send = self._sender.register_task(_nowhere, task_name="generate")

        async def take(stream_id: str) -> None:
            with of_stream(stream_id):
                await generate(stream_id)

        self._receiver.register_task(take, task_name="generate")

    async def put(self, stream_id: str) -> None:
        """Enqueue a stream for a worker.

        Raises:
            LogUnavailable: Redis can't be reached.
        """
        try:
            async with fair_timeout(LIMIT_SECONDS):
                await self._send.kiq(stream_id)
        except Exception as error:
            raise LogUnavailable(type(error).__name__) from None

    async def work(self, *, at_most: int) -> None:
        """Take streams from the queue until cancelled, at most `at_most` at a time.

        Cancelling does not stop running generations: those are separate tasks.
        """
        await run_receiver_task(
            self._receiver, max_async_tasks=at_most, max_prefetch=0, validate_params=False
        )

    async def aclose(self) -> None:
        await self._sender.shutdown()
        await self._receiver.shutdown()
