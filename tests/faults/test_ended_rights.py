"""Rights that end while answers run, in two processes on one Redis.

Source: spec.md, "Ended sessions" and "Running streams of an ended right".
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from urllib.parse import urlencode

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.faults.cluster import PREFIX, Cluster, running_cluster
from tests.support.faults.plan import Plan
from tests.support.servers.harness import ADMIN_PASSWORD, BUSY_SECONDS, eventually
from tests.support.servers.visitor import START, Visitor

PEOPLE = ["ada", "bob", "cy", "dora"]
END_SECONDS = 2.0 + BUSY_SECONDS
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
JSON = {"Accept": "application/json"}
NOT_AUTHENTICATED = "not_authenticated"


def add_people(path: Path) -> None:
    """Add users with the administrator's password; bob is in the group `plan`."""
    with closing(sqlite3.connect(path)) as rows, rows:
        for name in PEOPLE:
            rows.execute(
                "INSERT INTO auth_user (password, is_superuser, username, first_name, last_name,"
                " email, is_staff, is_active, date_joined) SELECT password, 0, ?, '', '', '', 0, 1,"
                " date_joined FROM auth_user WHERE username = 'admin'",
                [name],
            )
        rows.execute("INSERT INTO auth_group (id, name) VALUES (1, 'plan')")
        rows.execute(
            "INSERT INTO auth_user_groups (user_id, group_id)"
            " SELECT id, 1 FROM auth_user WHERE username = 'bob'"
        )
        for whose, group, running in (("users", None, 1), ("member", 1, 3)):
            rows.execute(
                "INSERT INTO streaming_limit (whose, group_id, running) VALUES (?, ?, ?)",
                [whose, group, running],
            )


@pytest.fixture(scope="module", params=["continue", "cancel"])
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("rights")
    rule = {"STREAM_ON_RIGHT_END": request.param}
    with running_cluster(folder, web=2, environment=rule, prepare=add_people) as running:
        yield running


async def signed_in(port: int, name: str) -> Visitor:
    visitor = await Visitor.arrive(port)
    await submit(visitor, "/account/login/", login=name, password=ADMIN_PASSWORD)
    return visitor


async def submit(visitor: Visitor, path: str, *, leads_to: str = "/", **fields: str) -> None:
    """Submit a form of the accounts' pages, which must succeed."""
    form = urlencode(fields).encode()
    async with await visitor.open(path, method="POST", data=form, headers=FORM) as answer:
        assert (answer.status, answer.headers.get("location")) == (302, leads_to)


def at(port: int, visitor: Visitor) -> Visitor:
    """Return the same browser, at another process."""
    there = Visitor(port)
    there.cookies = dict(visitor.cookies)
    return there


@asynccontextmanager
async def silent_stream(cluster: Cluster, visitor: Visitor, key: str) -> AsyncIterator[str]:
    """Start an answer whose model falls silent; release it at the end."""
    plan = Plan(f"{key}-{time.monotonic_ns()}", tokens=9, hold=1, after=2)
    data = {"prompt": plan.prompt}
    status, document = await visitor.call("POST", START, data, headers=JSON)
    assert status == 201, document
    stream_id: str = document["stream_id"]
    try:
        await cluster.reached([stream_id], 0)
        yield stream_id
    finally:
        cluster.release([plan])


async def until_gone(cluster: Cluster, stream_id: str) -> None:
    """Wait until neither a row nor a log of a stream is left, and nobody generates it."""
    key = f"{PREFIX}:{{{stream_id}}}"
    query = "SELECT 1 FROM streaming_stream WHERE id = ?"
    await eventually(lambda: not cluster.rows(query, stream_id))
    await eventually(lambda: not cluster.redis.client().exists(key))
    await asyncio.to_thread(cluster.upstream.wait_until_closed)


async def test_deleting_the_account_stops_its_streams_and_ends_its_connections_in_both_processes(
    cluster: Cluster,
) -> None:
    async with cluster.visited() as service:
        one, two = service.ports
        here = await signed_in(one, "ada")
        there = at(two, here)
        async with (
            silent_stream(cluster, here, "deleted") as stream_id,
            there.socket("?follow=none") as socket,
            here.socket("?follow=user") as follower,
            await there.watch(stream_id) as line,
        ):
            await line.until(lambda client: len(client.events) > 1)
            asks = "/account/reauthenticate/?next=%2Faccount%2Fdelete%2F"
            await submit(there, "/account/delete/", leads_to=asks)
            await submit(there, asks, leads_to="/account/deleted/", password=ADMIN_PASSWORD)
            began = time.monotonic()
            assert await socket.until_closed() == 4401
            assert await follower.until_closed() == 4401
            await line.until(lambda client: client.has_ended)
            assert time.monotonic() - began < END_SECONDS
            await until_gone(cluster, stream_id)  # before anybody lets its model go on
            for port in (one, two):
                assert (await at(port, here).call("GET", f"/api/streams/{stream_id}"))[0] == 404


async def test_a_sign_out_ends_connections_and_waiting_calls_and_streams_by_the_setting(
    cluster: Cluster,
) -> None:
    cancels = cluster.environment["STREAM_ON_RIGHT_END"] == "cancel"
    async with cluster.visited() as service:
        one, two = service.ports
        here, elsewhere = await signed_in(one, "admin"), await signed_in(two, "admin")
        there = at(two, here)
        cluster.change("UPDATE streaming_limit SET running = 9 WHERE whose = 'users'")
        async with (
            silent_stream(cluster, here, "of-the-session") as stream_id,
            silent_stream(cluster, elsewhere, "of-another-session") as other_id,
            await there.watch(stream_id) as line,
            there.socket("?follow=none") as socket,
            elsewhere.socket("?follow=none") as stays,
        ):
            plan = Plan(f"waits-{time.monotonic_ns()}", tokens=9, hold=1, after=2)
            path = f"{START}?wait=1"
            call = there.call("POST", path, {"prompt": plan.prompt}, headers=JSON)
            waiting = asyncio.ensure_future(call)
            await eventually(lambda: len(cluster.unended()) == 3)
            await submit(here, "/account/logout/")
            began = time.monotonic()
            assert await socket.until_closed() == 4401
            await line.until(lambda client: client.has_ended)
            status, problem = await waiting
            assert (status, problem["code"]) == (401, NOT_AUTHENTICATED)
            assert time.monotonic() - began < END_SECONDS

            await stays.send(type="resume", stream_id=other_id, after=-1)
            await stays.until(lambda frame: frame["type"] == "chunk")
            await elsewhere.snapshot(other_id)
            if cancels:
                await eventually(lambda: len(cluster.unended()) == 1)
            document = await elsewhere.snapshot(stream_id)
            assert document["status"] == ("cancelled" if cancels else "running")
            assert (await elsewhere.snapshot(other_id))["status"] == "running"
            cluster.release([plan])


async def test_a_deactivated_user_is_refused_everywhere_and_streams_end_by_the_setting(
    cluster: Cluster,
) -> None:
    cancels = cluster.environment["STREAM_ON_RIGHT_END"] == "cancel"
    async with cluster.visited() as service:
        one, two = service.ports
        here = await signed_in(one, "cy")
        async with (
            silent_stream(cluster, here, "deactivated") as stream_id,
            at(two, here).socket("?follow=none") as socket,
        ):
            cluster.change("UPDATE auth_user SET is_active = 0 WHERE username = 'cy'")
            assert await socket.until_closed() == 4401
            query = "SELECT status FROM streaming_stream WHERE id = ?"
            if cancels:
                await eventually(lambda: cluster.rows(query, stream_id) == [("cancelled",)])
            else:
                await eventually(lambda: cluster.rows(query, stream_id) == [("running",)])
            for port in (one, two):
                assert (await at(port, here).call("GET", f"/api/streams/{stream_id}"))[0] == 404


async def test_a_user_who_leaves_a_group_has_the_limits_of_others_at_the_next_start(
    cluster: Cluster,
) -> None:
    cluster.change("UPDATE streaming_limit SET running = 1 WHERE whose = 'users'")
    await asyncio.sleep(1.1)  # the rows of limits are read again after a second
    async with cluster.visited() as service:
        one, two = service.ports
        here = await signed_in(one, "bob")
        there = at(two, here)
        async with (
            silent_stream(cluster, here, "first"),
            silent_stream(cluster, there, "second"),
        ):
            cluster.change("DELETE FROM auth_user_groups")
            for visitor in (here, there):
                status, problem = await visitor.call("POST", START, {"prompt": "?"}, headers=JSON)
                assert (status, problem["code"]) == (429, "too_many_streams")
            cluster.change(
                "INSERT INTO auth_user_groups (user_id, group_id)"
                " SELECT id, 1 FROM auth_user WHERE username = 'bob'"
            )
            async with silent_stream(cluster, there, "third"):
                pass


async def test_visitors_are_refused_by_a_process_with_anonymous_use_off(cluster: Cluster) -> None:
    cancels = cluster.environment["STREAM_ON_RIGHT_END"] == "cancel"
    async with cluster.visited() as service:
        visitor = await Visitor.arrive(service.ports[0])
        async with silent_stream(cluster, visitor, "anonymous") as stream_id:
            generator = cluster.generator_of(stream_id)
            (closed,) = cluster.start(web=1, environment={"AI_ALLOW_ANONYMOUS": "false"})
            there = at(closed.port, visitor)
            await refuses_all(there, stream_id)
            newcomer = Visitor(closed.port)
            assert (await newcomer.call("GET", "/api/config"))[0] == 200
            assert "sessionid" not in newcomer.cookies
            await refuses_all(newcomer, stream_id)
            # The stream itself is still its visitor's at the others, until they restart, too.
            await visitor.snapshot(stream_id)
            if cancels:
                for server in [each for each in cluster.web if each is not closed]:
                    cluster.kill(server)
                assert generator not in cluster.web
                query = "SELECT status, terminal FROM streaming_stream WHERE id = ?"
                await eventually(lambda: cluster.rows(query, stream_id)[0][0] == "cancelled")
    closed.end()
    cluster.take_out(closed)
    cluster.ensure(web=2)


async def refuses_all(visitor: Visitor, stream_id: str) -> None:
    """Assert that every call of somebody who is not signed in is refused in the same way."""
    request_id = {"request_id": "3c518343-42d0-4e6e-b8d4-7ced9239d80b"}
    resume = {"Last-Event-ID": f"{stream_id}:-1"}
    for method, path, data, headers in [
        ("GET", f"/api/streams/{stream_id}", None, {}),
        ("GET", f"/api/streams/{stream_id}/events", None, {}),
        ("GET", f"{START}?prompt=x", None, resume),
        ("POST", START, {"prompt": "x"}, resume),
        ("GET", "/api/streams", None, {}),
        ("GET", "/api/streams?q=x", None, {}),
        ("DELETE", f"/api/streams/{stream_id}", None, {}),
        ("POST", f"/api/streams/{stream_id}/cancel", None, {}),
        ("POST", "/api/streams/cancel", request_id, {}),
        ("POST", START, {"prompt": "x"}, JSON),
        ("POST", f"{START}?wait=1", {"prompt": "x"}, JSON),
        ("GET", f"{START}?prompt=x", None, {"Accept": "text/event-stream"}),
    ]:
        status, problem = await visitor.call(method, path, data, headers=headers)
        assert (status, problem["code"]) == (401, NOT_AUTHENTICATED), (method, path, problem)
    with pytest.raises(ConnectionClosed) as closed:
        async with visitor.socket():
            pass
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4401
