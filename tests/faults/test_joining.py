"""A running stream joins its user at a sign-in: live, in two processes, on every device."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.support.faults.cluster import Cluster, running_cluster
from tests.support.servers.harness import ADMIN_PASSWORD, SCRIPTS
from tests.support.servers.visitor import Held, Visitor

SLOWLY = {"AI_MODEL": "scripted:live", "AI_SCRIPTS_DIR": str(SCRIPTS)}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("joining")
    with running_cluster(folder, web=2, environment=SLOWLY) as running:
        yield running


async def sign_in(visitor: Visitor) -> None:
    form = urlencode({"login": "admin", "password": ADMIN_PASSWORD}).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
    status, _ = await visitor.call("POST", "/account/login/", form, headers=kind)
    assert status == 302


def at(port: int, visitor: Visitor) -> Visitor:
    """Return the same browser, at another process."""
    there = Visitor(port)
    there.cookies = dict(visitor.cookies)
    return there


async def test_it_goes_on_for_the_user_in_both_processes_and_for_nobody_else(
    cluster: Cluster,
) -> None:
    async with cluster.visited() as service:
        one, two = service.ports
        here = await Visitor.arrive(one)
        device = await Visitor.arrive(two)
        await sign_in(device)
        async with (
            await here.ask("speak for ever") as starter,
            at(two, here).socket("?follow=none") as old,
            device.socket("?follow=user") as other_device,
        ):
            await starter.until(lambda client: len(client.events) > 2)
            stream_id = starter.events[0]["stream_id"]
            await old.send(type="resume", stream_id=stream_id, after=-1)
            await old.until(lambda frame: frame["type"] == "chunk")

            before = at(two, here)
            here = at(two, here)  # the process that does not generate it
            await sign_in(here)
            shown = await other_device.until(lambda frame: frame["type"] == "start")
            assert shown["stream_id"] == stream_id
            await other_device.until(lambda frame: frame["type"] == "chunk")

            assert await old.until_closed() == 4401
            await starter.until(lambda client: client.has_ended)
            assert starter.events[-1]["type"] not in ("complete", "error", "cancelled")
            held = Held()
            held.take_all(starter.events)

            # The browser reconnects, to either process.
            resumed = [await at(port, here).watch(stream_id, held.cursor) for port in (one, two)]
            for client in resumed:
                await client.until(lambda each: len(each.events) > 1)
                first = client.events[1]
                assert first.get("first_seq", first["seq"]) == held.cursor + 1
            for port in (one, two):
                _, history = await at(port, here).call("GET", "/api/streams")
                assert stream_id in [row["stream_id"] for row in history["results"]]
                assert (await at(port, before).call("GET", f"/api/streams/{stream_id}"))[0] == 404
                stranger = await Visitor.arrive(port)
                assert (await stranger.call("GET", f"/api/streams/{stream_id}"))[0] == 404

            status, stopped = await here.call("POST", f"/api/streams/{stream_id}/cancel")
            assert (status, stopped["status"]) == (200, "cancelled")
            await asyncio.gather(*(each.until(lambda c: c.has_ended) for each in resumed))
            assert {each.events[-1]["type"] for each in resumed} == {"cancelled"}
            assert (await other_device.until_end(stream_id))["type"] == "cancelled"
            for client in resumed:
                client.close()
