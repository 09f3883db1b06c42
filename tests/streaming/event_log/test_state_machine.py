"""Log, lease and cancel driven at random, in memory and in Redis, against one simple model."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from streaming.event_log.base import (
    EventLog,
    LogEnded,
    OutOfOrder,
    StreamNotFound,
)
from streaming.event_log.memory import MemoryEventLog
from streaming.event_log.redis.log import LEASE_SECONDS
from streaming.protocol import events
from tests.contracts.event_log_contract import KEEP_SECONDS
from tests.support.faults.redis_server import REDIS_BINARIES, RedisServer, running_redis
from tests.support.sizes import sized
from tests.support.streaming.log_model import Model, Watcher
from tests.support.streaming.log_reader import Reader, chunk
from tests.support.streaming.redis_logs import ProcessLog, RedisClock

GENERATORS = 3
STREAMS = 2  # that exist at a time; few, so that each gets many operations
NEVER = -1  # an epoch that no log has issued
LAST = GENERATORS  # the last lease holder
RUNS = settings(
    max_examples=sized(30, 60),
    stateful_step_count=40,
    deadline=None,
    print_blob=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

# Shrinking a failure would take minutes, because each wait for a missing event takes seconds.
REDIS_RUNS = settings(RUNS, phases=[Phase.generate])

_numbers = itertools.count(1)


class LogMachine(RuleBasedStateMachine):
    """The rules. A subclass supplies the logs: generator `n` uses `logs[n % len(logs)]`."""

    leases_run_out: ClassVar[bool]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.cancels: list[tuple[str, str]] = []
        self.streams: list[Model] = []
        self.logs = self.run(self.make_logs())

    async def make_logs(self) -> list[EventLog]:
        raise NotImplementedError

    async def let_leases_run_out(self) -> None:
        raise NotImplementedError

    def run(self, work: Awaitable[Any]) -> Any:
        async def bounded() -> Any:
            async with asyncio.timeout(20):
                return await work

        return self.runner.run(bounded())

    def on_cancel(self, stream_id: str, by: str) -> None:
        self.cancels.append((stream_id, by))

    def log(self, which: int) -> EventLog:
        return self.logs[which % len(self.logs)]

    def stream(self, which: int) -> Model:
        """Return one of the newest streams, or the successor of an older one."""
        return self.streams[-1 - which % min(len(self.streams), STREAMS + 1)]

    def asked(self, which: int, generator: int) -> tuple[Model, int]:
        """Return a stream and one of its generators, usually the lease holder."""
        stream = self.stream(which)
        if generator == LAST:
            generator = next((g for g, e in stream.epochs.items() if e == stream.newest), 0)
        return stream, generator

    # --- rules ----------------------------------------------------------------

    generators = st.integers(0, GENERATORS - 1)
    mostly_the_last = st.sampled_from([LAST, LAST, LAST, *range(GENERATORS)])
    faults = st.sampled_from(["none", "none", "none", "gap", "repeat", "hole", "early end"])
    which = st.integers(0, 9)

    @initialize(holders=st.lists(generators, min_size=STREAMS, max_size=STREAMS))
    def begin(self, holders: list[int]) -> None:
        """Create streams with generators, and a subscriber on each side."""
        for holder in holders:
            self.begin_another(holder, after=-1)

    def begin_another(self, holder: int, after: int) -> None:
        self.open(holder, after)
        self.acquire(0, holder)
        for side in range(2):
            self.follow(0, side, place=1)

    def open(self, which: int, after: int) -> None:
        stream = Model(f"{next(_numbers):022}", after)
        self.run(self.log(which).open(stream.stream_id, after=after))
        self.streams.append(stream)

    @rule(which=which, side=which, after=st.integers(-1, 50))
    def open_again(self, which: int, side: int, after: int) -> None:
        stream = self.stream(which)
        if not stream.is_forgotten:
            self.run(self.log(side).open(stream.stream_id, after=after))

    @rule(which=which, generator=generators)
    def acquire(self, which: int, generator: int) -> None:
        stream = self.stream(which)
        acquiring = self.log(generator).acquire(stream.stream_id)
        if stream.is_forgotten or stream.terminal is not None:
            with pytest.raises(StreamNotFound if stream.is_forgotten else LogEnded):
                self.run(acquiring)
            return
        epoch = self.run(acquiring)
        if stream.holder is not None:
            assert epoch is None
        else:
            assert epoch > stream.newest
            stream.holder, stream.ran_out = generator, None
            stream.newest = stream.epochs[generator] = epoch

    @rule(which=which, generator=mostly_the_last, size=st.integers(1, 5), fault=faults)
    def append(self, which: int, generator: int, size: int, fault: str) -> None:
        """Append a batch that continues the log; some contain a fault, or the end."""
        stream, generator = self.asked(which, generator)
        begin = stream.last + 1
        if fault == "gap":
            begin += 1
        elif fault == "repeat":
            begin -= 1
        batch = [chunk(seq, f"{seq} by {generator}", stream.stream_id) for seq in
                 range(begin, begin + size)]  # fmt: skip
        if fault == "hole" and size > 2:
            del batch[1]
        elif fault == "end":
            batch[-1] = events.cancelled(stream.stream_id, begin + size - 1, by="owner")
        elif fault == "early end":
            batch[0] = events.cancelled(stream.stream_id, begin, by="admin")
        epoch = stream.epochs.get(generator, NEVER)
        refusals = stream.refusals(epoch, batch)
        appending = self.log(generator).append(stream.stream_id, epoch, batch)
        if refusals:
            with pytest.raises(tuple(refusals)):
                self.run(appending)
        else:
            self.run(appending)
            stream.events += batch
            if stream.terminal is not None:
                stream.holder = stream.ran_out = None

    @rule(which=which, sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4))
    def write(self, which: int, sizes: list[int]) -> None:
        """Append as a living generator usually does."""
        for size in sizes:
            self.append(which, LAST, size, fault="none")

    @rule(which=which, size=st.integers(1, 3), holder=generators)
    def end(self, which: int, size: int, holder: int) -> None:
        """End the stream and begin the next one."""
        self.append(which, LAST, size, fault="end")
        if self.stream(which).is_over:
            self.begin_another(holder, after=-1)

    @rule(which=which, generator=mostly_the_last)
    def renew(self, which: int, generator: int) -> None:
        stream, generator = self.asked(which, generator)
        epoch = stream.epochs.get(generator, NEVER)
        self.cancels.clear()
        is_held = self.run(self.log(generator).renew(stream.stream_id, epoch))
        assert is_held == (generator in (stream.holder, stream.ran_out))
        if is_held:
            stream.holder, stream.ran_out = generator, None
            assert ((stream.stream_id, stream.intent) in self.cancels) == (
                stream.intent is not None
            )

    @rule(which=which, generator=mostly_the_last)
    def release(self, which: int, generator: int) -> None:
        stream, generator = self.asked(which, generator)
        epoch = stream.epochs.get(generator, NEVER)
        self.run(self.log(generator).release(stream.stream_id, epoch))
        if generator in (stream.holder, stream.ran_out):
            stream.holder = stream.ran_out = None

    @rule(which=which)
    def lease_expires(self, which: int) -> None:
        """Let a silent generator's lease expire. In memory the generator releases it instead."""
        if self.leases_run_out:
            self.run(self.let_leases_run_out())
            for stream in self.streams:
                if stream.holder is not None:
                    stream.holder, stream.ran_out = None, stream.holder
        elif (holder := self.stream(which).holder) is not None:
            self.release(which, holder)

    @rule(which=which, side=which, by=st.sampled_from(["owner", "admin", "abandoned"]))
    def store_cancel(self, which: int, side: int, by: Any) -> None:
        stream = self.stream(which)
        asking = self.log(side).store_cancel(stream.stream_id, by)
        if stream.is_forgotten:
            with pytest.raises(StreamNotFound):
                self.run(asking)
            return
        if stream.terminal is None:
            stream.intent = stream.intent or by
        assert self.run(asking).cancel_intent == stream.intent

    @rule(which=which, side=which, place=st.integers(-2, 1_000))
    def follow(self, which: int, side: int, place: int) -> None:
        stream = self.stream(which)
        # Usually within the log, sometimes beyond either end.
        span = stream.last - stream.after + 1
        after = stream.after - 1 + place % (span + 2)
        reader = Reader()
        following = reader.follow(self.log(side), after=after, stream_id=stream.stream_id)
        if stream.is_forgotten or not stream.after <= after <= stream.last:
            with pytest.raises(StreamNotFound if stream.is_forgotten else OutOfOrder):
                self.run(following)
            return
        self.run(following)
        assert reader.events == stream.events[after - stream.after :]
        stream.watchers.append(Watcher(reader, after))

    @rule(which=which)
    def stop(self, which: int) -> None:
        watchers = [watcher for stream in self.streams for watcher in stream.watchers]
        watcher = watchers[which % len(watchers)]
        self.run(self._stop(watcher))
        watcher.is_stopped = True

    async def _stop(self, watcher: Watcher) -> None:
        watcher.reader.stop()

    @rule(which=which, side=which, after=st.sampled_from([-1, 41]))
    def forget(self, which: int, side: int, after: int) -> None:
        """Replace the subscriber."""
        stream = self.stream(which)
        self.run(self.log(side).forget(stream.stream_id))
        stream.is_forgotten = True
        stream.holder = stream.ran_out = None
        self.begin_another(side % GENERATORS, after)

    @rule(which=which, side=which)
    def look(self, which: int, side: int) -> None:
        """Check status and all events."""
        stream = self.stream(which)
        if stream.is_forgotten:
            for call in (self.log(side).status, self.log(side).read):
                with pytest.raises(StreamNotFound):
                    self.run(call(stream.stream_id))
            return
        status = self.run(self.log(side).status(stream.stream_id))
        assert (status.last, status.terminal) == (stream.last, stream.terminal)
        assert (status.epoch, status.is_held) == (stream.newest, stream.holder is not None)
        assert status.cancel_intent == stream.intent
        assert self.run(self.log(side).read(stream.stream_id)) == stream.events

    # --- invariants -------------------------------------------------------------

    @invariant()
    def what_was_delivered_is_a_part_of_the_log(self) -> None:
        for stream in self.streams:
            for watcher in stream.watchers:
                taken = watcher.reader.events
                begin = watcher.after - stream.after
                assert taken == stream.events[begin : begin + len(taken)]
                assert watcher.reader.gone <= 1

    def teardown(self) -> None:
        try:
            self.run(self._all_are_given_all())
            self.what_was_delivered_is_a_part_of_the_log()
        finally:
            self.run(self._close())
            self.runner.close()

    async def _all_are_given_all(self) -> None:
        for stream in self.streams:
            # A process renews its leases continually, and releases lost ones.
            for generator, epoch in stream.epochs.items():
                log = self.log(generator)
                if not await log.renew(stream.stream_id, epoch):
                    await log.release(stream.stream_id, epoch)
            for watcher in stream.watchers:
                if watcher.is_stopped:
                    continue
                reader = watcher.reader
                if stream.terminal is not None or not stream.is_forgotten:
                    if stream.last > watcher.after:
                        await reader.until(stream.last)
                else:
                    await reader.until_gone()
                assert reader.gone == (stream.is_forgotten and stream.terminal is None)

    async def _close(self) -> None:
        for log in self.logs:
            await log.aclose()


class MemoryMachine(LogMachine):
    leases_run_out = False

    async def make_logs(self) -> list[EventLog]:
        log = MemoryEventLog(keep_seconds=KEEP_SECONDS, now=lambda: 0.0)
        await log.begin(self.on_cancel)
        return [log]


class RedisMachine(LogMachine):
    leases_run_out = True
    server: ClassVar[RedisServer]

    async def make_logs(self) -> list[EventLog]:
        logs: list[EventLog] = [ProcessLog(self.server.url), ProcessLog(self.server.url)]
        for log in logs:
            await log.begin(self.on_cancel)
        return logs

    async def let_leases_run_out(self) -> None:
        await RedisClock(self.server.client()).advance(LEASE_SECONDS + 1)


@pytest.fixture(params=list(REDIS_BINARIES))
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    with running_redis(tmp_path / "redis", request.param) as started:
        yield started


def drive(machine: Callable[[], LogMachine], runs: settings) -> None:
    run_state_machine_as_test(machine, settings=runs)


def test_the_log_in_memory_is_as_the_model() -> None:
    drive(MemoryMachine, RUNS)


def test_the_log_in_redis_is_as_the_model_from_either_process(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RedisMachine, "server", server, raising=False)
    drive(RedisMachine, REDIS_RUNS)
