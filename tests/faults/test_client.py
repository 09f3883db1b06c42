"""The client that drops its connection, against one real server: its records and its resilience."""

from __future__ import annotations

import asyncio
import copy
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faults.checker import check, check_all
from tests.support.faults.client import Service, start_of, watch_to_the_end
from tests.support.faults.drive import add_truth, drive, give_verdict
from tests.support.faults.fault_proxy import Fault, FaultProxy
from tests.support.faults.history import read_histories
from tests.support.faults.plan import Plan
from tests.support.faults.redis_server import free_port
from tests.support.faults.resume import resume_seconds
from tests.support.faults.upstream_server import UpstreamServer
from tests.support.servers.harness import Database, Server, running

SEED = 20_261


@pytest.fixture(scope="module")
def server(
    upstream: UpstreamServer, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    database = Database(template, tmp_path_factory.mktemp("client"))
    with running("serve", database, environment=upstream.environment) as started:
        yield started
        started.assert_unharmed()


async def test_twenty_streams_with_three_drops_each_have_no_breach(
    server: Server, upstream: UpstreamServer, tmp_path: Path
) -> None:
    print(f"seed {SEED}")
    service = await Service.arrive([server.port])
    plans = [Plan(f"many-{n}", tokens=60, every_ms=15, seed=n) for n in range(20)]
    histories = await drive(service, plans, seed=SEED, drops=3)
    await add_truth(service, histories, upstream)
    give_verdict(histories, seed=SEED, folder=tmp_path)

    viewings = [viewing for history in histories for viewing in history.viewings]
    assert len({history.stream_id for history in histories}) == 20
    assert all(viewing.drops == 3 for viewing in viewings)
    assert all(map(resume_seconds, histories))
    transports = [c.transport for viewing in viewings for c in viewing.connections]
    assert {"sse", "websocket"} == set(transports) and len(transports) >= 80
    assert all(history.calls == 1 and history.row for history in histories)
    ways = {c.ended_by for viewing in viewings for c in viewing.connections}
    assert ways == {"drop", "terminal"}
    # Connections broke in mid-answer, not only at the ends.
    cursors = {c.asked_after for viewing in viewings for c in viewing.connections}
    assert len(cursors) > 10

    # The checker reads the records: one missing token is reported.
    broken = copy.deepcopy(histories)
    chunks = [e for e in broken[7].viewings[0].events if e["type"] == "chunk"]
    chunks[1]["token"] = chunks[1]["token"][:-1]
    assert {breach.kind for breach in check_all(broken)} >= {"not_the_log", "wrong_text"}
    with pytest.raises(AssertionError, match=f"with seed {SEED}") as said:
        give_verdict(broken, seed=SEED, folder=tmp_path)
    assert broken[7].stream_id in str(said.value)
    about, kept = read_histories(tmp_path / f"histories-{SEED}.jsonl")
    assert about == {"seed": SEED} and kept == broken


async def test_quizzes_are_watched_and_judged_likewise(
    server: Server, upstream: UpstreamServer
) -> None:
    service = await Service.arrive([server.port])
    plans = [Plan(f"quiz-{n}", quiz=3, every_ms=10, seed=n) for n in range(4)]
    histories = await drive(service, plans, seed=SEED, block="quiz", drops=2)
    await add_truth(service, histories, upstream)
    assert check_all(histories) == []
    for history, plan in zip(histories, plans, strict=True):
        end = history.viewings[0].end
        assert end is not None and end["result"]["title"] == f"The quiz {plan.seed}"
        assert len(end["result"]["questions"]) == 3 and end["dropped"] == {}
    item = next(e for e in histories[1].viewings[0].events if e["type"] == "item")
    item["value"] = "another"
    assert "not_the_log" in {breach.kind for breach in check_all(histories)}


async def test_viewers_who_ask_at_the_same_time_watch_one_stream(
    server: Server, upstream: UpstreamServer
) -> None:
    service = await Service.arrive([server.port])
    plans = [Plan(f"shared-{n}", tokens=40, every_ms=15) for n in range(3)]
    histories = await drive(service, plans, seed=SEED, drops=2, viewers=3)
    await add_truth(service, histories, upstream)
    assert check_all(histories) == []
    assert [len(history.viewings) for history in histories] == [3, 3, 3]


async def test_a_stream_that_is_known_is_attached_to_and_one_that_is_not_is_said(
    server: Server,
) -> None:
    service = await Service.arrive([server.port])
    rng = random.Random(SEED)
    first = await watch_to_the_end(service, start_of(Plan("known").prompt, rng), rng=rng)
    assert first.end is not None
    stream_id = first.end["stream_id"]
    for transports in "sw":
        again = await watch_to_the_end(
            service, stream_id=stream_id, rng=rng, transports=transports, drops=2
        )
        assert again.end == first.end and again.drops == 2
    nobodys = "bm9ib2R5J3Mgc3RyZWFtIQ"
    lost = [
        await watch_to_the_end(service, stream_id=nobodys, rng=rng, transports=transports)
        for transports in "sw"
    ]
    assert all(viewing.end is None for viewing in lost)
    ends = [viewing.connections[-1].ended_by for viewing in lost]
    assert ends == ["http 404", "refused not_found"]


async def test_a_deadline_leaves_an_unfinished_viewing(server: Server) -> None:
    service = await Service.arrive([server.port])
    rng = random.Random(SEED)
    start = start_of(Plan("endless", tokens=0, every_ms=20).prompt, rng)
    viewing = await watch_to_the_end(service, start, rng=rng, deadline_seconds=2)
    assert viewing.end is None and viewing.connections[-1].ended_by == "deadline"
    assert len(viewing.events) > 3
    stream_id = viewing.events[0]["stream_id"]
    status, _ = await service.visitor().call("POST", f"/api/streams/{stream_id}/cancel")
    assert status == 200
    again = await watch_to_the_end(service, start, rng=rng)
    assert again.end is not None and again.end["type"] == "cancelled"


async def test_it_survives_ports_that_refuse_and_lines_that_break_by_themselves(
    server: Server, upstream: UpstreamServer
) -> None:
    async with FaultProxy(server.port) as proxy:
        service = await Service.arrive([server.port])
        service.ports[:] = [free_port(), proxy.port]
        proxy.fault = Fault(reset_after=900)

        async def mend() -> None:
            while proxy.accepted < 12:  # noqa: ASYNC110 (there is no event)
                await asyncio.sleep(0.01)
            proxy.clear()

        mending = asyncio.ensure_future(mend())
        plans = [Plan(f"proxy-{n}", tokens=40, every_ms=10) for n in range(4)]
        histories = await drive(service, plans, seed=SEED, drops=1)
        await mending
        service.ports[:] = [server.port]
        await add_truth(service, histories, upstream)
    assert check_all(histories) == []
    ways = {c.ended_by for h in histories for v in h.viewings for c in v.connections}
    assert {"refused", "lost", "drop", "terminal"} <= ways


async def test_a_killed_server_is_waited_for_until_another_one_has_the_end(
    upstream: UpstreamServer, template: Path, tmp_path: Path
) -> None:
    database = Database(template, tmp_path)
    service = Service([])
    plan = Plan("restarted", tokens=100, every_ms=20)
    with running("serve", database, environment=upstream.environment) as first:
        service = await Service.arrive([first.port])
        is_known = asyncio.Event()
        driving = asyncio.ensure_future(
            drive(service, [plan], seed=SEED, drops=0, on_start=lambda *_: is_known.set())
        )
        await asyncio.wait_for(is_known.wait(), 30)
        first.kill()
    with running("serve", database, environment=upstream.environment) as second:
        service.ports[:] = [second.port]
        (history,) = await driving
        await add_truth(service, [history], upstream)
    history.recoveries = 1  # if the server continues the running stream
    assert check(history) == []
    ways = {c.ended_by for c in history.viewings[0].connections}
    assert {"lost", "terminal"} <= ways <= {"lost", "refused", "terminal"}
    assert history.viewings[0].connections[-1].port == second.port
