"""The estimated cost of an event, compared with its real cost."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from streaming.protocol import events
from streaming.protocol.events import Event
from streaming.protocol.weight import weight_of

STREAM = "A" * 22
QUESTION = {"question": "Why?", "options": ["a", "b", "c", "d"], "answer": 1, "explanation": "So."}


def text(seq: int) -> Event:
    return events.chunk(STREAM, seq, f" word{seq}")


def wide_text(seq: int) -> Event:
    return events.chunk(STREAM, seq, f" w\u00f6rter {seq} \u20ac" * 20)


def arriving(seq: int) -> Event:
    return events.chunk(STREAM, seq, f" word{seq}", f"/questions/{seq}/question")


def item(seq: int) -> Event:
    value = {name: f"{part} {seq}" for name, part in QUESTION.items()}
    return events.item(STREAM, seq, f"/questions/{seq}", value)


@pytest.mark.parametrize("make", [text, wide_text, arriving, item])
def test_an_event_is_said_to_cost_what_it_costs(make: Callable[[int], Event]) -> None:
    tracemalloc.start()
    try:
        made = [make(seq) for seq in range(1000, 3000)]
        cost, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(map(weight_of, made)) == pytest.approx(cost, rel=0.15)
