"""A flood of handshakes from one address does not fill the queue of the thread they share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from streaming import consumers
from streaming.admission.turns import TURNS_AT_MOST
from streaming.process import Process
from tests.support.servers.harness import eventually

FLOOD = 3 * TURNS_AT_MOST


@pytest.mark.parametrize(
    ("address", "at_once"),
    [("192.0.2.1", TURNS_AT_MOST), ("127.0.0.1", FLOOD)],
    ids=["a visitor's", "a trusted proxy's"],
)
async def test_one_address_looks_up_so_many_sessions_at_a_time(
    process: Process,
    make_browser: Any,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    at_once: int,
) -> None:
    browser = await make_browser("ada", address=address)
    waiting, most = 0, 0
    may_go = asyncio.Event()
    on_thread = consumers._on_thread

    async def look_up(work: Callable[[], Any]) -> Any:
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        await may_go.wait()
        waiting -= 1
        return await on_thread(work)

    monkeypatch.setattr(consumers, "_on_thread", look_up)
    sockets = [browser.socket() for _ in range(FLOOD)]
    opening = [asyncio.ensure_future(socket.handshake()) for socket in sockets]
    await eventually(lambda: waiting == at_once)
    await asyncio.sleep(0)
    may_go.set()
    await asyncio.gather(*opening)
    assert most == at_once
    for socket in sockets:
        await socket.aclose()
