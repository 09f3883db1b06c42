"""Signed tokens whose keys the issuer shows: reading its key set, and waiting for it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from blocks.models import BlockType
from liveai.project_asgi import request_threads
from streaming.access.signed_tokens.key_set import WAITING_AT_MOST
from tests.conftest import MODEL, StartProcess, scripted
from tests.support.key_server import RSA_KEY, RSA_KEYS, KeyServer, key_server, key_set, public
from tests.support.signed_tokens import AUDIENCE, ISSUER, signed
from tests.support.streaming.browser import Browser


@pytest.fixture
def server() -> Any:
    with key_server() as shown:
        yield shown


def shown(kid: str = "one", **changes: Any) -> str:
    return signed(key=RSA_KEYS[kid], algorithm="RS256", headers={"kid": kid}, **changes)


async def test_keys_of_an_issuer_are_read_and_a_server_that_fails_is_no_401(
    start_process: StartProcess, block: BlockType, server: KeyServer, caplog: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    process = await start_process(
        JWT_ISSUER=ISSUER,
        JWT_AUDIENCE=AUDIENCE,
        JWT_SHARED_KEY="",
        JWT_JWKS_URL=server.url,
        JWT_MORE_ISSUERS=[],
    )
    process.providers.use(MODEL, scripted("Hello"))
    server.status = 500
    ada = Browser(token=shown())
    answer = await ada.call("GET", "/api/streams")
    answer.problem("store_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    socket = ada.socket()
    await socket.handshake()
    assert await socket.closed() == 1011
    assert server.calls == 1

    server.status = 200
    (keys,) = process.tokens._verifier._key_sets.values()
    keys._tried_at = None  # as if the interval were over
    await ada.connect()
    await (await ada.start()).end()
    server.pieces = [key_set(public("one"), public("two"))]
    keys._tried_at = None
    assert (await Browser(token=shown("two")).call("GET", "/api/streams")).status == 200
    forged = signed(key=RSA_KEY, algorithm="RS256", headers={"kid": "two"})
    (await Browser(token=forged).call("GET", "/api/streams")).problem("not_authenticated")
    assert server.calls == 3
    said = caplog.text
    for token in (ada.token or "", forged):
        assert not any(part in said for part in token.split(".")[1:])
    await ada.aclose()


async def test_requests_that_wait_for_a_key_server_hold_no_thread(
    start_process: StartProcess, block: BlockType
) -> None:
    process = await start_process(
        JWT_ISSUER=ISSUER,
        JWT_AUDIENCE=AUDIENCE,
        JWT_SHARED_KEY="",
        JWT_JWKS_URL="https://keys.example/",
        JWT_MORE_ISSUERS=[],
    )
    answered = asyncio.Event()

    async def fetch(url: str) -> bytes:
        await answered.wait()
        return key_set(public("one"))

    verifier = process.tokens._verifier
    assert verifier is not None
    verifier._fetch = fetch
    calls = [Browser(token=shown()).call("GET", "/api/streams") for _ in range(6)]
    waiting = {asyncio.create_task(call) for call in calls}
    while len(waiting) > WAITING_AT_MOST:  # the others are refused at once
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert all(refused.result().status == 503 for refused in done)
    assert len(request_threads._threads) == 0
    answered.set()
    assert [(await call).status for call in waiting] == [200] * WAITING_AT_MOST
