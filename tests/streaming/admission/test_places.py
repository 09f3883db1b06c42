"""Limits on a visitor's running streams and starts, the same on every transport."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from blocks.providers.scripted import ScriptedProvider
from streaming.access.visitor import Visitor
from streaming.admission.subjects import keys_of, subjects_of
from streaming.generating.saver import Saver
from streaming.models import Stream
from streaming.process import Process
from streaming.protocol import events
from streaming.protocol.events import Event
from tests.conftest import MODEL, StartProcess, scripted
from tests.support.streaming.asking import ask, new_request_id, refusal
from tests.support.streaming.browser import Answer, Browser
from tests.support.streaming.leaving import share_log
from tests.support.streaming.socket import Socket

START = {"type": "start", "block_type": "tale", "prompt": "Why?"}
URL = "/api/stream/ai-block/tale"
SCHOOL, HOME = "203.0.113.7", "198.51.100.4"

pytestmark = pytest.mark.usefixtures("block")


@pytest.fixture
def hangs() -> ScriptedProvider:
    return scripted("The ", {"hang": True})


@pytest.fixture
def begin(start_process: StartProcess, hangs: ScriptedProvider) -> StartProcess:
    """Start a process whose model begins to answer and never ends."""

    async def begin(**limits: Any) -> Process:
        process = await start_process(**limits)
        process.providers.use(MODEL, hangs)
        return process

    return begin


async def post(browser: Browser, **fields: Any) -> Answer:
    return await browser.post_json(URL, {"prompt": "Why?", **fields})


def retry_after(answer: Answer) -> int:
    return int(answer.headers["retry-after"])


# --- running streams ------------------------------------------------------------------------


async def test_a_stream_too_many_is_refused_on_every_call_and_one_that_is_stopped_makes_room(
    begin: StartProcess, make_browser: Any
) -> None:
    await begin(LIMIT_RUNNING_PER_OWNER=2)
    ada, bob = await make_browser(), await make_browser()
    first = await ada.start()
    await ada.start_unwatched()
    words = "You have 2 answers running. Wait until one is finished, or stop one."
    calls: list[tuple[str, str, Any]] = [
        ("GET", f"{URL}?prompt=Why", {}),
        ("POST", URL, {"Accept": "text/event-stream"}),
        ("POST", URL, {"Accept": "application/json"}),
        ("POST", f"{URL}?wait=1", {"Accept": "application/json"}),
    ]
    for method, path, headers in calls:
        body = {} if method == "GET" else {"data": {"prompt": "Why?"}}
        answer = await ada.call(method, path, headers=headers, **body)
        assert answer.problem("too_many_streams")["detail"] == words
        assert retry_after(answer) >= 1
    socket = await ada.connect()
    refused = await refusal(socket, **START, ref="r")
    assert (refused["code"], refused["message"]) == ("too_many_streams", words)
    assert refused["retry_after_ms"] >= 1000
    assert (await post(bob)).status == 201
    start = await first.next()
    await ada.cancel(start["stream_id"])
    await ask(socket)
    assert (await post(ada)).status == 429


async def test_of_many_starts_at_once_on_all_transports_the_limit_get_through(
    begin: StartProcess, make_browser: Any, hangs: ScriptedProvider
) -> None:
    await begin(LIMIT_RUNNING_PER_OWNER=6)
    ada = await make_browser()
    sockets = [await ada.connect() for _ in range(3)]
    codes: Counter[str] = Counter()

    async def by_post(accept: str) -> None:
        if accept == "application/json":
            answer = await post(ada)
            codes["started" if answer.status == 201 else answer.json()["code"]] += 1
            return
        exchange = ada._exchange("POST", URL, {"prompt": "Why?"}, b"", {"Accept": accept})
        status = (await exchange.head()).status
        codes["started" if status == 200 else str(status)] += 1
        await exchange.aclose()

    async def by_socket(socket: Socket, ref: str) -> None:
        await socket.say(**START, ref=ref)
        while (frame := await socket.hear()).get("ref") != ref:
            pass
        codes["started" if frame["type"] == "start" else frame["code"]] += 1

    await asyncio.gather(
        *(by_post("application/json") for _ in range(7)),
        *(by_post("text/event-stream") for _ in range(7)),
        *(by_socket(socket, f"r{number}") for number, socket in enumerate(sockets)),
    )
    assert codes["started"] == 6, codes
    assert await Stream.objects.filter(ended_at__isnull=True).acount() == 6
    assert hangs.calls_open == 6


async def test_an_address_has_places_of_its_own_whoever_asks_from_there(
    begin: StartProcess, make_browser: Any
) -> None:
    await begin(LIMIT_RUNNING_PER_ADDRESS=3)
    pupils = [await make_browser(address=SCHOOL) for _ in range(4)]
    for pupil in pupils[:3]:
        assert (await post(pupil)).status == 201
    answer = await post(pupils[3])
    detail = answer.problem("too_many_streams")["detail"]
    assert detail == "3 answers are running from your network. Wait until one is finished."
    assert (await refusal(await pupils[3].connect(), **START))["code"] == "too_many_streams"
    assert (await post(await make_browser(address=HOME))).status == 201
    for _ in range(2):  # limits ignore a trusted proxy's own address
        assert (await post(await make_browser())).status == 201


async def test_who_brings_no_session_counts_as_their_address(begin: StartProcess) -> None:
    await begin(LIMIT_RUNNING_PER_OWNER=2)
    for address in (SCHOOL, HOME):
        for _ in range(2):
            assert (await post(Browser(address=address))).status == 201
        answer = await post(Browser(address=address))
        assert "from your network" in answer.problem("too_many_streams")["detail"]
    socket = await Browser(address=SCHOOL).connect()
    assert (await refusal(socket, **START))["code"] == "too_many_streams"
    for _ in range(3):
        assert (await post(Browser())).status == 201


async def test_attaching_watching_and_stopping_are_never_limited(
    begin: StartProcess, make_browser: Any
) -> None:
    await begin(LIMIT_RUNNING_PER_OWNER=1, LIMIT_STARTS_PER_MINUTE=1)
    ada, request_id = await make_browser(), new_request_id()
    started = await ada.start_unwatched(request_id=request_id)
    stream_id = started["stream_id"]
    socket = await ada.connect()
    for _ in range(3):
        assert (await post(ada, request_id=request_id)).stream()["stream_id"] == stream_id
        await ada.watch(stream_id)
        await ada.resource(stream_id)
        await socket.say(type="resume", stream_id=stream_id, ref="r", after=-1)
        await socket.until("start", ref="r")
        assert await ask(socket, ref="s", request_id=request_id) == stream_id
    assert (await ada.cancel(stream_id))["status"] == "cancelled"


@pytest.mark.parametrize("streaming", [True, False])
async def test_answers_in_one_piece_hold_a_place_as_long_as_they_are_made(
    begin: StartProcess, make_browser: Any, *, streaming: bool
) -> None:
    await begin(LIMIT_RUNNING_PER_OWNER=1, AI_STREAMING_ENABLED=streaming)
    ada = await make_browser()
    started = await ada.start_unwatched()
    assert (await post(ada)).status == 429
    await ada.cancel(started["stream_id"])
    assert (await post(ada)).status == 201


async def test_a_start_that_was_cancelled_before_it_came_needs_no_place(
    begin: StartProcess, make_browser: Any
) -> None:
    await begin(LIMIT_RUNNING_PER_OWNER=1)
    ada, request_id = await make_browser(), new_request_id()
    first = await ada.start_unwatched()
    await ada.post_json("/api/streams/cancel", {"request_id": request_id})
    started = await ada.start_unwatched(request_id=request_id)
    assert started["status"] == "cancelled"
    await ada.cancel(first["stream_id"])
    assert (await post(ada)).status == 201


async def test_a_start_that_was_cancelled_before_it_came_counts_for_the_rate(
    begin: StartProcess, make_browser: Any
) -> None:
    await begin(LIMIT_STARTS_PER_MINUTE=2)
    ada = await make_browser()
    for number in range(3):
        request_id = new_request_id()
        await ada.post_json("/api/streams/cancel", {"request_id": request_id})
        answer = await post(ada, request_id=request_id)
        assert answer.status == (201 if number < 2 else 429)
    assert await Stream.objects.acount() == 2


async def test_a_start_that_fails_for_another_reason_holds_no_place_and_counts_for_no_rate(
    begin: StartProcess, make_browser: Any
) -> None:
    await begin(LIMIT_RUNNING_PER_OWNER=2, LIMIT_STARTS_PER_MINUTE=2)
    ada = await make_browser()
    for _ in range(3):
        assert (await post(ada, options={"no": 1})).status == 400
        assert (await ada.post_json("/api/stream/ai-block/none", {"prompt": "?"})).status == 404
    for _ in range(2):
        assert (await post(ada)).status == 201


async def test_zero_switches_the_limits_off(begin: StartProcess, make_browser: Any) -> None:
    await begin()
    ada = await make_browser(address=SCHOOL)
    for _ in range(12):
        assert (await post(ada)).status == 201


# --- a place is freed with its stream's end --------------------------------------------------


async def test_a_start_right_after_an_end_has_a_place_though_the_row_does_not_know_yet(
    start_process: StartProcess, make_browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    share_log(monkeypatch)  # survives the process: the end is shown first, and the row follows
    process = await start_process(LIMIT_RUNNING_PER_OWNER=1)
    process.providers.use(MODEL, scripted("Hello"))
    released = asyncio.Event()
    save = Saver._save

    async def save_later(self: Saver, news: Any) -> Any:
        await released.wait()
        return await save(self, news)

    monkeypatch.setattr(Saver, "_save", save_later)
    ada = await make_browser()
    socket = await ada.connect()
    try:
        for number in range(3):
            stream_id = await ask(socket, ref=f"r{number}")
            await socket.end_of(stream_id)
            assert await Stream.objects.filter(pk=stream_id, ended_at__isnull=True).aexists()
    finally:
        released.set()


async def test_another_process_asks_the_log_whether_a_stream_has_ended(
    start_process: StartProcess,
    make_browser: Any,
    hangs: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    share_log(monkeypatch)
    process = await start_process(LIMIT_RUNNING_PER_OWNER=1)
    other = await Process.begin()
    try:
        other.providers.use(MODEL, hangs)
        process.providers.use(MODEL, hangs)
        ada = await make_browser()
        cookie = await ada.start_unwatched()
        row = await Stream.objects.aget(pk=cookie["stream_id"])
        await Stream.objects.filter(pk=row.pk).aupdate(process=other.liveness.process_id)
        process.generations._running.pop(row.pk)
        process.hub.forget(row.pk)
        assert (await post(ada)).status == 429
        status = await process.log.status(row.pk)
        await process.log.append(row.pk, status.epoch, [_cancelled(row.pk, status.last + 1)])
        assert (await post(ada)).status == 201
    finally:
        await other.aclose()


def _cancelled(stream_id: str, seq: int) -> Event:
    return events.cancelled(stream_id, seq, by="owner")


async def test_a_row_that_has_ended_keeps_nothing_that_points_to_an_address(
    begin: StartProcess, make_browser: Any
) -> None:
    await begin()
    ada = await make_browser(address=SCHOOL)
    stream_id = (await ada.start_unwatched())["stream_id"]
    row = await Stream.objects.aget(pk=stream_id)
    assert len(row.owner_key) == len(row.address_key) == 32
    assert SCHOOL not in row.address_key
    await ada.cancel(stream_id)
    row = await Stream.objects.aget(pk=stream_id)
    assert (row.owner_key, row.address_key) == ("", "")


def test_keys_depend_on_the_secret_of_the_site(settings: Any, db: None) -> None:
    visitor = Visitor("anonymous:x", None, "x", SCHOOL)
    keys = keys_of(subjects_of(visitor))
    settings.SECRET_KEY = "another"
    assert keys_of(subjects_of(visitor))["address"] not in ("", keys["address"])


# --- starts within a minute --------------------------------------------------------------------


async def test_a_start_too_soon_is_refused_on_every_call_with_the_time_to_wait(
    start_process: StartProcess, make_browser: Any
) -> None:
    process = await start_process(LIMIT_STARTS_PER_MINUTE=2)
    process.providers.use(MODEL, scripted("Hello"))
    ada = await make_browser()
    for _ in range(2):
        assert (await post(ada)).status == 201
    answers = [await post(ada), await ada.call("GET", f"{URL}?prompt=Why")]
    for answer in answers:
        detail = answer.problem("rate_limited")["detail"]
        assert detail.startswith("You started 2 answers within a minute. Please wait ")
        assert 50 <= retry_after(answer) <= 60
    refused = await refusal(await ada.connect(), **START)
    assert refused["code"] == "rate_limited"
    assert 50_000 <= refused["retry_after_ms"] <= 60_001
    assert (await post(await make_browser())).status == 201


async def test_of_starts_at_once_no_more_than_the_rate_get_through_and_the_rest_leave_nothing(
    start_process: StartProcess, make_browser: Any
) -> None:
    process = await start_process(LIMIT_STARTS_PER_MINUTE_PER_ADDRESS=5)
    provider = scripted("Hello")
    process.providers.use(MODEL, provider)
    pupils = [await make_browser(address=SCHOOL) for _ in range(3)]
    answers = await asyncio.gather(*(post(pupil) for pupil in pupils for _ in range(6)))
    statuses = Counter(answer.status for answer in answers)
    assert statuses == {201: 5, 429: 13}
    assert await Stream.objects.acount() == 5


async def test_starts_that_find_no_place_do_not_count_for_the_rate(
    begin: StartProcess, make_browser: Any
) -> None:
    await begin(LIMIT_RUNNING_PER_OWNER=1, LIMIT_STARTS_PER_MINUTE=2)
    ada = await make_browser()
    started = await ada.start_unwatched()
    for _ in range(4):
        (await post(ada)).problem("too_many_streams")
    await ada.cancel(started["stream_id"])
    assert (await post(ada)).status == 201


# --- the share of anonymous visitors ------------------------------------------------------------


async def test_the_signed_in_get_a_place_when_anonymous_visitors_hold_all_of_theirs(
    begin: StartProcess, make_browser: Any
) -> None:
    await begin(STREAM_MAX_RUNNING=4, LIMIT_ANONYMOUS_SHARE=75)
    crowd = [await make_browser() for _ in range(4)]
    done = await asyncio.gather(*(post(browser) for browser in crowd))
    assert sorted(answer.status for answer in done) == [201, 201, 201, 503]
    answer = await post(crowd[0])
    assert "Sign in" in answer.problem("over_capacity")["detail"]
    assert retry_after(answer) >= 1
    assert (await refusal(await crowd[1].connect(), **START))["code"] == "over_capacity"
    ada = await make_browser("ada")
    assert (await post(ada)).status == 201
    (await post(ada)).problem("over_capacity")
