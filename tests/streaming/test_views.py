"""The HTTP calls that start streams and describe the service, through the whole application.

Source: spec.md, "HTTP".
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.db import OperationalError
from drf_spectacular.generators import SchemaGenerator

from blocks.models import BlockType
from streaming.database import store
from streaming.database.rows import columns_of
from streaming.http.schema import _bodies
from streaming.models import Stream, StreamingSettings
from streaming.process import Process
from tests.conftest import MODEL, MakeBlock, Play, StartProcess, scripted
from tests.support.blocks.quiz import QUIZ
from tests.support.schema import validate_config
from tests.support.streaming.browser import ORIGIN, START, Browser
from tests.support.streaming.dictated import DictatedProvider

# --- config, blocks ------------------------------------------------------------------


async def test_config_names_the_switches_and_sets_both_cookies(process: Process) -> None:
    visitor = Browser()
    answer = await visitor.call("GET", "/api/config")
    assert answer.status == 200
    data = answer.json()
    validate_config(data)
    assert data["streaming"] == {
        "enabled": True,
        "backend": "sse",
        "fallback": True,
        "message": "",
        "paused": False,
    }
    assert data["user"] is None
    assert data["demo_model"] is False
    assert set(visitor.cookies) == {"csrftoken", "sessionid"}


async def test_config_gives_the_csrf_token_to_the_sites_own_pages_alone(
    process: Process, block: BlockType, play: Play, make_browser: Any
) -> None:
    """Web Workers and programs can't read the cookie."""
    play("Hello")
    visitor: Browser = await make_browser()
    answer = await visitor.call("GET", "/api/config")
    assert answer.headers["cache-control"] == "no-store"
    token = answer.json()["csrf_token"]
    stop = ("POST", "/api/streams/cancel", {"request_id": "1" * 8})
    (await visitor.call(*stop, headers={"X-CSRFToken": "x" * 64})).problem("csrf_failed")
    refused = await visitor.call(*stop, headers={"X-CSRFToken": token})
    refused.problem("invalid_input")  # so the token was right
    for origin, is_given in [(ORIGIN, True), ("https://evil.test", False), ("null", False)]:
        config = (await visitor.call("GET", "/api/config", headers={"Origin": origin})).json()
        validate_config(config)
        assert (config["csrf_token"] is not None) == is_given, origin


async def test_config_sets_no_session_where_anonymous_use_is_off(
    start_process: StartProcess,
) -> None:
    await start_process(AI_ALLOW_ANONYMOUS=False)
    visitor = Browser()
    assert (await visitor.call("GET", "/api/config")).status == 200
    assert set(visitor.cookies) == {"csrftoken"}


async def test_config_names_the_signed_in_user(process: Process, make_browser: Any) -> None:
    ada = await make_browser("ada")
    assert (await ada.call("GET", "/api/config")).json()["user"] == {"username": "ada"}


async def test_blocks_lists_the_enabled_ones_in_order(
    process: Process, make_block: MakeBlock, browser: Browser
) -> None:
    await BlockType.objects.all().adelete()
    await make_block("second", order=2)
    await make_block("first", order=1)
    await make_block("hidden", enabled=False)
    data = (await browser.call("GET", "/api/blocks")).json()
    blocks = data if isinstance(data, list) else data["results"]
    assert [block["slug"] for block in blocks] == ["first", "second"]
    assert blocks[0]["model"] == "x"
    assert blocks[0]["options"]["type"] == "object"


# --- the stream document ------------------------------------------------------------------


async def test_the_resource_of_a_running_stream_is_read_from_its_log(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("The ", "sky", {"hang": True})
    reader = await browser.start()
    await reader.text("The sky")
    stream = await browser.resource(reader.stream_id)
    assert stream["status"] == "running"
    assert (stream["text"], stream["seq"]) == ("The sky", 1)
    assert stream["started_at"] is not None
    assert stream["ended_at"] is None
    assert stream["usage"] is None


async def test_the_resource_of_an_ended_stream_says_all_about_its_end(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("The ", "sky.")
    reader = await browser.start()
    terminal = await reader.end()
    stream = await browser.resource(reader.stream_id)
    assert stream["seq"] == terminal["seq"] == 2
    assert stream["status"] == "complete"
    assert stream["usage"] == terminal["usage"]
    assert stream["finish_reason"] == "stop"
    assert stream["ttft_ms"] == terminal["ttft_ms"]
    assert stream["error"] is None and stream["dropped"] is None and stream["result"] is None
    assert stream["created_at"] <= stream["started_at"] <= stream["ended_at"]


async def test_the_resource_of_a_quiz_holds_items_and_its_result_as_text(
    browser: Browser, make_block: MakeBlock, play: Play
) -> None:
    await make_block("quiz2", output="quiz")
    play({"json": QUIZ, "token_chars": 7})
    reader = await browser.start("quiz2")
    terminal = await reader.end()
    stream = await browser.resource(reader.stream_id)
    assert len(terminal["result"]["questions"]) == 3
    assert stream["result"] == terminal["result"]
    assert stream["dropped"] == terminal["dropped"]
    assert stream["items"] == reader.tape.state.items
    assert stream["text"].startswith('{"title":"Sky","questions":[{')
    assert not any(event.get("token", "").startswith("{") for event in reader.tape.events)


async def test_row_and_log_describe_an_ended_stream_alike(
    browser: Browser, make_block: MakeBlock, play: Play, process: Process
) -> None:
    await make_block("quiz2", output="quiz")
    play({"json": QUIZ, "token_chars": 7})
    reader = await browser.start("quiz2")
    await reader.end()
    from_log = await browser.resource(reader.stream_id)
    await process.log.forget(reader.stream_id)
    process.hub.forget(reader.stream_id)
    assert await browser.resource(reader.stream_id) == from_log


# --- switches ------------------------------------------------------------------------------


async def test_with_streaming_off_the_answer_is_one_chunk_and_the_end(
    start_process: StartProcess, block: BlockType, make_browser: Any
) -> None:
    process = await start_process(AI_STREAMING_ENABLED=False)
    process.providers.use(MODEL, scripted("The ", "blue ", "sky."))
    reader = await (await make_browser()).start()
    await reader.end()
    assert reader.tape.types == ["start", "chunk", "complete"]
    assert reader.tape.text == "The blue sky."


async def test_with_streaming_off_a_structured_answer_is_its_valid_items_alone(
    start_process: StartProcess, make_block: MakeBlock, make_browser: Any
) -> None:
    process = await start_process(AI_STREAMING_ENABLED=False)
    await make_block("quiz2", output="quiz")
    process.providers.use(MODEL, scripted({"json": QUIZ, "token_chars": 5}))
    reader = await (await make_browser()).start("quiz2")
    await reader.end()
    assert set(reader.tape.types) == {"start", "item", "complete"}
    assert len(reader.tape.state.items) == 4  # the title too


async def test_with_streaming_off_a_failure_shows_what_there_is_then_the_error(
    start_process: StartProcess, block: BlockType, make_browser: Any
) -> None:
    process = await start_process(AI_STREAMING_ENABLED=False)
    process.providers.use(MODEL, scripted("The ", "sky", {"fail": "provider_interrupted"}))
    reader = await (await make_browser()).start()
    terminal = await reader.end()
    assert reader.tape.types == ["start", "chunk", "error"]
    assert reader.tape.text == "The sky"
    assert terminal["code"] == "provider_interrupted"


async def test_a_blocks_own_switch_does_the_same(
    browser: Browser, make_block: MakeBlock, play: Play
) -> None:
    await make_block(streaming=False)
    play("The ", "sky.")
    reader = await browser.start()
    await reader.end()
    assert reader.tape.types == ["start", "chunk", "complete"]


@pytest.mark.parametrize("how", ["start", "get", "watch", "go_on"])
async def test_sse_is_refused_where_websocket_is_selected_without_fallback(
    start_process: StartProcess, block: BlockType, make_browser: Any, how: str
) -> None:
    process = await start_process(STREAMING_BACKEND="websocket", AI_STREAMING_FALLBACK=False)
    process.providers.use(MODEL, scripted("Hello"))
    visitor = await make_browser()
    stream = (await visitor.post_json(f"{START}?wait=1", {"prompt": "Why?"})).stream(200)
    stream_id = stream["stream_id"]
    answer = await {
        "start": lambda: visitor.call("POST", START, {"prompt": "Why?"}),
        "get": lambda: visitor.call("GET", f"{START}?prompt=Why"),
        "watch": lambda: visitor.call("GET", f"/api/streams/{stream_id}/events"),
        "go_on": lambda: visitor.call(
            "GET", f"{START}?prompt=Why", headers={"Last-Event-ID": f"{stream_id}:0"}
        ),
    }[how]()
    assert answer.problem("transport_not_selected")["selected"] == "websocket"


async def test_what_the_admin_sets_wins_over_the_environment(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("The ", "sky.")
    await StreamingSettings(enabled=False, backend="websocket", fallback=True).asave()
    streaming = (await browser.call("GET", "/api/config")).json()["streaming"]
    assert (streaming["enabled"], streaming["backend"]) == (False, "websocket")
    reader = await browser.start()
    await reader.end()
    assert reader.tape.types == ["start", "chunk", "complete"]


# --- full, unreachable, stopping --------------------------------------------------------------


async def test_a_start_beyond_the_cap_is_503_with_a_time_to_retry(
    start_process: StartProcess, block: BlockType, make_browser: Any
) -> None:
    process = await start_process(STREAM_MAX_RUNNING=1)
    process.providers.use(MODEL, scripted({"hang": True}))
    visitor = await make_browser()
    stream = await visitor.start_unwatched()
    refused = await visitor.call("POST", START, {"prompt": "Why?"})
    refused.problem("over_capacity")
    assert int(refused.headers["retry-after"]) >= 1
    await visitor.cancel(stream["stream_id"])
    process.providers.use(MODEL, scripted("Hello"))
    (await visitor.post_json(f"{START}?wait=1", {"prompt": "Why?"})).stream(200)


async def test_a_start_while_draining_is_503_and_what_runs_can_be_watched(
    browser: Browser, block: BlockType, model: DictatedProvider, process: Process
) -> None:
    model.say("Hello")
    reader = await browser.start()
    await reader.text("Hello")
    draining = asyncio.create_task(process.drain())
    await asyncio.sleep(0)
    refused = await browser.call("POST", START, {"prompt": "Why?"})
    refused.problem("shutting_down")
    assert int(refused.headers["retry-after"]) >= 1
    second = await browser.watch(reader.stream_id)
    model.say(" there")
    model.finish()
    assert (await reader.end())["type"] == (await second.end())["type"] == "complete"
    await draining


async def test_a_start_is_503_while_the_database_is_away(
    browser: Browser, block: BlockType, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = play("Hello")

    def away(*args: Any, **kwargs: Any) -> Any:
        raise OperationalError("the database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(store, "create", away)
        (await browser.call("POST", START, {"prompt": "Why?"})).problem("store_unavailable")
    assert provider.calls_started == 0
    assert (await (await browser.start()).end())["type"] == "complete"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", START),
        ("GET", f"{START}?prompt=a"),
        ("GET", "/api/blocks"),
        ("GET", "/api/streams"),
        ("GET", "/api/streams/AAAAAAAAAAAAAAAAAAAAAA"),
    ],
)
async def test_every_call_is_503_while_its_own_query_fails(
    browser: Browser, block: BlockType, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    from django.db.models.sql.compiler import SQLCompiler

    execute = SQLCompiler.execute_sql

    def away(compiler: Any, *args: Any, **kwargs: Any) -> Any:
        if compiler.query.model._meta.app_label in ("blocks", "streaming"):
            raise OperationalError("the database is away")
        return execute(compiler, *args, **kwargs)

    monkeypatch.setattr(SQLCompiler, "execute_sql", away)
    data = [{"prompt": "Why?"}] if method == "POST" else []
    (await browser.call(method, path, *data)).problem("store_unavailable")


# --- from the row only --------------------------------------------------------------------------


async def test_a_running_stream_known_from_its_row_alone_is_described_by_it(
    browser: Browser, block: BlockType, play: Play, process: Process
) -> None:
    play("Hello", {"hang": True})
    reader = await browser.start()
    await reader.text("Hello")
    await process.generations.saver.flush()
    row = await Stream.objects.aget()
    assert (row.text, row.seq, row.status) == ("Hello", 0, "running")
    assert columns_of(reader.tape.state)["text"] == row.text


async def test_the_description_of_the_api_is_there_and_valid_openapi(browser: Browser) -> None:
    answer = await browser.call("GET", "/api/schema?format=json")
    if answer.status != 200:
        answer = await browser.call("GET", "/api/schema")
    assert answer.status == 200
    assert b"/api/streams/{stream_id}/cancel" in answer.body


async def test_the_description_is_generated_once_for_all_who_ask(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    generated = []
    generate = SchemaGenerator.get_schema

    def counted(self: SchemaGenerator, *args: Any, **kwargs: Any) -> Any:
        generated.append(1)
        return generate(self, *args, **kwargs)

    monkeypatch.setattr(SchemaGenerator, "get_schema", counted)
    _bodies.clear()
    answers = await asyncio.gather(*(browser.call("GET", "/api/schema") for _ in range(8)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert len(generated) == 1
