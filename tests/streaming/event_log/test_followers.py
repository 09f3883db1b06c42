"""Of news that comes late, twice or with a gap, each follower is given what is new to it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from streaming.event_log.redis.followers import Follower, Followers
from streaming.protocol.events import Event
from tests.contracts.event_log_contract import cancelled, chunk


class Taker(Follower):
    """A follower that keeps what it is given."""

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


def followers_of(*members: Follower) -> Followers:
    followers = Followers()
    for member in members:
        followers.add(member)
    return followers


def offer(followers: Followers, *batch: Event) -> bool:
    """Whether nobody lacks what comes before it."""
    goes_on = followers.offer(batch)
    assert goes_on is (not followers.has_gap and followers.members != ())
    return not followers.has_gap


def test_each_is_given_the_part_that_it_lacks() -> None:
    takers = [Taker(after) for after in range(-1, 5)]
    followers = followers_of(*takers)
    assert offer(followers, *map(chunk, range(4)))
    assert [taker.seqs for taker in takers] == [[0, 1, 2, 3], [1, 2, 3], [2, 3], [3], [], []]
    assert followers.after == 3  # the one that began at 4 lacks nothing


def test_who_lacks_what_comes_before_is_given_nothing_and_it_is_told() -> None:
    behind, level = Taker(0), Taker(2)
    followers = followers_of(behind, level)
    assert not offer(followers, chunk(3))
    assert (behind.seqs, level.seqs) == ([], [3])
    assert followers.after == 0
    assert offer(followers, *map(chunk, range(1, 4)))  # the repair
    assert (behind.seqs, level.seqs) == ([1, 2, 3], [3])


def test_any_order_and_any_repeats_of_the_batches_end_whole() -> None:
    pieces = [[chunk(0)], [chunk(1), chunk(2)], [chunk(3)], [chunk(4), cancelled(5)]]
    for order in itertools.permutations([*pieces, pieces[1]]):
        taker = Taker()
        followers = followers_of(taker)
        for piece in order:
            offer(followers, *piece)
        for piece in pieces:  # what the log gives in the end
            offer(followers, *piece)
        assert taker.seqs == [0, 1, 2, 3, 4, 5]
        assert followers.members == ()


def test_a_batch_that_is_new_to_nobody_is_given_to_nobody() -> None:
    taker = Taker(5)
    assert offer(followers_of(taker), *map(chunk, range(2, 6)))
    assert taker.seqs == []


def test_the_end_lets_go_of_those_who_have_it_and_of_them_alone() -> None:
    done, behind = Taker(1), Taker(-1)
    followers = followers_of(done, behind)
    assert not offer(followers, cancelled(2))
    assert followers.members == (behind,)
    offer(followers, chunk(0), chunk(1), cancelled(2))
    assert followers.members == ()
    followers.gone()
    assert (done.gone, behind.gone) == (0, 0)


def test_it_is_known_how_far_the_news_has_come() -> None:
    followers = Followers()
    assert followers.newest == -1
    offer(followers, chunk(4))
    offer(followers, chunk(2))
    assert followers.newest == 4


def test_who_has_left_is_given_nothing_even_by_the_news_under_way() -> None:
    second = Taker()

    class Leaver(Taker):
        __slots__ = ()

        def _take(self, batch: Sequence[Event]) -> None:
            followers.remove(second)

    followers = followers_of(Leaver(), second)
    offer(followers, chunk(0))
    followers.gone()
    assert second.seqs == []
    assert second.gone == 0


def test_a_dropped_log_is_told_once() -> None:
    taker = Taker()
    followers = followers_of(taker)
    followers.gone()
    followers.gone()
    assert taker.gone == 1
