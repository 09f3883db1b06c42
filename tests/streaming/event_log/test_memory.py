from __future__ import annotations

import pytest

from streaming.event_log import memory
from streaming.event_log.base import EventLog, StreamNotFound
from streaming.event_log.memory import MemoryEventLog
from tests.contracts.event_log_contract import KEEP_SECONDS, EventLogContract, cancelled


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    async def advance(self, seconds: float) -> None:
        self.now += seconds


class TestMemoryEventLog(EventLogContract):
    @pytest.fixture
    async def make_log(self) -> EventLog:
        self.clock = clock = Clock()
        log = MemoryEventLog(keep_seconds=KEEP_SECONDS, now=lambda: clock.now)
        await log.begin(self.hear)
        return log

    async def test_only_so_many_ended_streams_are_kept(
        self, make_log: EventLog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(memory, "ENDED_LOGS_AT_MOST", 3)
        names = [f"{number:022}" for number in range(5)]
        for name in names:
            await make_log.open(name)
            epoch = await make_log.acquire(name)
            assert epoch is not None
            await make_log.append(name, epoch, [cancelled(0, name)])
        await make_log.sweep()
        for name in names[:2]:
            with pytest.raises(StreamNotFound):
                await make_log.status(name)
        for name in names[2:]:
            assert (await make_log.status(name)).terminal is not None
