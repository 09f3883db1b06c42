"""A real server names each request and socket, and takes the id of a proxy that it trusts."""

from __future__ import annotations

import re

from tests.servers.conftest import on_both
from tests.support.servers.harness import Database, Server, running
from tests.support.servers.visitor import START, Visitor

NAME = "x-request-id"
GENERATED = re.compile(r"[0-9a-f]{32}")
OWN = "id-of.the_proxy-1"


@on_both
async def test_calls_streams_and_sockets_get_ids_of_their_own(server: Server) -> None:
    visitor = await Visitor.arrive(server.port)
    ids = []
    for path in ("/healthz", "/api/nothing", f"{START}?prompt=Why", START, "/account/login/"):
        async with await visitor.open(path) as client:
            ids.append(client.headers[NAME])
    for _ in range(2):
        async with visitor.socket() as socket:
            response = socket.connection.response
            assert response is not None
            # Daphne sends no headers of the application with an accepted socket.
            assert (NAME in response.headers) is (server.kind == "serve")
            ids += response.headers.get_all(NAME)
    assert all(map(GENERATED.fullmatch, ids)) and len(set(ids)) == len(ids)


@on_both
async def test_the_id_of_a_trusted_proxy_is_taken_by_our_own_server_alone(server: Server) -> None:
    async with await Visitor(server.port).open("/healthz", headers={"X-Request-ID": OWN}) as client:
        assert (client.headers[NAME] == OWN) is (server.kind == "serve")


async def test_the_id_of_anybody_else_is_replaced(database: Database) -> None:
    environment = {"DJANGO_TRUSTED_PROXIES": "192.0.2.1", "LOG_FORMAT": "json"}
    with running("serve", database, environment=environment) as server:
        headers = {"X-Request-ID": OWN, "X-Forwarded-For": "192.0.2.1"}
        async with await Visitor(server.port).open("/api/nothing", headers=headers) as client:
            shown = client.headers[NAME]
            assert GENERATED.fullmatch(shown)
        assert OWN not in server.output and f'"request_id": "{shown}"' in server.output
