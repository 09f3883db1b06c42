"""The layer of the request phase that runs requests on few threads."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished, request_started
from django.db import connection, connections
from django.http import HttpRequest, HttpResponse
from django.urls import path

from streaming.http.request_threads import OF_AN_ADDRESS, Lane, RequestThreads
from tests.support.schema import validate_problem
from tests.support.streaming.exchange import Exchange

SCOPE: dict[str, Any] = {"type": "http", "headers": []}
HEADERS = [(b"host", b"localhost")]


async def quiet() -> Any:
    raise AssertionError("nothing is received here")


async def run(layer: RequestThreads, times: int = 1) -> None:
    async with asyncio.timeout(20):
        await asyncio.gather(*(layer(dict(SCOPE), quiet, quiet) for _ in range(times)))


def working(work: Callable[[], None]) -> Any:
    """Build an application that works like a synchronous Django view."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await sync_to_async(work, thread_sensitive=True)()

    return app


async def test_many_requests_share_a_fixed_number_of_threads() -> None:
    names: list[str] = []
    layer = RequestThreads(working(lambda: names.append(threading.current_thread().name)))
    await run(layer, 40)
    await run(layer, 40)
    assert len(names) == 80
    assert len(set(names)) == 4
    assert all(name.startswith("request-") for name in names)


async def test_as_many_requests_work_at_once_as_there_are_threads() -> None:
    everybody = threading.Barrier(4)
    await run(RequestThreads(working(lambda: [everybody.wait(10)][0])), 4)  # type: ignore[arg-type]
    assert not everybody.broken


async def test_a_request_stays_on_one_thread() -> None:
    seen: list[set[int]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        mine: set[int] = set()
        seen.append(mine)
        for _ in range(5):
            await sync_to_async(lambda: mine.add(threading.get_ident()), thread_sensitive=True)()

    await run(RequestThreads(app), 12)
    assert [len(mine) for mine in seen] == [1] * 12
    assert len(set.union(*seen)) > 1


async def test_a_thread_that_is_busy_is_passed_over_while_another_is_free() -> None:
    gate, held = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        gate.wait(10)

    works = [hold, lambda: None, lambda: None, lambda: None]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await sync_to_async(works.pop(0), thread_sensitive=True)()

    layer = RequestThreads(app, threads=2)
    slow = asyncio.create_task(run(layer))
    assert await asyncio.to_thread(held.wait, 10)
    for _ in range(3):
        await run(layer)
    assert not slow.done()
    gate.set()
    await slow


async def test_what_one_request_sets_in_its_context_no_other_sees() -> None:
    mark: ContextVar[str] = ContextVar("mark", default="none")
    seen: list[str] = []

    def work() -> None:
        seen.append(mark.get())
        mark.set("left behind")

    layer = RequestThreads(working(work), threads=1)
    await run(layer)
    await run(layer, 5)
    assert seen == ["none"] * 6


async def test_a_request_that_fails_gives_its_thread_back() -> None:
    def broken() -> None:
        raise ValueError("broken")

    layer = RequestThreads(working(broken), threads=1)
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"):
            await run(layer)
    assert list(layer._threads.load.values()) == [0]


async def test_a_request_that_is_cancelled_gives_its_thread_back() -> None:
    layer: RequestThreads
    entered = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        entered.set()
        await asyncio.Event().wait()

    layer = RequestThreads(app, threads=1)
    task = asyncio.create_task(run(layer))
    await entered.wait()
    assert list(layer._threads.load.values()) == [1]
    task.cancel()
    await asyncio.wait({task})
    assert list(layer._threads.load.values()) == [0]


# --- with Django and its database ----------------------------------------------------------


class Stage:
    """The work of one test's view."""

    work: Callable[[HttpRequest], Any]


stage = Stage()


async def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(await stage.work(request)))


urlpatterns = [path("", view)]


@pytest.fixture
def database_threads(transactional_db: None, settings: Any) -> Any:
    """Run Django with this file's view on one thread that keeps its connection, as deployed."""
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []
    connected = connections["default"].settings_dict
    kept = connected["CONN_MAX_AGE"], connected["CONN_HEALTH_CHECKS"]
    assert kept == (60, True)
    return RequestThreads(ASGIHandler(), threads=1)


def query() -> int:
    """Return the connection that answers; a closed one would be reopened as another object."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return id(connection.connection)


async def get(layer: RequestThreads, headers: Any = ()) -> str:
    exchange = Exchange("GET", "/", "", [*HEADERS, *headers], app=layer)
    assert (await exchange.head()).status == 200
    return (await exchange.rest()).decode()


async def test_requests_one_after_the_other_keep_one_connection(database_threads: Any) -> None:
    async def work(request: HttpRequest) -> int:
        return await sync_to_async(query)()

    stage.work = work
    assert len({await get(database_threads) for _ in range(5)}) == 1
    await close(database_threads)


async def test_other_requests_of_its_thread_do_not_close_a_requests_connection(
    database_threads: Any,
) -> None:
    """The start and end of each request check for old connections, on the shared thread."""
    in_the_middle, go_on = asyncio.Event(), asyncio.Event()
    signals: list[str] = []

    def note(signal: Any, **_: Any) -> None:
        signals.append(threading.current_thread().name)

    async def work(request: HttpRequest) -> int | bool:
        before = await sync_to_async(query)()
        if "X-Slow" not in request.headers:
            return before
        in_the_middle.set()
        await go_on.wait()
        return await sync_to_async(query)() == before

    stage.work = work
    request_started.connect(note)
    request_finished.connect(note)
    try:
        slow = asyncio.create_task(get(database_threads, [(b"x-slow", b"1")]))
        async with asyncio.timeout(10):
            await in_the_middle.wait()
        for _ in range(5):
            await get(database_threads)
        go_on.set()
        assert await slow == "True"
    finally:
        request_started.disconnect(note)
        request_finished.disconnect(note)
    assert len(signals) == 12
    await close(database_threads)


async def close(layer: RequestThreads) -> None:
    """Close the connection of the layer's thread, so that no test leaves it open."""
    for executor in layer._threads.load:
        await asyncio.wrap_future(executor.submit(connections.close_all))
        executor.shutdown()


# --- lanes ----------------------------------------------------------------------------


def is_slow(scope: Any) -> bool:
    return bool(scope.get("slow"))


async def test_slow_requests_stay_on_their_lane_and_off_all_other_threads() -> None:
    gate = threading.Event()
    names: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        def work() -> None:
            names.append(threading.current_thread().name)
            if scope.get("slow"):
                assert gate.wait(10)

        await sync_to_async(work, thread_sensitive=True)()

    layer = RequestThreads(app, threads=1, lanes=[Lane("slow", is_slow)])
    slow = [asyncio.create_task(layer({**SCOPE, "slow": True}, quiet, quiet)) for _ in range(5)]
    await asyncio.sleep(0)
    await run(layer, 3)  # would wait behind the slow ones
    assert names.count("request-0_0") == 3
    gate.set()
    await asyncio.gather(*slow)
    assert names.count("slow-0_0") == 5


async def test_a_full_lane_refuses_and_has_room_again_afterwards() -> None:
    gate = asyncio.Event()
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await gate.wait()

    async def send(message: Any) -> None:
        sent.append(message)

    layer = RequestThreads(app, lanes=[Lane("slow", is_slow, at_most=2)])
    held = [asyncio.create_task(layer({**SCOPE, "slow": True}, quiet, quiet)) for _ in range(2)]
    await asyncio.sleep(0)
    await layer({**SCOPE, "slow": True}, quiet, send)
    start, body = sent
    headers = dict(start["headers"])
    assert (start["status"], headers[b"retry-after"]) == (503, b"1")
    validate_problem(json.loads(body["body"]))
    assert json.loads(body["body"])["code"] == "over_capacity"
    gate.set()
    await asyncio.gather(*held)
    await layer({**SCOPE, "slow": True}, quiet, send)
    assert len(sent) == 2


async def test_a_request_beyond_its_share_of_a_lane_is_429_and_others_have_room() -> None:
    gate = asyncio.Event()
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await gate.wait()

    async def send(message: Any) -> None:
        sent.append(message)

    lane = Lane("slow", is_slow, shares_of=lambda scope: {scope["slow"]: 2})
    layer = RequestThreads(app, lanes=[lane])

    def request(name: str) -> asyncio.Task[None]:
        return asyncio.create_task(layer({**SCOPE, "slow": name}, quiet, send))

    held = [request("ada"), request("ada"), request("bob")]
    await asyncio.sleep(0)
    assert sent == []
    await request("ada")
    start, body = sent
    assert (start["status"], dict(start["headers"])[b"retry-after"]) == (429, b"1")
    validate_problem(json.loads(body["body"]))
    assert json.loads(body["body"])["code"] == "rate_limited"
    gate.set()
    await asyncio.gather(*held)
    await request("ada")
    assert len(sent) == 2
    assert layer._lanes[0]._counts == {}


async def test_a_request_on_a_lane_that_is_cancelled_gives_its_share_back() -> None:
    entered = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        entered.set()
        await asyncio.Event().wait()

    layer = RequestThreads(app, lanes=[Lane("slow", is_slow, shares_of=lambda scope: {"ada": 1})])
    task = asyncio.create_task(layer({**SCOPE, "slow": True}, quiet, quiet))
    await entered.wait()
    task.cancel()
    await asyncio.wait({task})
    assert layer._lanes[0]._counts == {}


async def test_many_requests_of_one_address_do_not_stand_before_those_of_others() -> None:
    gate = threading.Event()
    entered: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        entered.append(scope["client"][0])
        await sync_to_async(lambda: gate.wait(10), thread_sensitive=True)()

    layer = RequestThreads(app, threads=1)

    def ask(host: str) -> asyncio.Task[None]:
        return asyncio.create_task(layer({**SCOPE, "client": (host, 1)}, quiet, quiet))

    flood = [ask("192.0.2.1") for _ in range(100)]
    await asyncio.sleep(0)
    assert entered == ["192.0.2.1"] * OF_AN_ADDRESS
    others = [ask("192.0.2.2"), ask("127.0.0.1")]
    await asyncio.sleep(0)
    assert entered[OF_AN_ADDRESS:] == ["192.0.2.2", "127.0.0.1"]
    flood.pop().cancel()
    gate.set()
    await asyncio.gather(*flood, *others)
    assert len(entered) == 99 + 2
    assert layer._queues._places == {}
