"""Nobody gets what is somebody else's, or was theirs once: through no entry point, with no right.

5,000 accesses here; `scripts/bench access` makes 100,000.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from streaming.protocol.commands import _FIELDS
from tests.support.servers.access.attack import add_running, attack, cases_of, own_accesses
from tests.support.servers.access.entries import ENTRIES
from tests.support.servers.access.exchange import Line, Request
from tests.support.servers.access.names import THEIRS, Names
from tests.support.servers.access.pages import (
    BY_LINK,
    FOR_ANYBODY,
    OF_AN_ACCOUNT,
    OF_THE_API,
    patterns,
)
from tests.support.servers.access.people import prepare, state_of
from tests.support.servers.access.rights import rights_of, with_session
from tests.support.servers.access.sockets import SOCKET_ENTRIES
from tests.support.servers.harness import Database, Server, running

SAMPLE = Names(THEIRS, "A" * 22, "0" * 36, "liveai_00000000", "1"), Random(0)
ACCESSES = 5_000
CLOSED = {"AI_ALLOW_ANONYMOUS": "false"}


@pytest.mark.timeout(300)
async def test_five_thousand_foreign_or_guessed_accesses_get_nothing(database: Database) -> None:
    people = prepare(database)
    with (
        running("serve", database) as server,
        running("serve", database, environment=CLOSED) as closed,
    ):
        await add_running(people, server.port)
        before = state_of(database)
        rights = rights_of(people, port=server.port, closed_port=closed.port)
        cases = cases_of(rights, count=ACCESSES, seed=1)
        report = await attack(cases, people, ports=[server.port], closed_port=closed.port)
        report.read_log(server.output + closed.output)
        report.assert_nothing_succeeded()
        assert report.accesses == ACCESSES
        assert set(report.by_right) == {right.name for right in rights}
        assert state_of(database) == before
        await assert_that_pages_open_for_whom_they_should(server, people)
        failed = await own_accesses(people, server.port)
        assert failed == {"session": [], "token": [], "anonymous": []}
        for each in (server, closed):
            each.assert_unharmed()


async def assert_that_pages_open_for_whom_they_should(server: Server, people: Any) -> None:
    line = Line(server.port)
    for name, path in (
        ("vera", "/account/"),
        ("vera", "/account/tokens/"),
        ("staff", f"/admin/streaming/stream/{people['vera'].streams[0]}/change/"),
        ("staff", "/admin/auth/user/"),
    ):
        headers = with_session(people[name].session, server.port)
        assert (await line.ask(Request("GET", path), headers)).status == 200, path
    line.close()


def test_every_call_and_every_command_is_tried() -> None:
    """A new call fails here until `entries.py` tries it."""
    described = SchemaGenerator().get_schema(public=True)["paths"].values()
    calls = {operation["operationId"] for path in described for operation in path.values()}
    assert calls == {entry.operation for entry in ENTRIES}
    commands = {entry.build(*SAMPLE)["type"] for entry in SOCKET_ENTRIES if entry.build}
    assert commands == set(_FIELDS) - {"ping"}


def test_every_address_of_the_site_is_tried_or_is_for_anybody() -> None:
    """A new address fails here until `pages.py` lists it."""
    named = {name for route, name in patterns() if name and not route.startswith("admin/")}
    listed = [*OF_AN_ACCOUNT, *FOR_ANYBODY, *BY_LINK, *OF_THE_API]
    assert named == set(listed)
    assert len(listed) == len(set(listed))
