"""The log in a real Redis meets the contract."""

from __future__ import annotations

import pytest

from streaming.event_log.redis.log import RedisEventLog
from tests.contracts.event_log_contract import EventLogContract
from tests.streaming.event_log.conftest import MakeLog
from tests.support.streaming.redis_logs import RedisClock


class TestRedisEventLog(EventLogContract):
    @pytest.fixture
    async def make_log(self, make_log: MakeLog, clock: RedisClock) -> RedisEventLog:
        self.clock = clock
        return await make_log(on_cancel=self.on_cancel)
