"""SITE_PATH on each kind of server, without a proxy."""

from __future__ import annotations

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.support.servers.harness import Database, running
from tests.support.servers.visitor import START, Socket


@pytest.mark.parametrize("kind", ["serve", "daphne", "runserver"])
async def test_all_servers_answer_below_the_path_and_at_their_root(
    database: Database, kind: str
) -> None:
    environment = {"SITE_PATH": "tools/ai"}
    with running(kind, database, environment=environment) as server:
        headers = {"Origin": server.url}
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as client:
            for before in ("", "/tools/ai"):
                for path in ("/", "/healthz", "/static/admin/css/base.css"):
                    assert (await client.get(before + path)).status_code == 200, before + path
                answer = await client.get(f"{before}{START}", params={"prompt": "Why?"})
                assert "event: complete" in answer.text
                assert (await client.get(f"{before}/admin")).headers["location"] == (
                    "/tools/ai/admin/"
                )
                address = f"ws://127.0.0.1:{server.port}{before}/ws/stream?follow=none"
                async with connect(address, additional_headers=headers) as connection:
                    socket = await Socket.greeted(connection)
                    end = await socket.until_end(await socket.start("Why?"))
                assert end["type"] == "complete"
            assert {cookie.path for cookie in client.cookies.jar} == {"/tools/ai"}
        server.assert_unharmed()
