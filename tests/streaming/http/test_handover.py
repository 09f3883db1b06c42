"""The handed-over response: Django decides it, and the surrounding layer writes it."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_started
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.middleware.gzip import GZipMiddleware
from django.test import AsyncClient, Client

from streaming.http import handover
from streaming.http.handover import (
    BodyResponse,
    EventStreamResponse,
    HandOver,
    SendPart,
    answer_later,
)
from streaming.http.lifeline import LIFELINE, Lifeline
from streaming.http.request_phase import BodyLimit
from streaming.http.request_threads import RequestThreads
from streaming.protocol.frames import SSE_COMMENT
from tests.support.streaming.exchange import Exchange
from tests.support.streaming.handing_over import (
    HEADERS,
    HERE,
    Source,
    ask,
    promise,
    show,
    stage,
    whole,
)

pytestmark = pytest.mark.usefixtures("one_view")


# --- an event stream --------------------------------------------------------------------


async def test_a_body_is_written_after_djangos_request_has_ended() -> None:
    gate = asyncio.Event()
    source = show(Source(b"one ", gate, b"two"))
    exchange = ask()
    await exchange.head()
    assert await exchange.part() == b"one "
    assert stage.log == ["finished"]
    gate.set()
    assert await exchange.rest() == b"two"
    assert source.threads == {threading.get_ident()}


async def test_django_is_done_before_the_first_step_of_the_body() -> None:
    order: list[str] = stage.log

    async def body(send: SendPart | None = None) -> AsyncGenerator[bytes, None]:
        order.append("body")
        yield b"x"

    stage.answer = lambda request: EventStreamResponse(body)
    await whole(ask())
    assert order == ["finished", "body"]


async def test_headers_and_cookies_of_middleware_are_kept(settings: Any) -> None:
    settings.MIDDLEWARE = [f"{HERE}.with_header_and_cookie"]
    show(Source())
    cookies: list[str] = []
    head, body = await whole(ask(on_cookie=cookies.append))
    assert body == b"one two"
    assert head.headers["x-extra"] == "kept"
    assert head.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert head.headers["cache-control"] == "no-store, no-transform"
    assert [cookie.partition(";")[0] for cookie in cookies] == ["a=1", "b=2"]


async def test_each_part_is_one_write_and_the_last_is_empty() -> None:
    show(Source(b"one ", b"two"))
    exchange = ask()
    await exchange.head()
    parts = [await exchange.part() for _ in range(3)]
    assert parts == [b"one ", b"two", b""]
    assert exchange.has_ended


async def test_a_response_that_middleware_drops_never_starts_its_source(settings: Any) -> None:
    settings.MIDDLEWARE = [f"{HERE}.dropping"]
    source = show(Source())
    head, body = await whole(ask())
    assert (head.status, body) == (418, b"something else")
    assert not source.has_begun


async def test_an_answer_that_middleware_drops_is_not_made(settings: Any) -> None:
    settings.MIDDLEWARE = [f"{HERE}.dropping"]
    made: list[int] = []

    async def make() -> HttpResponse:
        made.append(1)
        return HttpResponse()

    promise(make)
    head, body = await whole(ask())
    assert (head.status, body) == (418, b"something else")
    assert made == []


async def test_a_content_that_middleware_wraps_again_takes_the_plain_path(settings: Any) -> None:
    settings.MIDDLEWARE = [f"{HERE}.rewrapping"]
    source = show(Source())
    _, body = await whole(ask())
    assert body == b"ONE TWO"
    assert source.is_closed.is_set()


async def test_gzip_leaves_an_event_stream_alone_by_its_content_encoding(settings: Any) -> None:
    settings.MIDDLEWARE = [f"{GZipMiddleware.__module__}.{GZipMiddleware.__qualname__}"]
    show(Source(b"x" * 5000))
    head, body = await whole(ask(**{"accept-encoding": "gzip"}))
    assert head.headers["content-encoding"] == "identity"
    assert body == b"x" * 5000


async def test_what_middleware_streams_of_its_own_is_passed_on(settings: Any) -> None:
    async def body() -> AsyncGenerator[bytes, None]:
        yield b"plain "
        yield b"stream"

    stage.answer = lambda request: StreamingHttpResponse(body())
    assert (await whole(ask()))[1] == b"plain stream"


async def test_an_exception_in_the_source_ends_the_body_and_hangs_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = show(Source(b"one ", ValueError("broken")))
    head, body = await whole(ask())
    assert (head.status, body) == (200, b"one ")
    assert source.is_closed.is_set()
    assert "Writing a response's body failed." in caplog.text


async def test_an_exception_of_the_view_is_djangos_own_500(caplog: Any) -> None:
    def broken(request: HttpRequest) -> HttpResponse:
        raise ValueError("broken")

    stage.answer = broken
    head, _ = await whole(ask())
    assert head.status == 500


# --- a response that comes later ------------------------------------------------------------


async def test_an_event_stream_that_comes_later_is_like_one_at_once(settings: Any) -> None:
    settings.MIDDLEWARE = [f"{HERE}.with_header_and_cookie"]
    source = show(Source(b"one ", b"two"))
    at_once, body_at_once = await whole(ask())

    async def make() -> EventStreamResponse:
        return EventStreamResponse(source.body)

    promise(make)
    cookies: list[str] = []
    later, body = await whole(ask(on_cookie=cookies.append))
    assert body == body_at_once == b"one two"
    assert later.status == at_once.status
    assert later.headers == at_once.headers
    assert len(cookies) == 2


async def test_an_event_stream_that_comes_later_holds_no_request() -> None:
    gate = asyncio.Event()
    source, requests = Source(b"one ", gate, b"two"), list[Any]()

    async def make(request: HttpRequest) -> EventStreamResponse:
        return EventStreamResponse(source.body)

    def view(request: HttpRequest) -> Any:
        requests.append(weakref.ref(request))
        return answer_later(partial(make, request), wait=async_to_sync)

    stage.answer = view
    exchange = ask()
    await exchange.head()
    assert await exchange.part() == b"one "
    gc.collect()
    assert [request() for request in requests] == [None]
    gate.set()
    assert await exchange.rest() == b"two"


async def later(response: Any, log: list[str]) -> Lifeline:
    """Give a response that comes later to a client with a lifeline; return that."""

    async def make() -> Any:
        return response

    async def app(scope: Any, receive: Any, send: Any) -> None:
        promised = answer_later(make, wait=async_to_sync)
        headers = [(name.lower().encode(), value.encode()) for name, value in promised.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def send(message: Any) -> None:
        log.append(message["type"])

    lifeline = Lifeline(lambda: log.append("handed over"))
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [],
        "extensions": {LIFELINE: lifeline},
    }
    await HandOver(app)(scope, asyncio.Event().wait, send)
    return lifeline


async def test_the_server_drops_its_request_when_the_head_of_a_later_answer_is_sent() -> None:
    log: list[str] = []
    await later(EventStreamResponse(Source(b"one").body), log)
    assert log[:4] == ["handed over", "http.response.start", "handed over", "http.response.body"]


async def test_the_server_may_write_a_heartbeat_into_an_event_stream_and_no_other_body() -> None:
    events = await later(EventStreamResponse(Source(b"one").body), [])
    file = BodyResponse(Source(b"one").body, content_type="text/plain", headers={})
    assert (events.sign, (await later(file, [])).sign) == (SSE_COMMENT, b"")


@pytest.mark.parametrize("sent", ["", "theme=dark", "sessionid=known"])
async def test_an_error_that_comes_later_makes_no_session(settings: Any, sent: str) -> None:
    """The view gives a session to a visitor who may start; a refused start must leave none.

    The cookies of middlewares stay, and so does a session that is renewed.
    """
    settings.MIDDLEWARE = [f"{HERE}.with_header_and_cookie", f"{HERE}.with_session_cookie"]

    async def make() -> HttpResponse:
        return HttpResponse(status=429)

    promise(make)
    cookies: list[str] = []
    head, _ = await whole(ask(on_cookie=cookies.append, **({"cookie": sent} if sent else {})))
    assert (head.status, head.headers["x-extra"]) == (429, "kept")
    names = {cookie.partition("=")[0] for cookie in cookies}
    assert names == {"a", "b", *(["sessionid"] if "sessionid" in sent else [])}


async def test_an_answer_comes_later_with_its_own_status_headers_and_body(settings: Any) -> None:
    settings.MIDDLEWARE = [f"{HERE}.with_header_and_cookie"]

    async def make() -> HttpResponse:
        stage.log.append("made")
        return JsonResponse({"a": 1}, status=203, headers={"X-Own": "yes"})

    promise(make)
    cookies: list[str] = []
    head, body = await whole(ask(on_cookie=cookies.append))
    assert stage.log == ["finished", "made"]
    assert (head.status, body) == (203, b'{"a": 1}')
    assert head.headers["content-type"] == "application/json"
    assert head.headers["content-length"] == str(len(body))
    assert (head.headers["x-own"], head.headers["x-extra"]) == ("yes", "kept")
    assert len(cookies) == 2
    assert handover.LATER.lower() not in head.headers


async def test_an_answer_that_breaks_is_a_clean_500(caplog: pytest.LogCaptureFixture) -> None:
    async def make() -> HttpResponse:
        raise ValueError("secret")

    promise(make)
    head, body = await whole(ask())
    assert head.status == 500
    assert b"secret" not in body
    assert "A handed-over response failed." in caplog.text


async def test_many_answers_wait_at_once_on_one_thread() -> None:
    gate, waiting = asyncio.Event(), 0
    all_wait = asyncio.Event()

    async def make() -> HttpResponse:
        nonlocal waiting
        waiting += 1
        if waiting == 20:
            all_wait.set()
        await gate.wait()
        return HttpResponse("done")

    promise(make)
    app = HandOver(BodyLimit(RequestThreads(ASGIHandler(), threads=1)))
    exchanges = [Exchange("GET", "/", "", HEADERS, app=app) for _ in range(20)]
    async with asyncio.timeout(20):
        await all_wait.wait()
    gate.set()
    answers = [await whole(exchange) for exchange in exchanges]
    assert [body for _, body in answers] == [b"done"] * 20


async def test_one_requests_hand_over_is_not_anothers() -> None:
    sources = {str(number): Source(str(number).encode()) for number in range(10)}

    def by_header(request: HttpRequest) -> Any:
        return EventStreamResponse(sources[request.headers["X-Number"]].body)

    stage.answer = by_header
    app = HandOver(BodyLimit(RequestThreads(ASGIHandler(), threads=3)))
    exchanges = {
        number: Exchange("GET", "/", "", [*HEADERS, (b"x-number", number.encode())], app=app)
        for number in sources
    }
    for number, exchange in exchanges.items():
        assert (await whole(exchange))[1] == number.encode()


async def test_other_scopes_pass_through_untouched() -> None:
    seen: list[Any] = []

    async def app(*call: Any) -> None:
        seen.append(call)

    call: Any = ({"type": "websocket"}, object(), object())
    await HandOver(app)(*call)
    assert seen == [call]


# --- without the layer ----------------------------------------------------------------------


async def test_djangos_async_client_reads_a_plain_stream() -> None:
    source = show(Source())
    response = await AsyncClient().get("/")
    parts = [part async for part in response.streaming_content]  # type: ignore[attr-defined]
    assert b"".join(parts) == b"one two"
    assert source.is_closed.is_set()


def test_djangos_sync_client_reads_a_plain_stream() -> None:
    show(Source())
    response = Client().get("/")
    with pytest.warns(Warning, match="must consume asynchronous iterators"):
        assert b"".join(response) == b"one two"


def test_without_the_layer_an_answer_is_waited_for() -> None:
    async def make() -> HttpResponse:
        return HttpResponse("done", status=203)

    promise(make)
    response = Client().get("/")
    assert (response.status_code, response.content) == (203, b"done")
    assert handover.LATER not in response.headers


def test_the_signals_of_django_are_the_ones_that_are_listened_to(db: None) -> None:
    """The order above matters only if Django still sends these signals around a request.

    One of its own receivers looks at the database connection that an earlier test may have left.
    """
    show(Source())
    started: list[int] = []

    def note(**_: Any) -> None:
        started.append(1)

    request_started.connect(note)
    try:
        Client().get("/").close()
    finally:
        request_started.disconnect(note)
    assert started == [1]
