"""Without the layers that hand over responses, answers are the same, but each occupies a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.support.servers.harness import Database, Server, eventually, running
from tests.support.servers.visitor import Held, Visitor

PLAIN = "tests.support.servers.asgi_plain:application"
STREAMS = 20
JSON_FIRST = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def server(module_database: Database) -> Iterator[Server]:
    with running("serve", module_database, app=PLAIN) as started:
        yield started
        started.assert_unharmed()


@pytest.mark.parametrize("block", ["ask-question", "diagram"])
async def test_an_answer_is_the_same_streamed_waited_for_and_over_a_socket(
    server: Server, block: str
) -> None:
    visitor = await Visitor.arrive(server.port)
    async with await visitor.ask("Why?", block) as client:
        assert client.headers["cache-control"] == "no-store, no-transform"
        streamed = Held().take_all(await client.until_end())
    status, waited = await visitor.call(
        "POST", f"/api/stream/ai-block/{block}?wait=1", {"prompt": "Why?"}, JSON_FIRST
    )
    assert (status, waited["status"]) == (200, "complete")
    async with visitor.socket() as socket:
        stream_id = await socket.start("Why?", block)
        await socket.until_end(stream_id)
        told = Held().take_all(socket.events_of(stream_id))
    assert streamed.text == told.text and streamed.items == told.items
    assert streamed.text or streamed.items
    assert waited["items"] == [{"path": p, "value": v} for p, v in told.items.items()]
    if block == "ask-question":
        assert waited["text"] == told.text


async def test_tokens_arrive_over_time_and_a_line_that_is_cut_is_taken_up_again(
    server: Server,
) -> None:
    visitor = await Visitor.arrive(server.port)
    async with await visitor.ask("speak for two seconds") as client:
        await client.until(lambda c: len(c.events) > 10)
        held = Held().take_all(client.events)
        client.reset()
    assert held.terminal is None
    stream_id = client.events[0]["stream_id"]
    async with await visitor.watch(stream_id, held.cursor) as again:
        held.take_all(await again.until_end())
    assert held.text == "slow and steady – über 😀 " * 20
    async with await visitor.watch(stream_id, held.cursor) as ended:
        assert ended.status == 204


async def test_each_open_stream_holds_a_thread_and_lets_go_of_it(server: Server) -> None:
    visitor = await Visitor.arrive(server.port)
    before = server.process.num_threads()
    clients = await asyncio.gather(*(visitor.ask("say nothing") for _ in range(STREAMS)))
    for client in clients:
        await client.until_event("start")
    # This growth also proves that the tests of idle streams would notice occupied threads.
    assert server.process.num_threads() >= before + STREAMS // 2
    for client in clients:
        client.close()
    await eventually(lambda: server.process.num_threads() <= before + 4)
    async with await visitor.ask("Why?") as client:
        assert (await client.until_end())[-1]["type"] == "complete"
