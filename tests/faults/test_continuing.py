"""A continuation outlives its process, and the stream that it continues.

Source: spec.md, "HTTP" (Continue), "Resume".
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.faults.cluster import Cluster, running_cluster
from tests.support.faults.plan import Plan
from tests.support.servers.visitor import START, Held, Visitor

RUNNERS = {"inline": {"web": 2}, "worker": {"web": 1, "workers": 2}}


@pytest.fixture(params=RUNNERS)
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("continuing")
    environment = {"AI_STREAMING_RUNNER": request.param}
    with running_cluster(folder, environment=environment, is_quick=True) as cluster:
        cluster.start(**RUNNERS[request.param])
        yield cluster


async def test_another_process_goes_on_with_it_though_the_first_stream_is_deleted(
    cluster: Cluster,
) -> None:
    plan = Plan("continued", tokens=140, every_ms=10, hold=1, after=50)
    async with cluster.visited() as service:
        visitor = service.visitor(cluster.ports[0])
        async with await visitor.ask(plan.prompt) as client:
            first_id = (await client.until_event("start"))["stream_id"]
            await cluster.reached([first_id], 40)
        first = (await visitor.call("POST", f"/api/streams/{first_id}/cancel", {}))[1]
        assert plan.text.startswith(first["text"]) and first["status"] == "cancelled"

        status, rest = await visitor.call("POST", START, {"continues": first_id})
        assert status == 201
        rest_id = rest["stream_id"]
        await cluster.reached([rest_id], 40)
        assert (await visitor.call("DELETE", f"/api/streams/{first_id}"))[0] == 204

        generator = cluster.generator_of(rest_id)
        cluster.kill(generator)
        survivor = Visitor(cluster.ports[0])
        survivor.cookies = visitor.cookies
        service.ports[:] = cluster.ports
        cluster.release([plan])
        async with await survivor.watch(rest_id) as client:
            events = await client.until_end()
        assert events[-1]["type"] == "complete"
        assert events[0]["continues"] == first_id
        held = Held().take_all(events)
        assert first["text"] + held.text == plan.text
        assert cluster.recoveries([rest_id]) == [1]
        begun, taken_over = cluster.upstream.stats_of(plan.key).continued_at
        assert begun == len(first["text"]) < taken_over < len(plan.text)
