"""While a process can't start, clients receive the API's own errors."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError

from streaming import process
from streaming.protocol.codes import CLOSE_BROKEN
from streaming.serving import lifespan
from tests.conftest import StartProcess
from tests.support.streaming.browser import Browser


async def test_without_a_database_calls_are_503_and_later_ones_are_answered(
    start_process: StartProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    await start_process()
    await process.stop()
    with monkeypatch.context() as patch:

        def fail_unreachable(*args: Any) -> None:
            raise OperationalError("no such server")

        patch.setattr(process.Liveness, "beat", fail_unreachable)
        browser = Browser()
        for _ in range(3):
            answer = await browser.call("GET", "/api/config")
            answer.problem("store_unavailable")
            assert answer.headers["retry-after"] == "2"
    assert (await browser.call("GET", "/api/config")).status == 200
    # Only the living process holds a lock.
    locks = list((tmp_path / "processes").iterdir())
    assert len(locks) == 1
    await browser.aclose()


async def test_a_socket_is_closed_so_that_the_client_comes_back(
    start_process: StartProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    await start_process()

    async def fail_unreachable() -> None:
        raise OperationalError("no such server")

    monkeypatch.setattr(lifespan.process, "ensure_started", fail_unreachable)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def app(*args: Any) -> None:
        raise AssertionError("not reached")

    await lifespan.WithProcess(app)({"type": "websocket"}, receive, send)
    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.close"]
    assert sent[-1]["code"] == CLOSE_BROKEN
