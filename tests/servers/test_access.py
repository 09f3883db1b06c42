"""Nobody gets what is somebody else's, or was theirs once: through no entry point, with no right.

5,000 accesses here; `scripts/bench access` makes 100,000.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.support.schema import types_of
from tests.support.servers.access.attack import add_running, attack, cases_of, own_accesses
from tests.support.servers.access.dialects import DIALECTS, OF_THE_DIALECTS
from tests.support.servers.access.entries import ENTRIES, OF_ALL
from tests.support.servers.access.exchange import Answer, Line, Request
from tests.support.servers.access.judging import Report
from tests.support.servers.access.names import NONE, THEIRS, Names
from tests.support.servers.access.pages import (
    BY_LINK,
    FOR_ANYBODY,
    OF_A_VISITOR,
    OF_AN_ACCOUNT,
    OF_THE_API,
    patterns,
)
from tests.support.servers.access.people import MARK, prepare, state_of
from tests.support.servers.access.rights import rights_of, with_session
from tests.support.servers.access.sockets import SOCKET_ENTRIES
from tests.support.servers.harness import Database, Server, running
from tests.support.signed_tokens import ENVIRONMENT

SAMPLE = Names(THEIRS, "A" * 22, "0" * 36, "liveai_00000000", "1"), Random(0)
UNKNOWN = Names(NONE, "C" * 22, "1" * 36, "liveai_00000001", "2")
ACCESSES = 5_000
CLOSED = {**ENVIRONMENT, "AI_ALLOW_ANONYMOUS": "false"}


@pytest.mark.timeout(300)
async def test_five_thousand_foreign_or_guessed_accesses_get_nothing(database: Database) -> None:
    people = prepare(database)
    with (
        running("serve", database, environment=ENVIRONMENT) as server,
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
        assert failed == {"session": [], "token": [], "anonymous": [], "signed token": []}
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
    assert calls == {entry.operation for entry in (*ENTRIES, *OF_ALL)}
    assert {entry.operation for entry in DIALECTS} == set(OF_THE_DIALECTS)
    commands = {entry.build(*SAMPLE)["type"] for entry in SOCKET_ENTRIES if entry.build}
    assert commands == set(types_of("client_frame")) - {"ping"}


def test_every_address_of_the_site_is_tried_or_is_for_anybody() -> None:
    """A new address fails here until `pages.py` lists it."""
    named = {name for route, name in patterns() if name and not route.startswith("admin/")}
    listed = [*OF_AN_ACCOUNT, *OF_A_VISITOR, *FOR_ANYBODY, *BY_LINK, *OF_THE_API, *OF_THE_DIALECTS]
    assert named == set(listed)
    assert len(listed) == len(set(listed))


def judged(*answers: tuple[Names, Answer], is_refusal: bool = True, log: str = "") -> Report:
    report = Report()
    for names, answer in answers:
        report.take(
            "read", "a stranger", names, answer, path="/", is_refusal=is_refusal, theirs=["B" * 22]
        )
    report.read_log(log)
    return report


def refusal(names: Names, words: str = "is no stream") -> Answer:
    headers = (("date", names.kind), ("content-length", "36"))
    return Answer(404, headers, f"{names.stream_id} {words}".encode())


def test_the_judge_takes_the_same_refusal_for_the_same() -> None:
    report = judged((SAMPLE[0], refusal(SAMPLE[0])), (UNKNOWN, refusal(UNKNOWN)))
    report.assert_nothing_succeeded()
    assert report.accesses == 2


@pytest.mark.parametrize("words", ["is not yours", "is no stream ", MARK, "B" * 22])
def test_the_judge_notices_another_body_and_what_belongs_to_somebody(words: str) -> None:
    report = judged((SAMPLE[0], refusal(SAMPLE[0], words)), (UNKNOWN, refusal(UNKNOWN)))
    with pytest.raises(AssertionError):
        report.assert_nothing_succeeded()


def test_the_judge_notices_a_success_another_header_and_another_line_of_the_log() -> None:
    known, unknown = refusal(SAMPLE[0]), refusal(UNKNOWN)
    assert judged((UNKNOWN, unknown), is_refusal=False).succeeded
    further = Answer(404, (*known.headers, ("set-cookie", "a=b")), known.body)
    assert judged((SAMPLE[0], further), (UNKNOWN, unknown)).different
    line = f"2026-01-01 00:00:00,000 INFO django.request: Forbidden: /{SAMPLE[0].stream_id}"
    assert judged((SAMPLE[0], known), (UNKNOWN, unknown), log=line).different
