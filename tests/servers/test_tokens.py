"""API tokens and other origins on real servers, over both transports."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from streaming.access.signed_tokens.claims import LEEWAY_SECONDS
from streaming.process import RIGHTS_SECONDS
from tests.servers.conftest import on_both
from tests.support import signed_tokens
from tests.support.servers.harness import BUSY_SECONDS, Database, Server, running
from tests.support.servers.tokens import Program, add_token, revoke_tokens
from tests.support.servers.visitor import START, Visitor

LISTED, OTHER = "https://app.example", "https://other.example"
ENVIRONMENT = {
    "AI_ALLOW_ANONYMOUS": "false",
    "CORS_ALLOWED_ORIGINS": f"{LISTED}/, http://b.test:80",
    **signed_tokens.ENVIRONMENT,
}
NO_TOKEN = "liveai_" + "0" * 64


@pytest.fixture(scope="module", params=["serve"])
def server(request: pytest.FixtureRequest, module_database: Database) -> Iterator[Server]:
    with running(request.param, module_database, environment=ENVIRONMENT) as started:
        yield started
        started.assert_unharmed()


@pytest.fixture
def token(module_database: Database) -> Iterator[str]:
    yield add_token(module_database)
    revoke_tokens(module_database)


# --- asking ----------------------------------------------------------------------------------


@on_both
@pytest.mark.parametrize("origin", [None, LISTED])
async def test_a_token_starts_and_resumes_over_sse(
    server: Server, token: str, origin: str | None
) -> None:
    program = Program(server.port, token, origin=origin)
    async with await program.ask("speak briefly") as client:
        events = await client.until_end()
        assert client.headers.get("access-control-allow-origin") == origin
        assert "origin" in client.headers["vary"].lower()
    assert events[-1]["type"] == "complete"
    async with await program.watch(events[0]["stream_id"]) as client:
        assert (await client.until_end())[-1] == events[-1]
        assert client.headers.get("access-control-allow-origin") == origin
    assert program.cookies == {}


@on_both
@pytest.mark.parametrize("origin", [None, LISTED, "http://b.test"])
async def test_a_token_starts_over_websocket(
    server: Server, token: str, origin: str | None
) -> None:
    async with Program(server.port, token, origin=origin).token_socket() as socket:
        stream_id = await socket.start("speak briefly")
        assert (await socket.until_end(stream_id))["type"] == "complete"


# --- the end of a right ----------------------------------------------------------------------


async def test_a_token_revoked_in_mid_stream_ends_both_within_seconds(
    server: Server, token: str, module_database: Database
) -> None:
    program = Program(server.port, token)
    async with (
        await program.ask("speak for ever") as client,
        program.token_socket("?follow=user") as socket,
    ):
        await client.until_event("chunk")
        stream_id = client.events[0]["stream_id"]
        await socket.send(type="resume", ref="r", stream_id=stream_id, after=-1)
        await socket.until(lambda frame: frame["type"] == "chunk")
        revoke_tokens(module_database)
        async with asyncio.timeout(RIGHTS_SECONDS + BUSY_SECONDS):
            assert await socket.until_closed() == 4401
            events = await client.until_end()
    assert events[-1]["type"] == "reconnect"
    status, problem = await program.call("GET", f"/api/streams/{stream_id}")
    assert (status, problem["code"]) == (401, "not_authenticated")


async def test_a_signed_token_that_expires_in_mid_stream_ends_both_and_a_new_one_resumes_exactly(
    server: Server,
) -> None:
    old = signed_tokens.signed(seconds=3 - LEEWAY_SECONDS)
    ends = Program(server.port, old, origin=LISTED)
    renewed = Program(server.port, signed_tokens.signed(), origin=LISTED)
    async with (
        await ends.ask("speak for ever") as client,
        ends.token_socket("?follow=user") as socket,
    ):
        await client.until_event("chunk")
        stream_id = client.events[0]["stream_id"]
        await socket.send(type="resume", ref="r", stream_id=stream_id, after=-1)
        async with asyncio.timeout(3 + RIGHTS_SECONDS + BUSY_SECONDS):
            assert await socket.until_closed() == 4401
            events = await client.until_end()
    assert events[-1]["type"] == "reconnect"
    status, problem = await ends.call("GET", f"/api/streams/{stream_id}")
    assert (status, problem["code"]) == (401, "not_authenticated")

    held = [event["seq"] for event in events if "seq" in event]
    over_socket = [frame["seq"] for frame in socket.events_of(stream_id) if "seq" in frame]
    async with await renewed.watch(stream_id, after=held[-1]) as client:
        await client.until_event("chunk")
        status, _ = await renewed.call("POST", f"/api/streams/{stream_id}/cancel")
        assert status == 200
        held += [event["seq"] for event in await client.until_end() if "seq" in event]
    async with renewed.token_socket() as again:
        await again.send(type="resume", ref="r", stream_id=stream_id, after=over_socket[-1])
        await again.until_end(stream_id)
        over_socket += [frame["seq"] for frame in again.events_of(stream_id) if "seq" in frame]
    for seqs in (held, over_socket):
        assert seqs == list(range(len(seqs)))
    assert len(held) == len(over_socket)


# --- what is refused -------------------------------------------------------------------------


@on_both
async def test_a_token_that_is_not_valid_is_401_and_4401(server: Server) -> None:
    program = Program(server.port, NO_TOKEN, origin=LISTED)
    async with await program.open("/api/streams", headers={"Connection": "close"}) as client:
        assert client.status == 401
        assert client.headers["access-control-allow-origin"] == LISTED
        assert "Bearer" in client.headers["www-authenticate"]
    async with program.connection() as connection:
        assert connection.subprotocol == "liveai"
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


@on_both
async def test_an_origin_that_is_not_listed_can_do_nothing(server: Server, token: str) -> None:
    program = Program(server.port, token, origin=OTHER)
    status, problem = await program.call("POST", START, {"prompt": "speak briefly"})
    assert (status, problem["code"]) == (403, "forbidden_origin")
    with pytest.raises(InvalidStatus, match="403"):
        async with program.connection():
            pass


@on_both
@pytest.mark.parametrize(("origin", "is_listed"), [(LISTED, True), (OTHER, False)])
async def test_a_preflight_names_what_a_listed_origin_may_send(
    server: Server, origin: str, is_listed: bool
) -> None:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
        "Connection": "close",
    }
    async with await Visitor(server.port).open(START, method="OPTIONS", headers=headers) as client:
        assert client.status == 200
        assert ("access-control-allow-origin" in client.headers) is is_listed
        assert "access-control-allow-credentials" not in client.headers
        if is_listed:
            assert "authorization" in client.headers["access-control-allow-headers"]


# --- secrets ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["serve", "daphne", "runserver"])
async def test_no_token_is_printed(database: Database, kind: str) -> None:
    environment = {**ENVIRONMENT, "DJANGO_LOG_LEVEL": "DEBUG", "DJANGO_DEBUG": "true"}
    token = add_token(database)
    wrong = token[:-10] + "0123456789"
    of_hosts = [signed_tokens.signed(), signed_tokens.signed(key=signed_tokens.OTHER_KEY)]
    with running(kind, database, environment=environment) as server:
        programs = [
            Program(server.port, token),
            Program(server.port, token, origin=OTHER),
            Program(server.port, wrong),
            Program(server.port, f"{token}\t{wrong}"),
            *(Program(server.port, signed) for signed in of_hosts),
        ]
        for program in programs:
            for path in ("/api/streams", "/api/nothing", "/nothing", "/account/tokens/", START):
                async with await program.open(path, headers={"Connection": "close"}) as client:
                    await client.until(lambda c: c.has_ended)
        program = Program(server.port, token)
        async with program.token_socket() as socket:
            await socket.until_end(await socket.start("speak briefly"))
        for refused in (wrong, of_hosts[1]):
            with pytest.raises(ConnectionClosed):
                async with Program(server.port, refused).connection() as connection:
                    await connection.recv()
        async with Program(server.port, of_hosts[0]).token_socket():
            pass
        with pytest.raises(InvalidStatus):
            async with Program(server.port, token, origin=OTHER).connection():
                pass
        revoke_tokens(database)
        assert (await program.call("GET", "/api/streams"))[0] == 401
    assert "refused: not_authenticated" in server.output
    for secret in (token, wrong):
        assert secret[15:40] not in server.output
        assert hashlib.sha512(secret.encode()).hexdigest()[:20] not in server.output
    parts = [part for signed in of_hosts for part in signed.split(".")[1:]]
    for secret in (*parts, signed_tokens.SHARED_KEY, signed_tokens.OTHER_KEY):
        assert secret[:30] not in server.output
