"""`/metrics`: who may read it, in which form, and what it counts."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import Any

import pytest
from django.db import OperationalError
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from blocks.models import BlockType
from liveai.project_asgi import inner_application
from streaming.http.readiness import Readiness
from streaming.metrics.counted import REFUSED_STARTS
from streaming.process import Process
from streaming.protocol.codes import STREAM_ERRORS
from tests.conftest import Play
from tests.support.streaming.browser import START, Browser
from tests.support.streaming.exchange import Exchange
from tests.support.streaming.viewing import VISITOR, reached, read, start

TOKEN = "metrics-token-of-this-test"
GOOD = f"Bearer {TOKEN}"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(autouse=True)
def served(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(inner_application, "_readiness", Readiness())


async def ask(
    authorization: str | None = GOOD,
    *,
    method: str = "GET",
    accept: str = "",
    host: bytes = b"10.0.0.7:8001",
) -> Any:
    headers = [(b"host", host), (b"accept", accept.encode())]
    if authorization is not None:
        headers.append((b"authorization", authorization.encode("latin-1")))
    exchange = Exchange(method, "/metrics", "", headers)
    head = await exchange.head()
    assert "set-cookie" not in head.headers
    return head, (await exchange.rest()).decode()


async def scrape() -> Samples:
    head, page = await ask()
    assert head.status == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse_text(page)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, frozenset(labels.items())), 0.0)


def grown(before: Samples, after: Samples, name: str, **labels: str) -> float:
    return value(after, name, **labels) - value(before, name, **labels)


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}",
     TOKEN, "Bearer \xff", f"Token {TOKEN}"],
)  # fmt: skip
async def test_nobody_reads_it_without_its_token(
    process: Process, authorization: str | None
) -> None:
    head, body = await ask(authorization)
    assert (head.status, head.headers["www-authenticate"]) == (401, "Bearer")
    assert "liveai_" not in body and TOKEN not in body


async def test_without_the_setting_there_is_no_such_page(process: Process, settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    for authorization in (None, "Bearer ", GOOD):
        head, body = await ask(authorization, host=b"localhost")
        assert head.status == 404
        assert "liveai_" not in body


async def test_it_speaks_both_forms(process: Process) -> None:
    head, page = await ask()
    assert head.headers["content-type"].startswith("text/plain; version=")
    head, open_page = await ask(accept=f"{OPENMETRICS},text/plain;q=0.5")
    assert head.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert open_page.endswith("# EOF\n")
    names = [
        {sample.name for family in parse(text) for sample in family.samples}
        for parse, text in ((parse_text, page), (parse_openmetrics, open_page))
    ]
    assert names[0] == names[1]
    assert {"liveai_streams_running", "liveai_save_failures_total"} < names[0]
    assert head.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "accept", [f"{OPENMETRICS[:28]}; version=odd", "text/plain; version=\xff", ";;,,=", "*/*"]
)
async def test_an_odd_accept_is_no_failure_and_comes_back_nowhere(
    process: Process, accept: str
) -> None:
    head, _ = await ask(accept=accept)
    assert head.status == 200
    assert "odd" not in head.headers["content-type"]


async def test_a_head_has_no_body_and_other_methods_are_refused(process: Process) -> None:
    head, body = await ask(method="HEAD")
    assert (head.status, body) == (200, "")
    assert int(head.headers["content-length"]) > 1_000
    head, _ = await ask(method="POST")
    assert (head.status, head.headers["allow"]) == (405, "GET, HEAD")


async def test_every_metric_explains_itself_and_has_a_unit_or_a_count(process: Process) -> None:
    _, page = await ask()
    ours = [family for family in parse_text(page) if family.name.startswith("liveai_")]
    assert len(ours) > 20
    for family in ours:
        assert len(family.documentation) > 20, family.name
        if family.type == "histogram":
            assert family.name.endswith("_seconds")
        assert re.fullmatch(r"liveai_[a-z_]+", family.name)


async def test_an_answer_is_counted_from_its_start_to_its_end(
    process: Process, block: BlockType, play: Play
) -> None:
    before = await scrape()
    provider = play("One ", "two ", {"hang": True})
    feed = (await start(process, block)).feed
    await reached(feed, 1)
    reading = asyncio.ensure_future(read(process, feed))
    await provider.until(lambda p: p.calls_open == 1)
    await asyncio.sleep(0)
    running = await scrape()
    assert grown(before, running, "liveai_streams_started_total", block="tale") == 1
    assert grown(before, running, "liveai_first_token_seconds_count", block="tale") == 1  # at once
    assert value(running, "liveai_streams_running") == 1
    assert value(running, "liveai_events_total") == 2
    assert grown(before, running, "liveai_viewers", transport="sse") == 1
    assert value(running, "liveai_connections") == 1
    await process.manager.cancel(feed.stream_id, VISITOR.owner, by="owner")
    await reading
    async with asyncio.timeout(20):
        await process.generations.ended(20)
    after = await scrape()
    cancelled = {"block": "tale", "status": "cancelled", "code": "owner"}
    assert grown(before, after, "liveai_streams_ended_total", **cancelled) == 1
    assert grown(before, after, "liveai_first_token_seconds_count", block="tale") == 1
    assert grown(before, after, "liveai_answer_seconds_count", block="tale") == 1
    made = {"block": "tale", "direction": "output"}
    assert grown(before, after, "liveai_model_tokens_total", **made) > 0
    assert value(after, "liveai_streams_running") == 0
    assert value(after, "liveai_events_total") == 2  # of an answer that has ended, too
    assert grown(before, after, "liveai_viewers", transport="sse") == 0
    assert grown(before, after, "liveai_token_gap_seconds_count") == 1
    assert grown(before, after, "liveai_delivery_seconds_count") > 0
    assert grown(before, after, "liveai_save_seconds_count") > 0
    assert grown(before, after, "liveai_log_append_seconds_count") == 0  # the log is in memory


@pytest.mark.parametrize(
    ("said", "streaming", "counted"),
    [
        (["One ", "two"], False, 0),  # the answer comes whole: its wait is its length
        ([{"fail": "provider_timeout"}], True, 1),
        ([{"fail": "provider_rejected"}], True, 0),  # at once: no wait at all
    ],
)
async def test_the_time_to_the_first_token_is_that_of_a_wait_for_one(
    process: Process, block: BlockType, play: Play, said: list[Any], streaming: bool, counted: int
) -> None:
    before = await scrape()
    play(*said)
    await read(process, (await start(process, block, streaming=streaming)).feed)
    async with asyncio.timeout(20):
        await process.generations.ended(20)
    after = await scrape()
    assert grown(before, after, "liveai_first_token_seconds_count", block="tale") == counted
    assert grown(before, after, "liveai_answer_seconds_count", block="tale") == 1


async def test_an_answer_that_is_stopped_before_its_first_token_counts_as_a_wait(
    process: Process, block: BlockType, play: Play
) -> None:
    before = await scrape()
    provider = play({"hang": True})
    feed = (await start(process, block)).feed
    await provider.until(lambda p: p.calls_open == 1)
    running = await scrape()
    for code in STREAM_ERRORS:  # from 0 on, so that Prometheus sees the first one rise
        error = {"block": "tale", "status": "error", "code": code}
        assert ("liveai_streams_ended_total", frozenset(error.items())) in running
    await process.manager.cancel(feed.stream_id, VISITOR.owner, by="owner")
    async with asyncio.timeout(20):
        await process.generations.ended(20)
    after = await scrape()
    assert grown(before, running, "liveai_first_token_seconds_count", block="tale") == 0
    assert grown(before, after, "liveai_first_token_seconds_count", block="tale") == 1


async def test_sockets_resumes_and_refusals_are_counted(
    process: Process,
    block: BlockType,
    play: Play,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play("One ", "two ", "three")
    feed = (await start(process, block)).feed
    await read(process, feed)
    before = await scrape()
    socket = await browser.connect()
    await socket.say(type="start", ref="a", block_type=block.slug, prompt="Why?")
    stream_id = (await socket.until("start", ref="a"))["stream_id"]
    await socket.end_of(stream_id)
    second = await browser.connect()
    await second.say(type="resume", ref="b", stream_id=stream_id, after=0)
    await second.end_of(stream_id)
    after = await scrape()
    assert grown(before, after, "liveai_resumes_total", transport="websocket") == 1
    assert grown(before, after, "liveai_viewers", transport="websocket") == 0
    await process.manager.drain()
    (await browser.call("POST", START, {"prompt": "Why?"})).problem("shutting_down")
    monkeypatch.setattr(inner_application, "_readiness", Readiness())  # no report of before
    refused = await scrape()
    assert grown(after, refused, "liveai_starts_refused_total", code="shutting_down") == 1
    assert value(refused, "liveai_check_ok", check="shutdown") == 0
    assert value(refused, "liveai_check_ok", check="database") == 1
    assert value(refused, "liveai_check_ok", check="model") == 1


async def test_a_refused_start_counts_whoever_refuses_it(
    process: Process,
    block: BlockType,
    play: Play,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By a layer, a view, the database thread, a fault: by whatever, and each once."""

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError

    def gone(*args: Any, **kwargs: Any) -> None:
        raise OperationalError

    async def post(**body: Any) -> Any:
        return await browser.call("POST", START, {"prompt": "Why?"} | body)

    play("One")
    feed = (await start(process, block)).feed
    await read(process, feed)
    socket = await browser.connect()
    counted = refused_starts()

    def grown() -> dict[str, float]:
        nonlocal counted
        before, counted = counted, refused_starts()
        return {code: n - before[code] for code, n in counted.items() if n != before[code]}

    (await browser.call("GET", "/api/streams/none")).problem("not_found")
    (await browser.call("POST", f"/api/streams/{feed.stream_id}/cancel", {"x": 1}))
    await socket.say(type="resume", ref="r", stream_id="none")
    await socket.until("refused", ref="r")
    assert grown() == {}  # no starts
    (await post(prompt="x" * 1_100_000)).problem("prompt_too_long")  # by the limit of bodies
    (await post(surplus=1)).problem("invalid_input")
    await socket.say(type="start", ref="a", block_type=block.slug, prompt="Why?", surplus=1)
    await socket.until("refused", ref="a")
    assert grown() == {"prompt_too_long": 1, "invalid_input": 2}
    for path in ("/api/dialects/ai-sdk/tale", "/api/dialects/ag-ui/tale", "/v1/chat/completions"):
        await browser.call("POST", path, {})
        assert grown() == {"invalid_input": 1}
        await browser.call("POST", f"{path}/c1/stop", {})
    assert grown() == {}  # no starts
    for raised, code in ((fail, "internal"), (gone, "store_unavailable")):
        with monkeypatch.context() as patch:
            patch.setattr("streaming.http.starting.prepare_start", raised)
            patch.setattr("streaming.websocket.session.prepare_start", raised)
            (await post()).problem(code)
            await socket.say(type="start", ref=code, block_type=block.slug, prompt="Why?")
            await socket.until("refused", ref=code)
        assert grown() == {code: 2}
    with monkeypatch.context() as patch:
        patch.setattr("streaming.database.store.create", gone)
        (await post()).problem("store_unavailable")
    assert grown() == {"store_unavailable": 1}
    with monkeypatch.context() as patch:
        patch.setattr(process.manager.finder, "describe", fail)
        headers = {"Accept": "application/json"}
        answer = await browser.call("POST", START, {"prompt": "Why?"}, headers=headers)
        answer.problem("internal")
    assert grown() == {}  # the answer has started


def refused_starts() -> Counter[str]:
    samples = (sample for metric in REFUSED_STARTS.collect() for sample in metric.samples)
    return Counter({sample.labels["code"]: int(sample.value) for sample in samples})


async def test_no_figure_has_an_id_an_owner_or_a_text(
    process: Process, block: BlockType, play: Play
) -> None:
    play("canary-answer", {"fail": "provider_rejected", "message": "canary-message"})
    feed = (await start(process, block)).feed
    await read(process, feed)
    _, page = await ask()
    assert 'status="error"' in page
    ids = (feed.stream_id, VISITOR.owner, process.liveness.process_id, TOKEN)
    for canary in (*ids, "canary", "Why?"):
        assert canary not in page
    labels = set(re.findall(r'[{,](\w+)="', page))
    assert labels <= {"block", "status", "code", "direction", "transport", "reason", "check", "le"}
