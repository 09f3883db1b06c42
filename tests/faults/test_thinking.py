"""A worker's model thinks: the viewers of every web process are told, on both transports."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.support.faults.cluster import Cluster, running_cluster
from tests.support.servers.harness import SCRIPTS
from tests.support.servers.sse_client import SseClient
from tests.support.servers.visitor import Held

ANSWER = "The sky is blue. That is all."
THINKING = {
    "AI_MODEL": "scripted:thinking",
    "AI_SCRIPTS_DIR": str(SCRIPTS),
    "AI_STREAMING_RUNNER": "worker",
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("thinking")
    with running_cluster(folder, web=2, workers=1, environment=THINKING) as running:
        yield running


def assert_told_in_time(events: list[dict[str, Any]], *, at_least: int) -> None:
    """Check the thinking that one viewer of a whole stream was told."""
    Held().take_all(events)  # every logged event once, in order, and nothing after the end
    kinds = [event["type"] for event in events]
    told = [event for event in events if event["type"] == "thinking"]
    assert at_least <= len(told) <= 4, kinds  # of 32 signs in 3.2 seconds
    first_chunk = kinds.index("chunk")
    assert kinds[first_chunk - len(told) : first_chunk] == ["thinking"] * len(told)
    assert "thinking" not in kinds[first_chunk:]
    assert all("seq" not in event for event in told)
    since = [event["since_ms"] for event in told]
    assert all(later - earlier >= 1_000 for earlier, later in pairwise(since))


async def read_to_the_end(client: SseClient) -> list[dict[str, Any]]:
    async with client:
        await client.until(lambda each: each.has_ended)
    return client.events


async def test_every_viewer_is_told_whatever_process_it_is_connected_to(cluster: Cluster) -> None:
    async with cluster.visited() as service:
        here, there = (service.visitor(port) for port in service.ports)
        async with there.socket() as socket:
            starter = await here.ask("Why is the sky blue?")
            await starter.until(lambda client: len(client.events) > 1)
            stream_id = starter.events[0]["stream_id"]
            assert starter.events[1]["type"] == "thinking"
            document = await there.snapshot(stream_id)
            assert (document["seq"], document["text"], document["ttft_ms"]) == (-1, "", None)
            others = await there.watch(stream_id)
            at_both, elsewhere = await asyncio.gather(
                read_to_the_end(starter), read_to_the_end(others)
            )
            await socket.until_end(stream_id)
            late = await read_to_the_end(await here.watch(stream_id))
    assert_told_in_time(at_both, at_least=3)
    assert_told_in_time(elsewhere, at_least=2)
    assert_told_in_time(socket.events_of(stream_id), at_least=2)
    for events in (at_both, elsewhere, socket.events_of(stream_id), late):
        assert Held().take_all(events).text == ANSWER
    assert "thinking" not in [event["type"] for event in late]


async def test_with_streaming_off_thinking_is_the_sign_of_life(cluster: Cluster) -> None:
    cluster.change("UPDATE blocks_blocktype SET streaming = 0 WHERE slug = 'explain-eli10'")
    async with cluster.visited() as service:
        visitor = service.visitor(service.ports[1])
        client = await visitor.ask("Why is the sky blue?", block="explain-eli10")
        events = await read_to_the_end(client)
    assert_told_in_time(events, at_least=3)
    assert [event["type"] for event in events][-2:] == ["chunk", "complete"]


async def test_a_refusal_reaches_the_viewers_of_another_process_and_the_row(
    cluster: Cluster,
) -> None:
    async with cluster.visited() as service:
        here, there = (service.visitor(port) for port in service.ports)
        starter = await here.ask("Please decline", block="quiz")
        events = await read_to_the_end(starter)
        document = await there.snapshot(events[0]["stream_id"])
    words = "I’m sorry, but I can’t help with that."
    assert [event["type"] for event in events] == ["start", "error"]
    assert (events[-1]["code"], events[-1]["message"]) == ("refused", words)
    assert document["error"] == {"code": "refused", "message": words, "retryable": False}
    for process in (*cluster.web, *cluster.workers):
        assert "help with that" not in process.output
