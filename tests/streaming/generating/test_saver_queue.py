"""The saver's queue: each stream with news once, in the order in which they had them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError

from streaming.database.saving import Lost
from streaming.database.thread import DatabaseThread
from streaming.generating import saver as savers
from streaming.loop.gate import Gate
from streaming.protocol import events
from streaming.protocol.state import StreamState


@pytest.mark.parametrize("count", [1, 99, 1_000])
async def test_every_stream_with_news_has_its_turn_whenever_it_started(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    clock, db = 100.0, DatabaseThread("unused")
    saver = savers.Saver(process="p", db=db, running=list, on_lost=pytest.fail, on_last=pytest.fail)
    monkeypatch.setattr(saver, "_clock", lambda: clock)
    running: list[Any] = [SimpleNamespace(name=n, awaits_save=False) for n in range(count)]
    late, turns = SimpleNamespace(name="late", awaits_save=False), dict[Any, list[float]]()
    for generation in running:
        saver.note(generation)
    while clock < 105:
        if clock > 101 and late not in running:
            running.append(late)
            saver.note(late)
        due, pause = saver._turn()
        assert len(due) <= savers.TURN_STREAMS
        for generation in due:
            turns.setdefault(generation.name, [101.0]).append(clock)
            saver.note(generation)  # its next token comes at once
        clock += pause
    assert set(turns) == {*range(count), "late"}
    longest = savers.SAVE_SECONDS + savers.SPREAD_SECONDS + 0.1
    for times in turns.values():
        assert max(later - earlier for earlier, later in pairwise(times)) <= longest
        assert times[-1] > clock - longest


class Fake:
    """A generation as the saver sees it, whose every token is news."""

    def __init__(self, name: str) -> None:
        self.stream_id, self.awaits_save, self.saved = name, False, dict[str, Any]()
        self.state = StreamState()
        self.writer = SimpleNamespace(state=self.state, is_behind=False)
        self.has_ended = Gate()

    def say(self, saver: savers.Saver) -> None:
        generation: Any = self
        saver.note(generation)
        self.state.apply(events.chunk(self.stream_id, self.state.seq + 1, "x"))


async def test_an_outage_and_flushes_leave_one_entry_for_each_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, is_away, saves = 100.0, False, Counter[str]()

    async def save(news: Mapping[str, Any]) -> Lost:
        if is_away:
            raise DatabaseError("away")
        saves.update(list(news))
        return Lost()

    generations: list[Any] = [Fake(f"{number}") for number in range(120)]
    saver = savers.Saver(
        process="p",
        db=DatabaseThread("unused"),
        running=lambda: generations,
        on_lost=pytest.fail,
        on_last=pytest.fail,
    )
    monkeypatch.setattr(saver, "_clock", lambda: clock)
    monkeypatch.setattr(saver, "_save", save)
    monkeypatch.setattr(
        savers, "_columns", lambda generation, is_end: {"seq": generation.state.seq}
    )
    for step in range(200):
        is_away = 20 <= step < 120
        for generation in generations:
            generation.say(saver)
        due, _ = saver._turn()
        await saver._flush(due)
        if step % 9 == 0:
            await saver.flush()
        assert len(saver._due) == len({id(generation) for _, generation in saver._due}) <= 120
        assert all(generation.awaits_save for _, generation in saver._due)
        clock += 0.1
    assert len(saves) == 120
    clock += 2
    for _ in range(2):
        assert await saver._flush(saver._turn()[0])
    assert {generation.saved["seq"] for generation in generations} == {199}


async def test_news_that_the_log_does_not_have_yet_are_saved_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, saved = 100.0, list[int]()

    async def save(news: Mapping[str, Any]) -> Lost:
        saved.extend(columns["seq"] for columns in news.values())
        return Lost()

    silent: Any = Fake("1")
    saver = savers.Saver(
        process="p",
        db=DatabaseThread("unused"),
        running=lambda: [silent],
        on_lost=pytest.fail,
        on_last=pytest.fail,
    )
    monkeypatch.setattr(saver, "_clock", lambda: clock)
    monkeypatch.setattr(saver, "_save", save)
    monkeypatch.setattr(
        savers, "_columns", lambda generation, is_end: {"seq": generation.state.seq}
    )
    silent.say(saver)
    silent.writer.is_behind = True  # a second token is under way to Redis, then silence
    clock += 1
    await saver._flush(saver._turn()[0])
    silent.state.apply(events.chunk("1", 1, "y"))
    silent.writer.is_behind = False
    clock += 1
    await saver._flush(saver._turn()[0])
    assert saved == [0, 1]
    assert not saver._due
