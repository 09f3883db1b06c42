"""The signal that stops another server: it begins the drain, and the server's handler runs too."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from streaming.process import Process
from streaming.serving.drain_on_signal import draining_on_signals


@pytest.fixture
def told() -> Iterator[list[int]]:
    """The signals that the server's own handler has got."""
    numbers: list[int] = []

    def handler(number: int, frame: Any) -> None:
        numbers.append(number)

    before = signal.signal(signal.SIGTERM, handler)
    yield numbers
    assert signal.getsignal(signal.SIGTERM) is handler, "the server's handler is not back"
    signal.signal(signal.SIGTERM, before)


async def test_a_signal_drains_once_and_reaches_the_server(
    process: Process, told: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    drains, drain = [], Process.drain
    has_drained = asyncio.Event()

    async def counted(self: Process) -> None:
        drains.append(self)
        await drain(self)
        has_drained.set()

    monkeypatch.setattr(Process, "drain", counted)
    with draining_on_signals():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(has_drained.wait(), 30)
        await asyncio.sleep(0)
    assert told == [signal.SIGTERM, signal.SIGTERM]
    assert drains == [process] and process.manager.is_draining


async def test_a_handler_that_is_not_pythons_is_left_alone(process: Process) -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with draining_on_signals():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
