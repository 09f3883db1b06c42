"""The number of connections that `serve` accepts, from one address and in total."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from contextlib import AsyncExitStack

from tests.support.schema import validate_problem
from tests.support.servers.harness import Database, Server, assert_can_be_quick, eventually, running
from tests.support.servers.wire import CLOSE, PING, TEXT, Answer, Wire, frame, get

LIMITS = {
    "LIMIT_CONNECTIONS": "12",
    "LIMIT_CONNECTIONS_PER_ADDRESS": "5",
    "DJANGO_TRUSTED_PROXIES": "127.0.0.3",
}


async def ask(server: Server, local: str) -> Answer | None:
    """Return the answer; None if the connection was closed silently."""
    async with await Wire.open(server.port, local=local) as wire:
        wire.send(get("/api/config", "Connection: close"))
        try:
            data = await wire.rest()
        except ConnectionError:
            return None
    return Answer.parse(data) if data else None


async def test_beyond_the_limits_a_connection_is_told_so_and_closed(database: Database) -> None:
    with running("serve", database, environment=LIMITS) as server:
        async with AsyncExitStack() as stack:

            async def hold(local: str, count: int) -> list[Wire]:
                held = [await Wire.open(server.port, local=local) for _ in range(count)]
                for wire in held:
                    await stack.enter_async_context(wire)
                return held

            first = await hold("127.0.0.2", 4)
            await first[0].become_socket()  # a socket counts as a connection, too
            await hold("127.0.0.2", 1)
            refused = await ask(server, "127.0.0.2")
            assert refused is not None and refused.status == 503
            assert refused.headers["connection"] == "close"
            assert int(refused.headers["retry-after"]) > 0
            validate_problem(json.loads(refused.body))

            # Another visitor is served, and any number of connections may come through the proxy.
            served = await ask(server, "127.0.0.1")
            assert served is not None and served.status == 200
            await hold("127.0.0.3", 7)
            full = await ask(server, "127.0.0.1")
            assert full is not None and full.status == 503

            for _ in range(200):
                await hold("127.0.0.2", 1)
            first[1].writer.transport.abort()
        served = await _eventually_served(server)
        assert served.status == 200
        assert server.output.count("WARNING streaming.serving") == 2
        server.assert_unharmed()


async def test_requests_beyond_the_rate_of_an_address_wait_and_others_do_not(
    database: Database,
) -> None:
    environment = {"LIMIT_REQUESTS_PER_SECOND_PER_ADDRESS": "5"}
    with running("serve", database, environment=environment) as server:
        flood = [asyncio.create_task(ask(server, "127.0.0.2")) for _ in range(30)]
        await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED)
        for _ in range(5):
            answer = await ask(server, "127.0.0.3")
            assert answer is not None and answer.status == 200
        assert not all(task.done() for task in flood)
        answers = await asyncio.gather(*flood)
        assert [answer and answer.status for answer in answers] == [200] * 30

        async with await Wire.open(server.port, local="127.0.0.2") as wire:
            await wire.become_socket()  # handshakes wait, too, and are not lost
        server.assert_unharmed()


async def test_a_flooding_socket_costs_its_address_requests_and_others_none(
    database: Database,
) -> None:
    environment = {"LIMIT_REQUESTS_PER_SECOND_PER_ADDRESS": "8", "LIMIT_FRAMES_PER_SECOND": "5"}
    with running("serve", database, environment=environment) as server:
        async with await Wire.open(server.port, local="127.0.0.2") as wire:
            await wire.become_socket()
            wire.send(frame(TEXT, b'{"type":"ping"}') * 100)
            while (await wire.frame())[0] != CLOSE:
                pass
        after_it = asyncio.create_task(ask(server, "127.0.0.2"))
        other = await ask(server, "127.0.0.3")
        assert other is not None and other.status == 200
        assert not after_it.done()
        served = await after_it
        assert served is not None and served.status == 200
        server.assert_unharmed()


async def _eventually_served(server: Server) -> Answer:
    while True:  # the server notices the closed ones gradually
        answer = await ask(server, "127.0.0.2")
        if answer is not None and answer.status != 503:
            return answer


async def test_a_process_with_few_descriptors_goes_on(database: Database) -> None:
    """Open more half-open connections than there are descriptors; the hard limit is low as well."""
    with running("serve", database, environment={"STREAM_MAX_RUNNING": "50"}) as server:
        # Set it from outside, so that the process can't lower LIMIT_CONNECTIONS.
        subprocess.run(["prlimit", "--pid", str(server.pid), "--nofile=160:160"], check=True)
        async with AsyncExitStack() as stack:
            for _ in range(200):
                wire = await Wire.open(server.port)
                await stack.enter_async_context(wire)
                wire.send(b"GET / HTTP/1.1\r\n")
            await eventually(lambda: "no file descriptors left" in server.output)
        served = await _eventually_served(server)
        assert served.status == 200
        assert server.output.count("no file descriptors left") == 1


async def test_a_socket_that_floods_is_closed_and_what_follows_is_not_read(
    database: Database,
) -> None:
    flood = frame(TEXT, b'{"type":"ping"}') * 2000
    with running("serve", database, environment={"LIMIT_FRAMES_PER_SECOND": "5"}) as server:

        async def closing_seconds() -> float:
            async with await Wire.open(server.port) as wire:
                await wire.become_socket()
                wire.send(flood)
                while (opcode := (await wire.frame())[0]) != CLOSE:
                    assert opcode == TEXT
                begun = time.monotonic()
                wire.send(frame(PING) + flood)
                assert await wire.rest() == b""
                return time.monotonic() - begun

        # Else the close waits five seconds for the client's close frame.
        await assert_can_be_quick(closing_seconds, within=4.0)
