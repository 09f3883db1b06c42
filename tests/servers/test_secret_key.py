"""A new secret key: nobody is signed out, and no anonymous visitor loses their answers."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from urllib.parse import urlencode

from tests.support.servers.harness import ADMIN_PASSWORD, Database, running
from tests.support.servers.visitor import Visitor

OLD, NEW = "last-years-key-7hK2mQ9xW4", "this-years-key-v3TnB8rLs1"

BEFORE = {"DJANGO_SECRET_KEY": OLD}
ACCEPTED = {"DJANGO_SECRET_KEY": OLD, "DJANGO_SECRET_KEY_FALLBACKS": NEW}
CHANGED = {"DJANGO_SECRET_KEY": NEW, "DJANGO_SECRET_KEY_FALLBACKS": OLD}
AFTER = {"DJANGO_SECRET_KEY": NEW}


async def _sign_in(port: int) -> Visitor:
    visitor = Visitor(port)
    async with await visitor.open("/admin/login/"):
        pass
    form = {
        "username": "admin",
        "password": ADMIN_PASSWORD,
        "csrfmiddlewaretoken": visitor.cookies["csrftoken"],
        "next": "/admin/",
    }
    async with await visitor.open(
        "/admin/login/",
        method="POST",
        data=urlencode(form).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    ) as client:
        assert client.status == 302
    return visitor


async def _is_signed_in(visitor: Visitor) -> bool:
    async with await visitor.open("/admin/") as client:
        return client.status == 200


async def _answers(visitor: Visitor) -> int:
    status, page = await visitor.call("GET", "/api/streams")
    assert status == 200
    return len(page["results"])


async def test_a_change_of_key_in_two_steps_keeps_sessions_in_both_directions(
    database: Database,
) -> None:
    with running("serve", database, environment=BEFORE) as server:
        asker, admin = await Visitor.arrive(server.port), await _sign_in(server.port)
        async with await asker.ask("Why is the sky blue?") as client:
            await client.until_end()

    # What processes that already changed sign, those that did not yet change must accept.
    for environment in (ACCEPTED, CHANGED, ACCEPTED, CHANGED):
        with running("serve", database, environment=environment) as server:
            asker.port = admin.port = server.port
            assert await _answers(asker) == 1
            assert await _is_signed_in(admin)
            newcomer = await Visitor.arrive(server.port)
            async with await newcomer.ask("Why is the sky blue?") as client:
                await client.until_end()
        asker = newcomer

    with running("serve", database, environment=AFTER) as server:
        asker.port = server.port  # came with the new key
        assert await _answers(asker) == 1


async def test_processes_of_both_keys_share_a_visitors_session(database: Database) -> None:
    """While a key changes, requests of one visitor reach both, and many at the same time."""
    with (
        running("serve", database, environment=ACCEPTED) as first,
        running("serve", database, environment=CHANGED) as second,
    ):
        admin = await _sign_in(first.port)
        signed_out = await _sign_in(first.port)
        session = admin.cookies["sessionid"]
        async with admin.socket() as socket, signed_out.socket() as other:
            admin.port = second.port
            calls = [admin.call("GET", "/api/config") for _ in range(8)]
            users = [config["user"] for _, config in await asyncio.gather(*calls)]
            for server in (first, second) * 2:
                admin.port = server.port
                users.append((await admin.call("GET", "/api/config"))[1]["user"])
                async with admin.socket():
                    pass
            assert None not in users
            assert admin.cookies["sessionid"] == session

            _delete_session(database, signed_out.cookies["sessionid"])
            assert await other.until_closed() == 4401  # so the sessions were looked at
            await socket.send(type="ping")
            await socket.until(lambda frame: frame["type"] == "pong")


def _delete_session(database: Database, key: str) -> None:
    with contextlib.closing(sqlite3.connect(database.path)) as rows, rows:
        rows.execute("DELETE FROM django_session WHERE session_key = ?", [key])


async def test_a_key_that_leaked_is_worth_nothing_without_the_fallback(database: Database) -> None:
    with running("serve", database, environment=BEFORE) as server:
        asker, admin = await Visitor.arrive(server.port), await _sign_in(server.port)
        async with await asker.ask("Why is the sky blue?") as client:
            await client.until_end()
    with running("serve", database, environment=AFTER) as server:
        asker.port = admin.port = server.port
        assert await _answers(asker) == 0
        assert not await _is_signed_in(admin)
