"""An answer is one trace: from the request over the queue and a killed worker to its end."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.support import canaries
from tests.support.faults.cluster import running_cluster
from tests.support.faults.plan import Plan
from tests.support.faults.with_workers import WORKERS
from tests.support.servers.harness import eventually
from tests.support.servers.trace_collector import ReceivedSpan, running_collector
from tests.support.servers.visitor import START

SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5
ROUTE = "/api/stream/ai-block/{block_type}"
FOREIGN = "00-" + "7" * 32 + "-" + "8" * 16 + "-01"


@pytest.mark.timeout(300)
async def test_a_killed_workers_answer_goes_on_in_the_trace_of_its_request(
    tmp_path: Path,
) -> None:
    plan = Plan("traced", tokens=30, every_ms=20, hold=1, after=10)
    prompt = f"{canaries.PROMPT} {plan.prompt}"
    with running_collector() as collector:
        environment = {**WORKERS, **collector.environment, "LOG_FORMAT": "json"}
        folder = tmp_path / "cluster"
        with running_cluster(folder, web=1, environment=environment, is_quick=True) as cluster:
            (killed,) = cluster.start(workers=1)
            (web,) = cluster.web
            async with cluster.visited() as service:
                visitor = service.visitor()
                headers = {"traceparent": FOREIGN, "Accept": "text/event-stream"}
                asked = visitor.open(START, method="POST", data={"prompt": prompt}, headers=headers)
                async with await asked as client:
                    request_id = client.headers["x-request-id"]
                    await client.until_event("chunk")
                    stream_id = client.events[0]["stream_id"]
                    await cluster.reached([stream_id], 9, count=1)
                    # The killed worker's request to the model had its answer's head.
                    await eventually(lambda: len(collector.of("")) == 3)
                    cluster.kill(killed)
                    cluster.release([plan])
                    (heir,) = await asyncio.to_thread(cluster.start, workers=1)
                    assert (await client.until_end())[-1]["type"] == "complete"
                async with visitor.socket() as socket:
                    await socket.until_end(await socket.start(Plan("socket", tokens=3).prompt))
                async with await visitor.open(f"/api/streams/{stream_id}/events") as other:
                    await other.until_end()
            lines = [json.loads(line) for line in heir.output.splitlines() if line[:1] == "{"]
            # Nothing else is left to export when the processes have ended.
            for server in (*cluster.web, *cluster.workers):
                server.end()

    first, second = collector.of(f"POST {ROUTE}"), collector.of("start /ws/stream")
    assert len(first) == len(second) == 1
    request = first[0]
    assert request.trace_id != FOREIGN.split("-")[1] and not request.parent_id  # nobody's own
    trace = [span for span in collector.spans if span.trace_id == request.trace_id]
    start = one_of(trace, "start ask-question", PRODUCER)
    generation = one_of(trace, "generate ask-question", CONSUMER)
    chat = one_of(trace, "chat planned", CLIENT)
    first_call, call = [span for span in trace if (span.name, span.kind) == ("POST", CLIENT)]
    assert (first_call.pid, call.pid) == (killed.pid, heir.pid)
    assert len(trace) == 6  # the killed worker's other spans never ended
    for child, parent in ((start, request), (generation, start), (chat, generation), (call, chat)):
        assert child.parent_id == parent.span_id
    assert (request.kind, request.pid, start.pid) == (SERVER, web.pid, web.pid)
    assert (generation.pid, chat.pid) == (heir.pid, heir.pid)

    assert request.attributes["http.response.status_code"] == 200
    assert start.attributes["liveai.stream_id"] == stream_id
    assert generation.attributes["liveai.stream_id"] == stream_id
    assert generation.attributes["liveai.recoveries"] == 1
    assert generation.attributes["liveai.status"] == "complete"
    assert chat.attributes["gen_ai.usage.output_tokens"] > 0
    assert call.attributes["http.response.status_code"] == 200
    others = {span.trace_id for span in collector.spans} - {request.trace_id}
    assert others == {second[0].trace_id}  # who only watches begins no trace

    (line,) = [line for line in lines if "takes it over" in line["event"]]
    ids = {name: line[name] for name in ("request_id", "stream_id", "trace_id")}
    assert ids == {
        "request_id": request_id, "stream_id": stream_id, "trace_id": request.trace_id
    }  # fmt: skip
    said = collector.raw.decode("latin-1")
    assert canaries.canaries_in(said, plan.prompt, plan.token(3).strip()) == []


def one_of(trace: list[ReceivedSpan], name: str, kind: int) -> ReceivedSpan:
    (found,) = [span for span in trace if (span.name, span.kind) == (name, kind)]
    return found
