"""A worker's page can't be closed by connections that say nothing."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from streaming.serving import worker_page
from streaming.serving.worker_page import CONNECTIONS_AT_MOST, listen


async def _all_of(port: int, head: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_connections_that_send_half_a_head_are_closed_and_others_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert worker_page.HEAD_SECONDS == 10
    monkeypatch.setattr(worker_page, "HEAD_SECONDS", 0.3)
    listener = listen("127.0.0.1:0")
    port = listener.getsockname()[1]
    async with worker_page.worker_page(listener, cast(Any, None)):
        half = b"GET /healthz HTTP/1.1\r\nHost: a"
        async with asyncio.timeout(30):
            silent = [_all_of(port, half) for _ in range(CONNECTIONS_AT_MOST)]
            assert await asyncio.gather(*silent) == [b""] * CONNECTIONS_AT_MOST
            second = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" + half
            assert (await _all_of(port, second)).startswith(b"HTTP/1.1 200")
