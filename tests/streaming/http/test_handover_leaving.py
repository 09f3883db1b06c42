"""Clients that leave while a handed-over response is made or written."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse

from streaming.http.handover import (
    EventStreamResponse,
    HandOver,
)
from tests.support.streaming.handing_over import (
    Source,
    ask,
    promise,
    show,
    stage,
)

pytestmark = pytest.mark.usefixtures("one_view")


async def test_a_client_that_leaves_in_mid_body_is_noticed_and_the_source_closed() -> None:
    source = show(Source(b"one ", asyncio.Event()))
    exchange = ask()
    await exchange.head()
    assert await exchange.part() == b"one "
    await exchange.aclose()
    assert exchange.task.done()
    assert source.is_closed.is_set()
    await exchange.task


async def test_a_client_that_leaves_while_the_view_works_is_noticed_and_nothing_written() -> None:
    """Django's own listener is awaiting `receive` at that time."""
    entered, go_on = threading.Event(), threading.Event()
    source = Source(asyncio.Event())

    def slow(request: HttpRequest) -> Any:
        entered.set()
        go_on.wait(10)
        return EventStreamResponse(source.body)

    stage.answer = slow
    exchange = ask()
    assert await asyncio.to_thread(entered.wait, 10)
    exchange.disconnect()
    await asyncio.sleep(0)
    go_on.set()
    await exchange.aclose()
    assert exchange.task.done()
    await exchange.task
    assert not source.has_begun or source.is_closed.is_set()


async def test_a_server_that_tells_of_a_disconnect_only_once_is_enough() -> None:
    """Django's listener may have consumed the only disconnect message."""
    source = Source(asyncio.Event())
    told = [{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        if told:
            return told.pop(0)
        await asyncio.Event().wait()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        assert (await receive())["type"] == "http.disconnect"
        response = EventStreamResponse(source.body)
        async for _ in response:
            raise AssertionError("it was not handed over")

    async def send(message: Any) -> None:
        raise AssertionError(message)

    async with asyncio.timeout(10):
        await HandOver(app)({"type": "http", "method": "GET", "path": "/"}, receive, send)
    assert not source.has_begun


async def test_a_send_that_fails_closes_the_source() -> None:
    source = Source(b"one ", asyncio.Event())

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async for _ in EventStreamResponse(source.body):
            pass

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        raise OSError("the client is gone")

    async with asyncio.timeout(10):
        await HandOver(app)({"type": "http", "method": "GET", "path": "/"}, receive, send)
    assert source.is_closed.is_set()


async def test_a_server_that_cancels_the_request_closes_the_source() -> None:
    source = show(Source(b"one ", asyncio.Event()))
    exchange = ask()
    await exchange.head()
    await exchange.part()
    exchange.task.cancel()
    async with asyncio.timeout(10):
        await asyncio.wait({exchange.task})
    assert source.is_closed.is_set()


async def test_a_client_that_leaves_stops_what_would_answer_later() -> None:
    began, stopped = asyncio.Event(), asyncio.Event()

    async def make() -> HttpResponse:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return HttpResponse()

    promise(make)
    exchange = ask()
    async with asyncio.timeout(10):
        await began.wait()
    await exchange.aclose()
    assert stopped.is_set()
