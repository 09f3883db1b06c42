"""Each subscriber receives only new events, even if they arrive late, twice or with gaps."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from streaming.event_log.redis.positions import PositionedSubscriber, PositionedSubscribers
from streaming.protocol.events import Event
from tests.support.streaming.log_reader import cancelled, chunk


class Taker(PositionedSubscriber):
    """A subscriber that keeps the events that it receives."""

    __slots__ = ("gone", "seqs")

    def __init__(self, after: int = -1) -> None:
        super().__init__(self._take, self._lose, after)
        self.seqs: list[int | None] = []
        self.gone = 0

    def _take(self, batch: Sequence[Event]) -> None:
        assert batch
        self.seqs += [event.seq for event in batch]

    def _lose(self) -> None:
        self.gone += 1


def subscribers_of(*members: PositionedSubscriber) -> PositionedSubscribers:
    subscribers = PositionedSubscribers()
    for member in members:
        subscribers.add(member)
    return subscribers


def offer(subscribers: PositionedSubscribers, *batch: Event) -> bool:
    """Whether no subscriber lacks earlier events."""
    goes_on = subscribers.offer(batch)
    assert goes_on is (not subscribers.has_gap and subscribers.members != ())
    return not subscribers.has_gap


def test_each_subscriber_receives_the_part_that_it_lacks() -> None:
    takers = [Taker(after) for after in range(-1, 5)]
    subscribers = subscribers_of(*takers)
    assert offer(subscribers, *map(chunk, range(4)))
    assert [taker.seqs for taker in takers] == [[0, 1, 2, 3], [1, 2, 3], [2, 3], [3], [], []]
    assert subscribers.after == 3  # the one that began at 4 lacks nothing


def test_a_subscriber_with_a_gap_receives_nothing_and_the_gap_is_reported() -> None:
    behind, level = Taker(0), Taker(2)
    subscribers = subscribers_of(behind, level)
    assert not offer(subscribers, chunk(3))
    assert (behind.seqs, level.seqs) == ([], [3])
    assert subscribers.after == 0
    assert offer(subscribers, *map(chunk, range(1, 4)))  # the repair
    assert (behind.seqs, level.seqs) == ([1, 2, 3], [3])


def test_batches_in_any_order_and_repeated_end_whole() -> None:
    pieces = [[chunk(0)], [chunk(1), chunk(2)], [chunk(3)], [chunk(4), cancelled(5)]]
    for order in itertools.permutations([*pieces, pieces[1]]):
        taker = Taker()
        subscribers = subscribers_of(taker)
        for piece in order:
            offer(subscribers, *piece)
        for piece in pieces:  # the log's final content
            offer(subscribers, *piece)
        assert taker.seqs == [0, 1, 2, 3, 4, 5]
        assert subscribers.members == ()


def test_a_batch_without_news_is_delivered_to_nobody() -> None:
    taker = Taker(5)
    assert offer(subscribers_of(taker), *map(chunk, range(2, 6)))
    assert taker.seqs == []


def test_the_end_removes_only_the_subscribers_that_have_it() -> None:
    done, behind = Taker(1), Taker(-1)
    subscribers = subscribers_of(done, behind)
    assert not offer(subscribers, cancelled(2))
    assert subscribers.members == (behind,)
    offer(subscribers, chunk(0), chunk(1), cancelled(2))
    assert subscribers.members == ()
    subscribers.gone()
    assert (done.gone, behind.gone) == (0, 0)


def test_the_newest_offered_seq_is_known() -> None:
    subscribers = PositionedSubscribers()
    assert subscribers.newest == -1
    offer(subscribers, chunk(4))
    offer(subscribers, chunk(2))
    assert subscribers.newest == 4


def test_a_removed_subscriber_receives_nothing_even_during_a_delivery() -> None:
    second = Taker()

    class Leaver(Taker):
        __slots__ = ()

        def _take(self, batch: Sequence[Event]) -> None:
            subscribers.remove(second)

    subscribers = subscribers_of(Leaver(), second)
    offer(subscribers, chunk(0))
    subscribers.gone()
    assert second.seqs == []
    assert second.gone == 0


def test_a_dropped_log_notifies_each_subscriber_once() -> None:
    taker = Taker()
    subscribers = subscribers_of(taker)
    subscribers.gone()
    subscribers.gone()
    assert taker.gone == 1
