"""The Python client with a real server: lines break, tokens end, and the server restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from liveai.client import (
    Answer,
    AsyncAnswer,
    AsyncClient,
    Chunk,
    Client,
    Event,
    LiveAIError,
    Patience,
    Reset,
    Snapshot,
    Status,
    Terminal,
)
from tests.support.faults.fault_proxy import Fault, FaultProxy
from tests.support.servers.harness import Database, Server, running
from tests.support.servers.tokens import add_token, revoke_tokens

QUICK = Patience(first_seconds=0.01, most_seconds=0.5)
BLOCK = "ask-question"
BOTH = pytest.mark.parametrize("kind", [Client, AsyncClient])
AnyClient = Client | AsyncClient
AnyAnswer = Answer | AsyncAnswer


@pytest.fixture(scope="module")
def server(module_database: Database) -> Iterator[Server]:
    with running("serve", module_database) as started:
        yield started
        started.assert_unharmed()


@asynccontextmanager
async def opened(kind: type[AnyClient], port: int, **given: Any) -> AsyncIterator[AnyClient]:
    client = kind(f"http://127.0.0.1:{port}", **{"patience": QUICK, **given})
    if isinstance(client, AsyncClient):
        async with client:
            yield client
    else:
        with client:
            yield client


async def events_of(answer: AnyAnswer, after_each: Callable[[Event], Any] | None = None) -> list:
    """Read an answer to its end; after each event, do something on the loop of the test."""
    events: list[Event] = []

    async def take(event: Event) -> None:
        events.append(event)
        done = after_each(event) if after_each else None
        if asyncio.iscoroutine(done):
            await done

    async with asyncio.timeout(60):
        if isinstance(answer, AsyncAnswer):
            async for event in answer:
                await take(event)
        else:
            while (event := await asyncio.to_thread(next, answer, None)) is not None:
                await take(event)
    assert [event for event in events if isinstance(event, Terminal)] == events[-1:]
    return events


async def on(thing: Any, name: str, *given: Any) -> Any:
    """Call a method of a client or an answer of either kind."""
    if isinstance(thing, AsyncClient | AsyncAnswer):
        return await getattr(thing, name)(*given)
    return await asyncio.to_thread(getattr(thing, name), *given)


async def history(client: AnyClient) -> list[dict[str, Any]]:
    if isinstance(client, AsyncClient):
        return [each async for each in client.history()]
    return await asyncio.to_thread(lambda: list(client.history()))


def numbers(events: list[Event]) -> list[int]:
    """Return the numbers of all logged events, those of merged neighbours too."""
    return [
        seq
        for event in events
        if not isinstance(event, Status)
        for seq in range(getattr(event, "first_seq", None) or event.seq, event.seq + 1)
    ]


# --- lines that break ----------------------------------------------------------------


@BOTH
async def test_a_line_that_breaks_after_each_event_loses_and_doubles_nothing(
    server: Server, kind: type[AnyClient]
) -> None:
    async with FaultProxy(server.port) as proxy, opened(kind, proxy.port) as client:
        answer = client.ask(BLOCK, "speak briefly")
        breaks = [proxy.cut, proxy.reset]
        events = await events_of(answer, lambda event: breaks[event.seq % 2]())
        assert numbers(events) == list(range(events[-1].seq + 1))
        end = events[-1]
        assert (end.status, end.finish_reason) == ("complete", "stop")
        assert (
            end.text
            == "tick " * 20
            == "".join(event.token for event in events if isinstance(event, Chunk))
        )
        assert proxy.accepted > 5  # the lines did break
        assert [each["stream_id"] for each in await history(client)] == [answer.stream_id]


@BOTH
async def test_a_start_whose_answer_was_lost_is_repeated_and_starts_once(
    server: Server, kind: type[AnyClient]
) -> None:
    async with FaultProxy(server.port) as proxy, opened(kind, proxy.port) as client:
        assert await history(client) == []  # it has its session
        for connection in proxy.connections:
            connection.set_fault(Fault(reset_after=connection.sent))
        proxy.fault = Fault(reset_after=0)
        answer = client.ask(BLOCK, "speak briefly")
        reading = asyncio.create_task(events_of(answer))
        async with asyncio.timeout(30):
            while proxy.accepted < 4:  # noqa: ASYNC110 (there is no event)
                await asyncio.sleep(0.01)
        proxy.clear()
        events = await reading
        assert events[-1].status == "complete"
        assert [each["request_id"] for each in await history(client)] == [answer.request_id]


@BOTH
async def test_a_quiz_is_joined_after_an_event_and_has_its_result(
    server: Server, kind: type[AnyClient]
) -> None:
    async with opened(kind, server.port) as client:
        first = await events_of(client.ask("quiz", "Planets", {"questions": 3}))
        end = first[-1]
        assert end.items[0]["path"] == "/title"
        assert len(end.result["questions"]) == 3
        middle = end.seq // 2
        rest = await events_of(client.stream(end.stream_id, after=middle))
        assert numbers(rest) == list(range(middle + 1, end.seq + 1))
        for after in (end.seq - 1, end.seq):
            assert (await events_of(client.stream(end.stream_id, after=after)))[-1].seq == end.seq


@BOTH
async def test_answers_side_by_side_belong_to_one_visitor(
    server: Server, kind: type[AnyClient]
) -> None:
    async with opened(kind, server.port) as client:
        answers = [client.ask(BLOCK, f"speak briefly {number}") for number in range(4)]
        ends = await asyncio.gather(*(on(answer, "read") for answer in answers))
        assert {end.text for end in ends} == {"tick " * 20}
        kept = {each["stream_id"] for each in await history(client)}
        assert kept == {end.stream_id for end in ends}


# --- cancel --------------------------------------------------------------------------


@BOTH
async def test_a_cancel_stops_the_model_and_the_answer_ends_once(
    server: Server, kind: type[AnyClient]
) -> None:
    async with opened(kind, server.port) as client:
        answer = client.ask(BLOCK, "speak for ever")

        async def stop(event: Event) -> None:
            if event.seq == 3:
                await on(answer, "cancel")

        end = (await events_of(answer, stop))[-1]
        assert (end.status, end.by) == ("cancelled", "owner")
        assert end.text.startswith("on and on on ")
        await on(answer, "cancel")  # idempotent
        await on(client, "cancel", answer.stream_id)


@BOTH
async def test_a_cancel_comes_through_while_another_thread_or_task_reads(
    server: Server, kind: type[AnyClient]
) -> None:
    async with opened(kind, server.port) as client:
        answer = client.ask(BLOCK, "say nothing")
        has_begun = asyncio.Event()
        reading = asyncio.create_task(events_of(answer, _set_after(has_begun, -1)))
        await has_begun.wait()
        await on(answer, "cancel")
        events = await reading
        assert [type(event) for event in events] == [Status, Terminal]
        assert events[-1].status == "cancelled"


@BOTH
async def test_a_cancel_before_the_first_event_leaves_nothing(
    server: Server, kind: type[AnyClient]
) -> None:
    async with opened(kind, server.port) as client:
        answer = client.ask(BLOCK, "speak for ever")
        await on(answer, "cancel")
        end = (await events_of(answer))[-1]
        assert (end.status, end.stream_id) == ("cancelled", None)
        # The server remembers it, too: the start may have been on its way.
        late = client.ask(BLOCK, "speak for ever", request_id=answer.request_id)
        end = (await events_of(late))[-1]
        assert (end.status, end.text) == ("cancelled", "")
        assert end.stream_id is not None


# --- refusals, and plain calls ----------------------------------------------------------


@BOTH
async def test_refusals_are_coded(server: Server, kind: type[AnyClient]) -> None:
    async with opened(kind, server.port) as client:
        slugs = [block["slug"] for block in await on(client, "blocks")]
        assert {"quiz", BLOCK} <= set(slugs)
        refused = {
            "unknown_block": client.ask("nothing", "Hello"),
            "invalid_input": client.ask("quiz", "Planets", {"questions": "many"}),
            "not_found": client.stream("A" * 22),
        }
        for code, answer in refused.items():
            with pytest.raises(LiveAIError) as raised:
                await on(answer, "read")
            assert raised.value.code == code
            assert raised.value.message


# --- tokens and restarts ----------------------------------------------------------------


@BOTH
async def test_a_token_that_ends_in_mid_answer_is_renewed(
    server: Server, module_database: Database, kind: type[AnyClient]
) -> None:
    tokens: list[str] = []

    def get_token() -> str:
        tokens.append(add_token(module_database))
        return tokens[-1]

    async with opened(kind, server.port, get_token=get_token) as client:
        answer = client.ask(BLOCK, "speak for ever")
        seen = [0]

        async def end_it(event: Event) -> None:
            if len(tokens) == 1 and event.seq == 2:
                revoke_tokens(module_database)
            if len(tokens) == 2:
                seen[0] += 1
                if seen[0] == 3:
                    await on(answer, "cancel")

        events = await events_of(answer, end_it)
        assert numbers(events) == list(range(events[-1].seq + 1))
        assert events[-1].status == "cancelled"
        assert len(tokens) == 2
        with pytest.raises(ValueError, match="not both"):
            kind("http://localhost", "a", lambda: "b")


async def test_a_server_that_restarts_ends_each_answer_once(template: Path, tmp_path: Path) -> None:
    database = Database(template, tmp_path)
    patience = Patience(first_seconds=0.05, most_seconds=1.0, attempts=100)
    with running("serve", database, is_quick=True) as first:
        port = first.port
        async with (
            opened(Client, port, patience=patience) as client,
            opened(AsyncClient, port, patience=patience) as async_client,
        ):
            begun, readings = [], []
            for each in (client, async_client):
                has_begun = asyncio.Event()
                answer = each.ask(BLOCK, "speak slowly")
                reading = events_of(answer, _set_after(has_begun, 3))
                begun.append(has_begun.wait())
                readings.append(asyncio.create_task(reading))
            await asyncio.gather(*begun)
            first.kill()
            with running("serve", database, is_quick=True, port=port) as second:
                for events in await asyncio.gather(*readings):
                    assert_agrees(events)
                second.assert_unharmed()


def _set_after(has_begun: asyncio.Event, seq: int) -> Callable[[Event], None]:
    def look(event: Event) -> None:
        if event.seq >= seq:
            has_begun.set()

    return look


def assert_agrees(events: list[Event]) -> None:
    """Assert that the events add up to the text of the end.

    The log died with its process: what the row held replaces it, or the model begins again.
    """
    end = events[-1]
    is_told = any(isinstance(event, Snapshot | Reset) for event in events)
    assert is_told or end.code == "generator_lost"
    text = ""
    for event in events:
        match event:
            case Chunk():
                text += event.token
            case Reset():
                text = ""
            case Snapshot():
                text = event.text
    assert text == end.text
