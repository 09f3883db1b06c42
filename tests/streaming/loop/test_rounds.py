"""Rounds ring at once after an idle interval, and otherwise together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from streaming.loop import rounds as module
from streaming.loop.rounds import Rounds

SECONDS = 10.0


class FakeLoop:
    """The part of an event loop that rounds use; its time passes only in `advance`."""

    def __init__(self) -> None:
        self._now = 100.0
        self._due: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self._now

    def call_soon(self, callback: Callable[[], None]) -> object:
        return self.call_at(self._now, callback)

    def call_at(self, when: float, callback: Callable[[], None]) -> object:
        self._due.append((when, callback))
        return callback

    def advance(self, seconds: float = 0.0) -> None:
        """Run what is due after this time, but not what that schedules."""
        self._now += seconds
        due, self._due = self._due, []
        for when, callback in due:
            if when <= self._now:
                callback()
            else:
                self._due.append((when, callback))

    @property
    def is_idle(self) -> bool:
        return not self._due


class Ear:
    """A bell, and what has it."""

    rings = 0

    @property
    def bells(self) -> list[Ear]:
        return [self]

    def ring(self) -> None:
        self.rings += 1


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> FakeLoop:
    loop = FakeLoop()
    monkeypatch.setattr(
        module, "asyncio", SimpleNamespace(get_running_loop=lambda: loop, Handle=asyncio.Handle)
    )
    return loop


@pytest.fixture
def rounds(loop: FakeLoop) -> Rounds:
    return Rounds(lambda: SECONDS)


def test_the_first_ring_is_immediate_and_shared(loop: FakeLoop, rounds: Rounds) -> None:
    first, second = Ear(), Ear()
    rounds.add(first)
    rounds.add(second)
    assert (first.rings, second.rings) == (0, 0)
    loop.advance()
    assert (first.rings, second.rings) == (1, 1)


def test_what_follows_soon_rings_together_and_each_once(loop: FakeLoop, rounds: Rounds) -> None:
    first, second, third = Ear(), Ear(), Ear()
    rounds.add(first)
    loop.advance()
    for ear in (second, third, second, third):
        rounds.add(ear)
    loop.advance(SECONDS - 0.1)
    assert (second.rings, third.rings) == (0, 0)
    loop.advance(0.1)
    assert (first.rings, second.rings, third.rings) == (1, 1, 1)
    assert loop.is_idle


def test_after_an_idle_interval_a_ring_is_immediate_again(loop: FakeLoop, rounds: Rounds) -> None:
    ear = Ear()
    for number in range(1, 4):
        rounds.add(ear)
        loop.advance()
        assert ear.rings == number
        loop.advance(SECONDS)


def test_who_had_the_last_round_alone_is_rung_in_the_call_itself(
    loop: FakeLoop, rounds: Rounds
) -> None:
    ear, other = Ear(), Ear()
    rounds.add(ear)
    loop.advance()
    loop.advance(SECONDS)
    rounds.add(ear)
    assert ear.rings == 2
    rounds.add(ear)  # within the interval
    assert ear.rings == 2
    loop.advance(SECONDS)
    loop.advance(SECONDS)
    rounds.add(other)  # another one may be the first of many
    rounds.add(ear)
    assert (ear.rings, other.rings) == (3, 0)
    loop.advance()
    assert (ear.rings, other.rings) == (4, 1)
    assert loop.is_idle


def test_a_lone_bell_that_causes_news_is_rung_again_in_the_next_round(
    loop: FakeLoop, rounds: Rounds
) -> None:
    class Echo(Ear):
        def ring(self) -> None:
            super().ring()
            if self.rings == 2:
                rounds.add(self)

    echo = Echo()
    rounds.add(echo)
    loop.advance()
    loop.advance(SECONDS)
    rounds.add(echo)
    assert echo.rings == 2
    loop.advance(SECONDS)
    assert echo.rings == 3 and loop.is_idle


def test_a_round_that_causes_news_leads_to_one_more_round(loop: FakeLoop, rounds: Rounds) -> None:
    ear = Ear()

    class Echo(Ear):
        def ring(self) -> None:
            super().ring()
            rounds.add(ear)

    echo = Echo()
    rounds.add(Ear())
    rounds.add(echo)
    loop.advance()
    assert (echo.rings, ear.rings) == (1, 0)
    loop.advance(SECONDS)
    assert (echo.rings, ear.rings) == (1, 1)
    assert loop.is_idle


class Signal(Ear):
    def __init__(self) -> None:
        self.has_rung = asyncio.Event()

    def ring(self) -> None:
        super().ring()
        self.has_rung.set()


async def test_a_real_loop_rings_the_first_round_at_once_and_the_next_one_later() -> None:
    rounds, first, second = Rounds(lambda: 0.01), Ear(), Signal()
    rounds.add(first)
    await asyncio.sleep(0)
    assert first.rings == 1
    rounds.add(second)
    async with asyncio.timeout(20):
        await second.has_rung.wait()


def test_a_long_round_lets_the_loop_run_in_between(loop: FakeLoop) -> None:
    clock = iter(range(1000))
    rounds = Rounds(lambda: SECONDS, slice_seconds=2, clock=lambda: next(clock))
    ears = [Ear() for _ in range(10)]
    for ear in ears:
        rounds.add(ear)
    counts = []
    while not loop.is_idle:
        loop.advance()
        counts.append(sum(ear.rings for ear in ears))
    assert counts == [3, 6, 9, 10]
    assert {ear.rings for ear in ears} == {1}


def test_news_during_a_long_round_waits_for_the_next_one(loop: FakeLoop) -> None:
    clock = iter(range(1000))
    rounds = Rounds(lambda: SECONDS, slice_seconds=0, clock=lambda: next(clock))
    first, second = Ear(), Ear()
    rounds.add(first)
    rounds.add(second)
    loop.advance()
    assert first.rings + second.rings == 1
    late = Ear()
    rounds.add(late)
    loop.advance()
    assert (first.rings, second.rings, late.rings) == (1, 1, 0)
    loop.advance(SECONDS)
    assert late.rings == 1
    assert loop.is_idle


def test_news_that_comes_while_a_long_round_rings_counts_from_its_arrival(
    loop: FakeLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []
    monkeypatch.setattr(module, "DELIVERIES", SimpleNamespace(observe=seen.append))
    clock = iter(range(1000))
    rounds = Rounds(lambda: SECONDS, slice_seconds=0, clock=lambda: next(clock))
    for _ in range(2):
        rounds.add(Ear())
    loop.advance()
    rounds.add(Ear())  # the first round has another slice to ring
    loop.advance(3 * SECONDS)
    loop.advance(SECONDS)
    assert loop.is_idle
    assert seen == [3 * SECONDS, 4 * SECONDS]
