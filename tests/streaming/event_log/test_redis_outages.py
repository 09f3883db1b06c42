"""A Redis that hangs, is killed, is full, or lost its scripts: prompt errors, no partial writes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from streaming.event_log.base import LogUnavailable, StreamNotFound
from streaming.event_log.redis.line import Line
from streaming.protocol.events import Event
from tests.streaming.event_log.conftest import MakeLog
from tests.support.faults.fault_proxy import Fault, FaultProxy
from tests.support.faults.redis_server import RedisServer
from tests.support.streaming.log_reader import OTHER, STREAM, Reader, cancelled, chunk
from tests.support.streaming.redis_logs import ProcessLog, chunks, eventually

LIMIT_SECONDS = 2.0

Call = Callable[[ProcessLog], Awaitable[object]]
CALLS: dict[str, Call] = {
    "open": lambda log: log.open(OTHER),
    "acquire": lambda log: log.acquire(OTHER),
    "renew": lambda log: log.renew(STREAM, 1),
    "status": lambda log: log.status(STREAM),
    "read": lambda log: log.read(STREAM),
    "store_cancel": lambda log: log.store_cancel(STREAM, "owner"),
    "follow": lambda log: Reader().follow(log),
}


class Stopwatch:
    """Measures a wait without the time for which the machine kept this process waiting."""

    seconds = 0.0

    async def __aenter__(self) -> Stopwatch:
        self._begun_at, self._stalled = time.monotonic(), 0.0
        self._measuring = asyncio.ensure_future(self._measure())
        return self

    async def __aexit__(self, *error: object) -> None:
        self.seconds = time.monotonic() - self._begun_at - self._stalled
        self._measuring.cancel()

    async def _measure(self) -> None:
        while True:
            at = time.monotonic()
            await asyncio.sleep(0.02)
            self._stalled += time.monotonic() - at - 0.02


async def patiently(call: Callable[[], Awaitable[object]]) -> object:
    """Retry until the log is reachable again."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await call()
            except LogUnavailable:
                await asyncio.sleep(0.02)


# --- hangs --------------------------------------------------------------------------


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("has_been_used", [False, True])
async def test_a_redis_that_hangs_is_unavailable_within_two_seconds(
    server: RedisServer, here: ProcessLog, make_log: MakeLog, call: str, *, has_been_used: bool
) -> None:
    await here.take()
    log = here if has_been_used else await make_log()
    if has_been_used:
        await log.read(STREAM)
    server.stop()
    async with Stopwatch() as watch:
        with pytest.raises(LogUnavailable):
            await CALLS[call](log)
    assert watch.seconds < LIMIT_SECONDS


async def test_a_process_that_stalls_longer_than_the_limit_reports_no_outage(
    here: ProcessLog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    epoch = await here.take()
    send = Line.send
    stalls = [0.4] * 3

    def send_and_stall(line: Line, data: bytes) -> None:
        send(line, data)
        if stalls:
            asyncio.get_running_loop().call_soon(
                time.sleep, stalls.pop()
            )  # Redis replies meanwhile

    monkeypatch.setattr(Line, "send", send_and_stall)
    monkeypatch.setattr(here._writes, "_limit_seconds", 0.2)
    for seq in range(5):
        await here.append(STREAM, epoch, [chunk(seq)])
    assert caplog.messages == []


async def test_while_redis_is_known_to_hang_nobody_waits_for_it(
    server: RedisServer, here: ProcessLog
) -> None:
    await here.take()
    await here.read(STREAM)
    server.stop()
    with pytest.raises(LogUnavailable):
        await here.status(STREAM)
    for call in CALLS.values():
        with pytest.raises(LogUnavailable):
            call(here).__await__().send(None)  # raises before it waits for anything


async def test_what_never_raises_does_not_hang_either(
    server: RedisServer, here: ProcessLog
) -> None:
    epoch = await here.take()
    server.stop()
    async with asyncio.timeout(20):
        await here.mark_watched([STREAM])
        await here.release(STREAM, epoch)
        await here.forget(STREAM)


@pytest.mark.parametrize("end", [False, True])
async def test_an_append_under_way_waits_and_is_written_once(
    server: RedisServer, here: ProcessLog, there: ProcessLog, *, end: bool
) -> None:
    epoch = await here.take()
    await here.append(STREAM, epoch, chunks(0, 2))
    readers = [await Reader().follow(log) for log in (here, there)]
    server.stop()
    batch: list[Event] = [cancelled(2)] if end else chunks(2, 5)
    appending = asyncio.ensure_future(here.append(STREAM, epoch, batch))
    # Its kernel has accepted the first attempt, which Redis runs when it continues; then comes the
    # next one.
    await asyncio.sleep(2.6)
    assert not appending.done()
    assert all(reader.seqs == [0, 1] for reader in readers)
    server.cont()
    await asyncio.wait_for(appending, 20)
    for reader in readers:
        await reader.until(batch[-1].seq or 0)
        assert reader.events == [*chunks(0, 2), *batch]
    assert await patiently(lambda: there.read(STREAM)) == [*chunks(0, 2), *batch]


async def test_all_goes_on_by_itself_after_a_hang(
    server: RedisServer, here: ProcessLog, there: ProcessLog
) -> None:
    epoch = await here.take()
    reader = await Reader().follow(there)
    server.stop()
    with pytest.raises(LogUnavailable):
        await there.status(STREAM)
    server.cont()
    await patiently(lambda: there.status(STREAM))
    await here.append(STREAM, epoch, [chunk(0)])
    await reader.until(0)
    late = Reader()
    await patiently(lambda: late.follow(there))
    await late.until(0)


# --- the answer is lost ----------------------------------------------------------------


@pytest.mark.parametrize("end", [False, True])
async def test_an_append_whose_answer_was_lost_is_written_once(
    server: RedisServer, make_log: MakeLog, there: ProcessLog, *, end: bool
) -> None:
    async with FaultProxy(server.port) as proxy:
        log = await make_log(f"redis://127.0.0.1:{proxy.port}/0")
        epoch = await log.take()
        await log.append(STREAM, epoch, chunks(0, 2))
        readers = [await Reader().follow(log) for log in (log, there)]
        for connection in proxy.connections:
            connection.set_fault(Fault(reset_after=0))  # at the first byte of a reply
        batch: list[Event] = [*chunks(2, 4), cancelled(4)] if end else chunks(2, 5)
        runs = spy(log)
        await asyncio.wait_for(log.append(STREAM, epoch, batch), 20)
        assert runs() == 2
        for reader in readers:
            await reader.until(4)
            assert reader.events == [*chunks(0, 2), *batch]
        assert await there.read(STREAM) == [*chunks(0, 2), *batch]
        if not end:
            await log.append(STREAM, epoch, [chunk(5)])


async def test_a_lease_whose_reply_was_lost_is_granted_to_the_retry(
    server: RedisServer, make_log: MakeLog, there: ProcessLog
) -> None:
    async with FaultProxy(server.port) as proxy:
        log = await make_log(f"redis://127.0.0.1:{proxy.port}/0")
        await log.open(STREAM)
        for connection in proxy.connections:
            connection.set_fault(Fault(reset_after=0))
        with pytest.raises(LogUnavailable):
            await log.acquire(STREAM)
        assert (await there.status(STREAM)).is_held
        assert await there.acquire(STREAM) is None
        epoch = await patiently(lambda: log.acquire(STREAM))
        assert epoch == (await there.status(STREAM)).epoch
        await log.append(STREAM, epoch, [chunk(0)])
        assert await log.acquire(STREAM) is None  # but only once


async def test_an_answer_lost_after_another_has_taken_over_is_no_repeat_either(
    server: RedisServer, make_log: MakeLog, there: ProcessLog
) -> None:
    async with FaultProxy(server.port) as proxy:
        log = await make_log(f"redis://127.0.0.1:{proxy.port}/0")
        epoch = await log.take()
        await log.append(STREAM, epoch, [chunk(0)])
        for connection in proxy.connections:
            connection.set_fault(Fault(reset_after=0))
        proxy.fault = Fault(is_black_hole=True)  # and can't retry for now
        appending = asyncio.ensure_future(log.append(STREAM, epoch, [chunk(1)]))
        await eventually(lambda: _has(there, 1))
        server.client().hset(f"test:{{{STREAM}}}", "until", 0)  # its lease has expired
        later = await there.acquire(STREAM)
        assert later is not None
        await there.append(STREAM, later, [chunk(2)])
        assert not appending.done()
        proxy.clear()
        await asyncio.wait_for(appending, 20)  # its own event is in the log: that is not an error
        assert await there.read(STREAM) == [chunk(0), chunk(1), chunk(2)]


def spy(log: ProcessLog) -> Callable[[], int]:
    """Count the attempts from now on."""
    run, count = log._run, 0

    async def counted(*args: object) -> object:
        nonlocal count
        count += 1
        return await run(*args)  # type: ignore[arg-type]

    log._run = counted  # type: ignore[method-assign]
    return lambda: count


async def _has(log: ProcessLog, last: int) -> bool:
    return (await log.status(STREAM)).last == last


# --- killed -----------------------------------------------------------------------------


async def test_a_redis_that_lost_everything_is_noticed_and_used_anew(
    server: RedisServer, here: ProcessLog, there: ProcessLog
) -> None:
    epoch = await here.take()
    await here.append(STREAM, epoch, chunks(0, 3))
    mine, theirs = await Reader().follow(here), await Reader().follow(there)
    server.restart_empty()
    with pytest.raises(StreamNotFound):
        await asyncio.wait_for(here.append(STREAM, epoch, [chunk(3)]), 20)
    await theirs.until_gone()
    await here.release(STREAM, epoch)
    await mine.until_gone()
    later = await here.take(STREAM, after=100)
    assert later > epoch
    readers = [await Reader().follow(log, after=100) for log in (here, there)]
    await here.append(STREAM, later, [*chunks(101, 103), cancelled(103)])
    for reader in readers:
        await reader.until(103)
        assert reader.seqs == [101, 102, 103]
    for reader in (mine, theirs):
        assert reader.gone == 1
        assert reader.seqs == [0, 1, 2]


async def test_the_first_who_asks_after_a_restart_is_answered(
    server: RedisServer, here: ProcessLog
) -> None:
    epoch = await here.take()
    await here.append(STREAM, epoch, [chunk(0)])
    await Reader().follow(here)
    server.restart_empty()
    await eventually(lambda: len(server.client().client_list(_type="pubsub")) == 1)
    await here.take(OTHER)
    await Reader().follow(here, stream_id=OTHER)


async def test_a_redis_that_is_not_there_is_no_error_at_the_beginning(
    server: RedisServer, make_log: MakeLog
) -> None:
    server.kill()
    try:
        log = await make_log()
        for call in ("open", "status", "follow"):
            with pytest.raises(LogUnavailable):
                await CALLS[call](log)
    finally:
        server.start()
    epoch = await patiently(lambda: log.take())
    assert isinstance(epoch, int)
    await log.append(STREAM, epoch, [chunk(0)])
    reader = Reader()
    await patiently(lambda: reader.follow(log))
    await reader.until(0)


# --- full -------------------------------------------------------------------------------


async def test_a_full_redis_takes_nothing_in_half(
    server: RedisServer, here: ProcessLog, there: ProcessLog
) -> None:
    epoch = await here.take()
    await here.append(STREAM, epoch, chunks(0, 2))
    readers = [await Reader().follow(log) for log in (here, there)]
    before = _all_of(server)
    server.fill()
    tries = spy(here)
    appending = asyncio.ensure_future(here.append(STREAM, epoch, [*chunks(2, 4), cancelled(4)]))
    with pytest.raises(LogUnavailable):
        await there.open(OTHER)
    await eventually(lambda: tries() >= 3)
    assert not appending.done()
    assert _all_of(server) == before
    assert (await there.status(STREAM)).last == 1  # existing events can be read
    assert await there.read(STREAM) == chunks(0, 2)
    assert all(reader.seqs == [0, 1] for reader in readers)
    server.unfill()
    await asyncio.wait_for(appending, 20)
    for reader in readers:
        await reader.until(4)
        assert reader.seqs == [0, 1, 2, 3, 4]
    await there.open(OTHER)


def _all_of(server: RedisServer) -> dict[str, object]:
    client = server.client()
    held: dict[str, object] = {}
    for key in client.scan_iter("test:*"):
        is_stream = client.type(key) == "stream"
        held[str(key)] = client.xrange(key) if is_stream else client.hgetall(key)
    return held


# --- without its scripts -------------------------------------------------------------------


@pytest.mark.parametrize("call", ["open", "acquire", "status", "follow", "read", "append"])
async def test_forgotten_scripts_are_brought_back_unnoticed(
    server: RedisServer, here: ProcessLog, call: str
) -> None:
    epoch = await here.take()
    await here.open(OTHER)
    await here.read(STREAM)
    server.client().script_flush()
    if call == "append":
        await here.append(STREAM, epoch, [chunk(0)])
    else:
        await CALLS[call](here)
