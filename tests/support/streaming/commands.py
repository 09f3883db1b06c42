"""Commands of sockets that a test holds up, and what is heard when they are done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from streaming.process import Process
from tests.support.streaming.socket import Socket


class HeldCalls:
    """Method calls that wait for their release, and their highest number at a time."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *, only: str = ""
    ) -> None:
        self.may_go = asyncio.Event()
        self.now = self.most = self.calls = 0
        self._has_come = asyncio.Event()
        inner: Callable[..., Any] = getattr(owner, name)

        async def held(*args: Any, **kwargs: Any) -> Any:
            if only and only not in args:
                return await inner(*args, **kwargs)
            self.calls += 1
            self.now += 1
            self.most = max(self.most, self.now)
            self._has_come.set()
            try:
                await self.may_go.wait()
            finally:
                self.now -= 1
            return await inner(*args, **kwargs)

        monkeypatch.setattr(owner, name, held)

    async def until(self, count: int, process: Process) -> None:
        """Wait until this many calls wait, and all other commands have arrived."""
        async with asyncio.timeout(10):
            while self.now < count:
                self._has_come.clear()
                await self._has_come.wait()
        for _ in range(50):  # commands arrive one by one from this thread
            await process.asking.run(int)


async def heard_when_done(process: Process, socket: Socket) -> list[dict[str, Any]]:
    """Return everything received until no command is running."""
    heard = await socket.before_pong()
    async with asyncio.timeout(10):
        while len(process.turns):
            for _ in range(10):  # in step with the commands, which use this thread, too
                await process.asking.run(int)
            heard += await socket.before_pong()
    return heard + await socket.before_pong()
