"""A new secret key: nobody is signed out, and no anonymous visitor loses their answers."""

from __future__ import annotations

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


async def test_a_key_that_leaked_is_worth_nothing_without_the_fallback(database: Database) -> None:
    with running("serve", database, environment=BEFORE) as server:
        asker, admin = await Visitor.arrive(server.port), await _sign_in(server.port)
        async with await asker.ask("Why is the sky blue?") as client:
            await client.until_end()
    with running("serve", database, environment=AFTER) as server:
        asker.port = admin.port = server.port
        assert await _answers(asker) == 0
        assert not await _is_signed_in(admin)
