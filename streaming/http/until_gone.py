"""Runs what is left of a response until its client is gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from .asgi_types import Message, Receive
from .lifeline import Lifeline

logger = logging.getLogger(__name__)


class Client:
    """The request's `receive`; remembers a disconnect, which some servers report only once."""

    __slots__ = ("_has_left", "_lifeline", "_receive")

    def __init__(self, receive: Receive, lifeline: Lifeline | None) -> None:
        self._receive = receive
        self._lifeline = lifeline
        self._has_left = False

    @property
    def is_gone(self) -> bool:
        return self._has_left or (self._lifeline is not None and self._lifeline.is_gone)

    async def receive(self) -> Message:
        message = await self._receive()
        self._has_left = self._has_left or message["type"] == "http.disconnect"
        return message

    async def unless_gone(self, work: Coroutine[Any, Any, None]) -> None:
        """Run the work, and cancel it as soon as the client disconnects."""
        loop = asyncio.get_running_loop()
        leaving = asyncio.timeout(None)
        is_working = True

        def leave(_: object) -> None:
            if is_working:  # the client may leave in the moment in which the work ends
                leaving.reschedule(loop.time())

        watching = loop.create_task(self._until_gone())
        try:
            async with leaving:
                watching.add_done_callback(leave)
                try:
                    await work
                finally:
                    is_working = False
        except TimeoutError:
            if not leaving.expired():
                raise
        except Exception as error:
            logger.debug("The client disconnected: %r", error)
        finally:
            watching.cancel()

    async def _until_gone(self) -> None:
        while not self._has_left:
            await self.receive()


async def run_on(lifeline: Lifeline, work: Coroutine[Any, Any, None]) -> None:
    """Run the work in the current task until the server tells that the client is gone."""
    task = asyncio.current_task()
    assert task is not None
    lifeline.on_gone = task.cancel
    lifeline.on_handed_over()
    try:
        await work
    except asyncio.CancelledError:
        if not lifeline.is_gone:
            raise
        task.uncancel()
    finally:
        lifeline.on_gone = None
