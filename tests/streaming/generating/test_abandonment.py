"""Cancels of streams that nobody watches in any process.

They happen if the block says so, or if other streams need the place.
"""

from __future__ import annotations

import time

import pytest
from django.contrib.auth.models import User

from streaming.access.visitor import Visitor
from streaming.admission.capacity import Capacity
from streaming.event_log.base import LogStatus, LogUnavailable
from streaming.generating.abandonment import WATCHED_SECONDS
from streaming.process import Process
from streaming.watching.hub import Feed
from tests.conftest import MakeBlock, Play, StartProcess, scripted
from tests.support.streaming.leaving import share_log
from tests.support.streaming.redis_logs import eventually
from tests.support.streaming.viewing import VISITOR, reached, read, start

SOON, LATE = 50.0, 70.0  # before and after abandonment: 60 s without viewers


@pytest.fixture
def later(process: Process, monkeypatch: pytest.MonkeyPatch) -> LaterClock:
    return LaterClock(process, monkeypatch)


class LaterClock:
    """`later(50)` advances the time for the checks and the log."""

    def __init__(self, process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
        self._process = process
        self._monkeypatch = monkeypatch

    def __call__(self, seconds: float) -> None:
        def now() -> float:
            return time.monotonic() + seconds

        self._monkeypatch.setattr(self._process.abandonment, "_now", now)
        self._monkeypatch.setattr(self._process.log, "_now", now)


async def is_intended(process: Process, feed: Feed) -> bool:
    """Whether a cancel intent exists for the stream."""
    return (await process.log.status(feed.stream_id)).cancel_intent is not None


@pytest.mark.parametrize("rule", ["cancel", "continue"])
async def test_a_stream_that_nobody_watches_is_cancelled_if_its_block_says_so(
    process: Process, make_block: MakeBlock, play: Play, later: LaterClock, rule: str
) -> None:
    provider = play("The ", {"hang": True})
    feed = (await start(process, await make_block(on_abandon=rule))).feed
    await reached(feed, 0)
    later(SOON)
    await process.abandonment.look()
    assert not await is_intended(process, feed)
    later(LATE)
    await process.abandonment.look()
    if rule == "continue":
        assert not await is_intended(process, feed)
        assert provider.calls_open == 1
        return
    tape = await read(process, feed)
    assert tape.terminal is not None
    assert (tape.terminal["type"], tape.terminal["by"]) == ("cancelled", "abandoned")
    assert provider.calls_open == 0


@pytest.mark.parametrize(
    ("limits", "is_cancelled"),
    [
        ({"STREAM_MAX_RUNNING": 4}, True),
        ({"STREAM_MAX_RUNNING": 5}, False),
        ({"STREAM_MAX_RUNNING": 6, "LIMIT_ANONYMOUS_SHARE": 50}, True),
        ({"STREAM_MAX_RUNNING": 8, "LIMIT_ANONYMOUS_SHARE": 50}, False),
    ],
)
async def test_when_places_are_short_anonymous_streams_are_cancelled_whatever_their_block_says(
    start_process: StartProcess,
    make_block: MakeBlock,
    monkeypatch: pytest.MonkeyPatch,
    limits: dict[str, int],
    *,
    is_cancelled: bool,
) -> None:
    process = await start_process(**limits)
    process.providers.use("scripted:x", scripted("The ", {"hang": True}))
    block, later = await make_block(on_abandon="continue"), LaterClock(process, monkeypatch)
    feeds = [(await start(process, block)).feed for _ in range(3)]
    for feed in feeds:
        await reached(feed, 0)
    with feeds[0].watched(process.connections.open().bell):
        later(SOON)
        await process.abandonment.look()
        assert not any([await is_intended(process, feed) for feed in feeds])
        later(LATE)
        await process.abandonment.look()
        assert not await is_intended(process, feeds[0])  # it is watched
        if not is_cancelled:
            assert not any([await is_intended(process, feed) for feed in feeds])
            return
        for feed in feeds[1:]:
            tape = await read(process, feed)
            assert tape.terminal is not None
            assert (tape.terminal["type"], tape.terminal["by"]) == ("cancelled", "abandoned")


async def test_places_are_short_while_a_stream_waits_for_the_share_of_its_address(
    start_process: StartProcess, make_block: MakeBlock
) -> None:
    process = await start_process(
        STREAM_MAX_RUNNING=8, STREAM_MAX_WAITING=8, LIMIT_ANONYMOUS_SHARE_PER_ADDRESS=20
    )
    process.providers.use("scripted:x", scripted("The ", {"hang": True}))
    block, capacity = await make_block(), Capacity(8)
    school = Visitor("anonymous:a", None, "a", "203.0.113.7")
    first = (await start(process, block, visitor=school)).feed
    await reached(first, 0)
    assert not process.generations.is_short(capacity)
    await start(process, block, visitor=school)
    await eventually(lambda: process.generations.waiting == 1)
    assert process.generations.is_short(capacity)


async def test_streams_of_the_signed_in_go_on_unwatched_when_places_are_short(
    start_process: StartProcess, make_block: MakeBlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = await start_process(STREAM_MAX_RUNNING=1)
    process.providers.use("scripted:x", scripted("The ", {"hang": True}))
    block, later = await make_block(on_abandon="continue"), LaterClock(process, monkeypatch)
    ada = await User.objects.acreate(username="ada")
    feed = (await start(process, block, user_id=ada.pk)).feed
    await reached(feed, 0)
    later(LATE)
    await process.abandonment.look()
    assert not await is_intended(process, feed)


async def test_a_stream_that_somebody_watches_here_is_not_abandoned(
    process: Process, make_block: MakeBlock, play: Play, later: LaterClock
) -> None:
    provider = play("The ", {"hang": True})
    feed = (await start(process, await make_block(on_abandon="cancel"))).feed
    await reached(feed, 0)
    with feed.watched(process.connections.open().bell):
        later(LATE)
        await process.abandonment.look()
        assert not await is_intended(process, feed)
        assert provider.calls_open == 1


async def test_a_stream_that_only_another_process_watches_is_not_abandoned(
    start_process: StartProcess, make_block: MakeBlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    share_log(monkeypatch)
    process, other = await start_process(), await Process.begin()
    try:
        provider = scripted("The ", {"hang": True})
        process.providers.use("scripted:x", provider)
        later = LaterClock(process, monkeypatch)  # both processes share the log
        started = await start(process, await make_block(on_abandon="cancel"))
        await reached(started.feed, 0)
        there = await other.manager.watch(started.feed.stream_id, VISITOR.owner)
        assert there is not started.feed
        with there.watched(other.connections.open().bell):
            later(LATE)
            await other.abandonment.mark_watched()
            await process.abandonment.look()
            assert not await is_intended(process, started.feed)
            assert provider.calls_open == 1
        await other.abandonment.mark_watched()  # there is no watcher left to report
        later(2 * LATE)
        await process.abandonment.look()
        tape = await read(process, started.feed)
        assert tape.terminal is not None
        assert tape.terminal["by"] == "abandoned"
    finally:
        await other.aclose()


async def test_a_viewer_that_comes_and_goes_elsewhere_counts_though_it_is_away_when_asked_for(
    start_process: StartProcess, make_block: MakeBlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tabs of a browser take turns, so a report every few seconds can miss every visit."""
    share_log(monkeypatch)
    process, other = await start_process(), await Process.begin()
    try:
        process.providers.use("scripted:x", scripted("The ", {"hang": True}))
        later = LaterClock(process, monkeypatch)
        started = await start(process, await make_block(on_abandon="cancel"))
        await reached(started.feed, 0)
        there = await other.manager.watch(started.feed.stream_id, VISITOR.owner)
        with there.watched(other.connections.open().bell):
            pass
        later(LATE)
        await other.abandonment.mark_watched()
        await process.abandonment.look()
        assert not await is_intended(process, started.feed)
    finally:
        await other.aclose()


async def test_after_an_outage_of_the_log_nothing_counts_as_abandoned_yet(
    start_process: StartProcess, make_block: MakeBlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = share_log(monkeypatch)
    process = await start_process()
    process.providers.use("scripted:x", scripted("The ", {"hang": True}))
    feed = (await start(process, await make_block(on_abandon="cancel"))).feed
    await reached(feed, 0)
    LaterClock(process, monkeypatch)(LATE)
    for log.steady_for in (0.0, WATCHED_SECONDS):
        await process.abandonment.look()
        assert not await is_intended(process, feed)
    log.steady_for = 2 * WATCHED_SECONDS
    await process.abandonment.look()
    assert await is_intended(process, feed)


async def test_an_unreachable_log_is_asked_once_and_not_for_each_stream(
    process: Process,
    make_block: MakeBlock,
    play: Play,
    later: LaterClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider = play("The ", {"hang": True})
    block = await make_block(on_abandon="cancel")
    for _ in range(3):
        await reached((await start(process, block)).feed, 0)
    later(LATE)
    asked = []

    async def be_away(stream_id: str) -> LogStatus:
        asked.append(stream_id)
        raise LogUnavailable

    monkeypatch.setattr(process.log, "status", be_away)
    await process.abandonment.look()
    assert len(asked) == 1
    assert provider.calls_open == 3
