"""The contract of every event log (`streaming/event_log/base.py`).

A subclass provides two fixtures: `make_log`, a log that has begun with `on_cancel`, and `clock`.
The `advance` of the clock makes time pass for the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from streaming.event_log.base import (
    EventLog,
    LogEnded,
    OutOfOrder,
    StaleEpoch,
    StreamNotFound,
)
from streaming.protocol import events
from streaming.protocol.events import Event
from tests.support.streaming.log_reader import OTHER, STREAM, Reader, cancelled, chunk

KEEP_SECONDS = 60.0


class EventLogContract:
    clock: Any

    @pytest.fixture(autouse=True)
    def hears(self) -> None:
        self.cancels: list[tuple[str, str]] = []
        self.has_cancel = asyncio.Event()

    def on_cancel(self, stream_id: str, by: str) -> None:
        self.cancels.append((stream_id, by))
        self.has_cancel.set()

    @pytest.fixture
    async def log(self, make_log: EventLog) -> EventLog:
        await make_log.open(STREAM)
        return make_log

    @pytest.fixture
    async def epoch(self, log: EventLog) -> int:
        epoch = await log.acquire(STREAM)
        assert epoch is not None
        return epoch

    # --- opening, leases ------------------------------------------------------------

    async def test_an_unknown_stream_is_not_found(self, make_log: EventLog) -> None:
        for work in (
            make_log.status(OTHER),
            make_log.acquire(OTHER),
            make_log.append(OTHER, 1, [chunk(0, stream_id=OTHER)]),
            make_log.store_cancel(OTHER, "owner"),
            Reader().follow(make_log, stream_id=OTHER),
        ):
            with pytest.raises(StreamNotFound):
                await work
        assert not await make_log.renew(OTHER, 1)
        await make_log.release(OTHER, 1)
        await make_log.forget(OTHER)

    async def test_a_new_stream_holds_nothing(self, log: EventLog) -> None:
        status = await log.status(STREAM)
        assert (status.last, status.epoch, status.is_held) == (-1, 0, False)
        assert status.terminal is None
        assert status.cancel_intent is None

    async def test_opening_again_changes_nothing(self, log: EventLog, epoch: int) -> None:
        await log.append(STREAM, epoch, [chunk(0)])
        await log.open(STREAM)
        status = await log.status(STREAM)
        assert (status.last, status.epoch, status.is_held) == (0, epoch, True)

    async def test_a_log_may_begin_above_zero(self, make_log: EventLog) -> None:
        await make_log.open(STREAM, after=41)
        epoch = await make_log.acquire(STREAM)
        assert epoch is not None
        assert (await make_log.status(STREAM)).last == 41
        with pytest.raises(OutOfOrder):
            await make_log.append(STREAM, epoch, [chunk(0)])
        await make_log.append(STREAM, epoch, [chunk(42)])
        assert (await Reader().follow(make_log, after=41)).seqs == [42]
        with pytest.raises(OutOfOrder):
            await Reader().follow(make_log, after=40)

    async def test_one_generator_holds_the_lease_at_a_time(self, log: EventLog) -> None:
        epoch = await log.acquire(STREAM)
        assert epoch is not None
        assert await log.acquire(STREAM) is None
        assert await log.renew(STREAM, epoch)
        await log.release(STREAM, epoch)
        await log.release(STREAM, epoch)
        later = await log.acquire(STREAM)
        assert later is not None
        assert later > epoch

    async def test_many_leases_are_renewed_in_one_call(self, make_log: EventLog) -> None:
        leases = []
        for stream_id in (STREAM, OTHER):
            await make_log.open(stream_id)
            epoch = await make_log.acquire(stream_id)
            assert epoch is not None
            leases.append((stream_id, epoch))
        assert await make_log.renew_all(leases) == []
        assert await make_log.renew_all([]) == []
        stale = (STREAM, leases[0][1] - 1)
        unknown = ("nobody-opened-this-one", 1)
        await make_log.release(*leases[1])
        assert await make_log.renew_all([*leases, stale, unknown]) == [leases[1], stale, unknown]
        assert (await make_log.status(STREAM)).is_held

    async def test_a_writer_of_an_older_epoch_writes_nothing(
        self, log: EventLog, epoch: int
    ) -> None:
        await log.append(STREAM, epoch, [chunk(0)])
        await log.release(STREAM, epoch)
        later = await log.acquire(STREAM)
        assert later is not None
        with pytest.raises(StaleEpoch):
            await log.append(STREAM, epoch, [chunk(1)])
        assert not await log.renew(STREAM, epoch)
        await log.release(STREAM, epoch)  # this lease is no longer its own
        assert (await log.status(STREAM)).is_held
        await log.append(STREAM, later, [chunk(1)])

    # --- appending ------------------------------------------------------------------

    async def test_events_come_back_as_they_were_written(self, log: EventLog, epoch: int) -> None:
        written = [
            events.chunk(STREAM, 0, "a\u2028\n\\\"", "/questions/0/prompt"),
            events.item(STREAM, 1, "/questions/0", {"prompt": "é", "n": 1.5, "none": None}),
            events.item(STREAM, 2, "/questions/0", None),
            events.reset(STREAM, 3, "retry"),
            events.complete(
                STREAM, 4, finish_reason="stop", input_tokens=1, output_tokens=2, ttft_ms=None,
                duration_ms=3, result={"questions": []}, dropped={"duplicate": 1},
            ),
        ]  # fmt: skip
        await log.append(STREAM, epoch, written)
        assert (await Reader().follow(log)).events == written
        assert (await log.status(STREAM)).terminal == written[-1]

    @pytest.mark.parametrize(
        "batch",
        [
            [chunk(1)],
            [chunk(0), chunk(2)],
            [chunk(0), chunk(0)],
            [chunk(0), chunk(1, stream_id=OTHER)],
            [chunk(0), events.chunk(STREAM, 1, "y", "/path")],
        ],
    )
    async def test_a_batch_that_does_not_join_up_is_refused_whole(
        self, log: EventLog, epoch: int, batch: list[Event]
    ) -> None:
        with pytest.raises(OutOfOrder):
            await log.append(STREAM, epoch, batch)
        assert (await log.status(STREAM)).last == -1
        await log.append(STREAM, epoch, [chunk(0)])

    async def test_nothing_follows_the_terminal_event(self, log: EventLog, epoch: int) -> None:
        with pytest.raises(LogEnded):
            await log.append(STREAM, epoch, [chunk(0), cancelled(1), chunk(2)])
        assert (await log.status(STREAM)).last == -1
        await log.append(STREAM, epoch, [chunk(0), cancelled(1)])
        for event in (chunk(2), cancelled(2)):
            with pytest.raises(LogEnded):
                await log.append(STREAM, epoch, [event])
        with pytest.raises(LogEnded):
            await log.acquire(STREAM)
        assert not await log.renew(STREAM, epoch)
        assert (await log.status(STREAM)).terminal == cancelled(1)

    async def test_of_many_ends_at_once_one_is_written(self, log: EventLog, epoch: int) -> None:
        ends = [
            log.append(STREAM, epoch, [events.cancelled(STREAM, 0, by=by)])
            for by in ("owner", "admin", "abandoned", "owner")
        ]
        results = await asyncio.gather(*ends, return_exceptions=True)
        assert sum(result is None for result in results) == 1
        assert all(result is None or isinstance(result, LogEnded) for result in results)
        assert (await Reader().follow(log)).seqs == [0]

    # --- following ------------------------------------------------------------------

    async def test_a_follower_is_given_what_is_there_before_the_call_returns(
        self, log: EventLog, epoch: int
    ) -> None:
        await log.append(STREAM, epoch, [chunk(seq) for seq in range(5)])
        for after in range(-1, 5):
            reader = await Reader().follow(log, after=after)
            assert reader.seqs == list(range(after + 1, 5))

    @pytest.mark.parametrize("after", [-2, 5, 1_000])
    async def test_a_place_outside_of_the_log_is_out_of_order(
        self, log: EventLog, epoch: int, after: int
    ) -> None:
        await log.append(STREAM, epoch, [chunk(seq) for seq in range(5)])
        with pytest.raises(OutOfOrder):
            await Reader().follow(log, after=after)

    async def test_followers_from_any_place_get_each_event_once_to_the_end(
        self, log: EventLog, epoch: int
    ) -> None:
        readers = []
        for seq in range(50):
            readers.append(await Reader().follow(log, after=seq - 1))
            await log.append(STREAM, epoch, [chunk(seq)])
        await log.append(STREAM, epoch, [chunk(50), cancelled(51)])
        for start, reader in enumerate(readers):
            await reader.until(51)
            assert reader.seqs == list(range(start, 52))
            assert not reader.gone

    async def test_who_has_stopped_is_given_nothing_more(self, log: EventLog, epoch: int) -> None:
        stopped, other = await Reader().follow(log), await Reader().follow(log)
        await log.append(STREAM, epoch, [chunk(0)])
        await stopped.until(0)
        stopped.stop()
        stopped.stop()
        await log.append(STREAM, epoch, [chunk(1)])
        await other.until(1)
        assert stopped.seqs == [0]
        await log.forget(STREAM)
        await other.until_gone()
        assert not stopped.gone

    async def test_a_follower_may_stop_while_it_is_given_something(
        self, log: EventLog, epoch: int
    ) -> None:
        taken: list[int | None] = []

        def take(batch: Sequence[Event]) -> None:
            taken.extend(event.seq for event in batch)
            stop()

        stop = await log.subscribe(STREAM, take, on_gone=lambda: None)
        after = await Reader().follow(log)
        await log.append(STREAM, epoch, [chunk(0)])
        await log.append(STREAM, epoch, [chunk(1)])
        await after.until(1)
        assert taken == [0]

    # --- cancelling -----------------------------------------------------------------

    async def test_the_first_cancel_intent_wins(self, log: EventLog, epoch: int) -> None:
        assert (await log.store_cancel(STREAM, "admin")).cancel_intent == "admin"
        assert (await log.store_cancel(STREAM, "owner")).cancel_intent == "admin"
        await log.release(STREAM, epoch)
        await log.acquire(STREAM)
        assert (await log.status(STREAM)).cancel_intent == "admin"

    async def test_each_renewal_reports_a_stored_cancel_intent_again(
        self, log: EventLog, epoch: int
    ) -> None:
        await log.store_cancel(STREAM, "admin")
        for _ in range(2):
            async with asyncio.timeout(10):
                while (STREAM, "admin") not in self.cancels:
                    await self.has_cancel.wait()
            self.cancels.clear()
            self.has_cancel.clear()
            assert await log.renew(STREAM, epoch)
            assert (STREAM, "admin") in self.cancels
            self.cancels.clear()
            assert await log.renew_all([(STREAM, epoch)]) == []

    async def test_a_cancel_intent_after_the_end_changes_nothing(
        self, log: EventLog, epoch: int
    ) -> None:
        await log.append(STREAM, epoch, [cancelled(0)])
        status = await log.store_cancel(STREAM, "admin")
        assert status.terminal == cancelled(0)
        assert status.cancel_intent is None

    # --- watching ------------------------------------------------------------------

    async def test_it_is_known_for_how_long_nobody_has_watched(self, log: EventLog) -> None:
        await self.clock.advance(30)
        assert 30 <= (await log.status(STREAM)).unwatched_seconds < 40
        await log.mark_watched([STREAM, OTHER])
        assert (await log.status(STREAM)).unwatched_seconds < 10
        with pytest.raises(StreamNotFound):
            await log.status(OTHER)

    # --- forgetting -----------------------------------------------------------------

    async def test_a_dropped_log_is_not_found_and_its_subscribers_are_notified(
        self, log: EventLog, epoch: int
    ) -> None:
        reader = await Reader().follow(log)
        await log.append(STREAM, epoch, [chunk(0)])
        await reader.until(0)
        await log.forget(STREAM)
        await log.forget(STREAM)
        await reader.until_gone()
        assert reader.gone == 1
        with pytest.raises(StreamNotFound):
            await log.status(STREAM)

    async def test_an_ended_log_is_kept_for_its_time_and_a_running_one_for_ever(
        self, log: EventLog, epoch: int
    ) -> None:
        await log.open(OTHER)
        await log.append(STREAM, epoch, [cancelled(0)])
        await self.clock.advance(KEEP_SECONDS * 0.9)
        await log.sweep()
        assert (await Reader().follow(log)).seqs == [0]
        await self.clock.advance(KEEP_SECONDS * 0.2)
        await log.sweep()
        with pytest.raises(StreamNotFound):
            await log.status(STREAM)
        assert (await log.status(OTHER)).last == -1

    async def test_all_that_is_there_can_be_read(self, log: EventLog, epoch: int) -> None:
        assert await log.read(STREAM) == []
        written = [chunk(seq) for seq in range(700)]
        for begin in range(0, 700, 3):
            await log.append(STREAM, epoch, written[begin : begin + 3])
        assert await log.read(STREAM) == written
        assert (await Reader().follow(log)).events == written
        with pytest.raises(StreamNotFound):
            await log.read(OTHER)

    async def test_an_aside_reaches_whoever_follows_and_is_not_kept(
        self, log: EventLog, epoch: int
    ) -> None:
        early, gone = await Reader().follow(log), await Reader().follow(log)
        gone.stop()
        thinking = events.thinking(STREAM, since_ms=5)
        log.tell(STREAM, epoch, thinking, after=-1)
        await log.append(STREAM, epoch, [chunk(0)])
        late = await Reader().follow(log)
        log.tell(STREAM, epoch, thinking, after=-1)  # overtaken by the chunk
        log.tell(STREAM, epoch + 1, thinking, after=0)
        log.tell(STREAM, epoch, thinking, after=0)
        await log.append(STREAM, epoch, [cancelled(1)])
        log.tell(STREAM, epoch, thinking, after=1)
        for reader in (early, late):
            await reader.until(1)
        assert early.asides == [(thinking, []), (thinking, [0])]
        assert late.asides == [(thinking, [0])]
        assert gone.asides == []
        assert await log.read(STREAM) == [chunk(0), cancelled(1)]

    async def test_streams_do_not_see_each_other(self, log: EventLog, epoch: int) -> None:
        await log.open(OTHER)
        other_epoch = await log.acquire(OTHER)
        assert other_epoch is not None
        mine = await Reader().follow(log)
        others = await Reader().follow(log, stream_id=OTHER)
        await log.append(STREAM, epoch, [chunk(0, "mine")])
        await log.append(OTHER, other_epoch, [chunk(0, "theirs", OTHER), cancelled(1, OTHER)])
        await mine.until(0)
        await others.until(1)
        assert [event.fields["token"] for event in mine.events] == ["mine"]
        assert others.seqs == [0, 1]
        assert (await log.status(STREAM)).terminal is None
