"""Behind nginx, a process stops or is killed, or nginx dies: viewers see all events once."""

from __future__ import annotations

import asyncio
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faults.client import Service
from tests.support.faults.drive import add_truth, drive, give_verdict
from tests.support.faults.plan import Plan
from tests.support.faults.site import Site, running_site
from tests.support.servers.harness import Server, eventually
from tests.support.servers.visitor import START, Held, Visitor

SEED = 20


@pytest.fixture
def site(template: Path, tmp_path: Path) -> Iterator[Site]:
    with running_site(template, tmp_path) as site:
        yield site


@pytest.fixture
def quick_site(template: Path, tmp_path: Path) -> Iterator[Site]:
    """Its processes have a quick clock."""
    with running_site(template, tmp_path, is_quick=True) as site:
        yield site


async def test_with_a_process_killed_all_is_seen_exactly_once(
    quick_site: Site, tmp_path: Path
) -> None:
    site = quick_site
    service = await Service.arrive([site.nginx.port])
    plans = [Plan(f"kill-{number}", tokens=100, every_ms=40, seed=number) for number in range(12)]
    started: set[str] = set()
    driving = asyncio.create_task(
        drive(
            service,
            plans,
            seed=SEED,
            drops=1,
            within_bytes=2_000,
            on_start=lambda plan, stream_id: started.add(stream_id),
        )
    )
    await eventually(lambda: len(started) == len(plans) or driving.done())
    site.servers[0].kill()
    histories = await driving
    for history in histories:
        history.recoveries = 1
    await add_truth(service, histories, site.upstream)
    give_verdict(histories, seed=SEED, folder=tmp_path)
    ends = [history.row["status"] for history in histories if history.row is not None]
    assert ends == ["complete"] * len(plans)
    # The stop did affect them: it cut some, and the killed process generated some.
    reasons = {c.ended_by for h in histories for v in h.viewings for c in v.connections}
    assert "lost" in reasons or "closed" in reasons
    assert any(history.calls == 2 for history in histories)
    site.servers[1].assert_unharmed()


async def test_a_process_that_stops_is_noticed_by_nobody(site: Site) -> None:
    """Starts go to the other process at once, and viewers when told to reconnect.

    An answer that outlasts the drain continues there.
    """
    stopping, other = site.servers
    visitor = await Visitor.arrive(site.nginx.port)
    at_stopping = Visitor(stopping.port)
    at_stopping.cookies = visitor.cookies
    as_json = {"Accept": "application/json"}
    plan = Plan("stays", tokens=30, hold=1, after=1)
    status, snapshot = await at_stopping.call("POST", START, {"prompt": plan.prompt}, as_json)
    assert status == 201
    stream_id = snapshot["stream_id"]
    # Each view goes to the process with fewer connections, so each process gets one.
    views = [await visitor.watch(stream_id), await visitor.watch(stream_id)]
    for view in views:
        await view.until_event("chunk")

    stopping.signal(signal.SIGTERM)
    exit_code = asyncio.create_task(asyncio.to_thread(stopping.wait, 60))
    unlucky = 0
    while not exit_code.done():
        start = {"prompt": Plan("meanwhile", tokens=3).prompt, "request_id": str(uuid.uuid4())}
        async with await visitor.open(START, method="POST", data=start, headers=as_json) as answer:
            status = answer.status
        if status == 502:
            # The POST was already sent when the process closed its listener: nginx does not repeat
            # a POST. A client may: its request_id makes both the same start.
            unlucky += 1
            status, _ = await visitor.call("POST", START, start, as_json)
        assert status == 201
        status, history = await visitor.call("GET", "/api/streams?limit=1")
        assert (status, len(history["results"])) == (200, 1)
    assert unlucky <= 1
    assert await exit_code == 0

    site.upstream.release("stays")
    heard = await asyncio.gather(*(view.until_end(timeout_seconds=30) for view in views))
    assert sorted(events[-1]["type"] for events in heard) == ["complete", "reconnect"]
    for view in views:
        held = Held().take_all(view.events)
        if held.terminal is None:
            async with await visitor.watch(stream_id, held.cursor) as again:
                held.take_all(await again.until_end(timeout_seconds=30))
        assert held.terminal is not None and held.terminal["type"] == "complete"
        assert held.text == plan.text
        view.close()
    # The process did refuse starts, and the other one accepted them.
    lines = site.nginx.access_log.splitlines()
    starts = [line for line in lines if f" POST {START} 201 " in line]
    refused = f'upstream="127.0.0.1:{stopping.port}'
    assert any(refused in line and " 503 :" in line for line in starts)
    stopping.assert_nothing_broke()
    other.assert_unharmed()


async def test_nginx_itself_dies_and_answers_go_on(site: Site, tmp_path: Path) -> None:
    plans = [Plan(f"nginx-{n}", tokens=60, every_ms=20, hold=1, after=20, seed=n) for n in range(8)]
    upstream = site.upstream
    started: set[str] = set()
    service = await Service.arrive([site.nginx.port])
    driving = asyncio.create_task(
        drive(service, plans, seed=SEED, drops=0, on_start=lambda _, id: started.add(id))
    )
    await eventually(lambda: len(started) == len(plans) or driving.done())
    await asyncio.to_thread(site.nginx.kill)
    for plan in plans:
        upstream.release(plan.key)
    await eventually(lambda: all(upstream.stats_of(plan.key).finished for plan in plans))
    await asyncio.to_thread(site.nginx.start)
    histories = await driving
    await add_truth(service, histories, upstream)
    give_verdict(histories, seed=SEED, folder=tmp_path)
    for history in histories:
        assert history.row is not None and history.row["status"] == "complete"
        assert history.calls == 1
        ways = [connection.ended_by for connection in history.viewings[0].connections]
        assert ways[-1] == "terminal" and "refused" in ways


async def test_who_waits_for_a_whole_answer_waits_on_in_the_other_process(site: Site) -> None:
    """The stopping process refuses the request, and nginx retries it at the other.

    The `request_id` makes it the same answer.
    """
    visitor = await Visitor.arrive(site.nginx.port)
    plan = Plan("awaited", tokens=30, hold=1, after=1)
    question = {"prompt": plan.prompt, "request_id": str(uuid.uuid4())}
    waiting = asyncio.ensure_future(visitor.call("POST", f"{START}?wait=1", question))
    await eventually(lambda: site.upstream.stats_of(plan.key).calls == 1)
    (stopping,) = (server for server in site.servers if site.upstream.port in _ports_of(server))
    stopping.signal(signal.SIGTERM)
    assert await asyncio.to_thread(stopping.wait, 60) == 0
    site.upstream.release(plan.key)
    status, stream = await waiting
    assert (status, stream["status"], stream["text"]) == (200, "complete", plan.text)
    _, history = await visitor.call("GET", "/api/streams")
    assert [one["stream_id"] for one in history["results"]] == [stream["stream_id"]]
    stopping.assert_nothing_broke()


def _ports_of(server: Server) -> set[int]:
    """Return the ports that a process is connected to."""
    return {one.raddr.port for one in server.process.net_connections() if one.raddr}
