"""Waking viewers: at once after a quiet moment, otherwise together."""

from __future__ import annotations

import asyncio

from streaming.loop.rounds import Rounds

LONG = 3600.0
SHORT = 0.01


class Ear:
    def __init__(self) -> None:
        self.heard = 0
        self.has_heard = asyncio.Event()

    def ring(self) -> None:
        self.heard += 1
        self.has_heard.set()


async def test_the_first_news_is_told_at_once_and_together_with_what_comes_in_the_same_go() -> None:
    rounds, first, second = Rounds(every_seconds=LONG), Ear(), Ear()
    rounds.add(first)
    rounds.add(second)
    assert (first.heard, second.heard) == (0, 0)
    await asyncio.sleep(0)
    assert (first.heard, second.heard) == (1, 1)


async def test_what_follows_soon_is_told_together_and_to_each_once() -> None:
    rounds, first, second, third = Rounds(every_seconds=SHORT), Ear(), Ear(), Ear()
    rounds.add(first)
    await asyncio.sleep(0)
    for ear in (second, third, second, third):
        rounds.add(ear)
    await asyncio.sleep(0)
    assert (second.heard, third.heard) == (0, 0)
    async with asyncio.timeout(10):
        await second.has_heard.wait()
    assert (first.heard, second.heard, third.heard) == (1, 1, 1)


async def test_after_a_quiet_moment_news_is_told_at_once_again() -> None:
    rounds, ear = Rounds(every_seconds=SHORT), Ear()
    rounds.add(ear)
    await asyncio.sleep(0)
    rounds.add(ear)
    ear.has_heard.clear()
    async with asyncio.timeout(10):
        await ear.has_heard.wait()
    await asyncio.sleep(SHORT)
    rounds.add(ear)
    await asyncio.sleep(0)
    assert ear.heard == 3


async def test_a_round_that_brings_news_about_makes_another_round_and_no_endless_one() -> None:
    rounds, ear = Rounds(every_seconds=SHORT), Ear()

    class Echo(Ear):
        def ring(self) -> None:
            super().ring()
            rounds.add(ear)

    echo = Echo()
    rounds.add(Ear())
    rounds.add(echo)
    async with asyncio.timeout(10):
        await ear.has_heard.wait()
    assert (echo.heard, ear.heard) == (1, 1)
