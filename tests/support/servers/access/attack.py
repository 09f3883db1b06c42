"""Tries every entry point with every right that must not open it, many times over.

The cases follow from a seed. Nothing that belongs to somebody may change meanwhile; `own_accesses`
then shows that the same requests succeed for whom they should.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar
from urllib.parse import urlencode

from tests.support.servers.access.dialects import DIALECTS
from tests.support.servers.access.entries import CALL, ENTRIES, JSON, OF_ALL, Entry
from tests.support.servers.access.exchange import Line, Request
from tests.support.servers.access.judging import Report
from tests.support.servers.access.names import KINDS, THEIRS, names_of
from tests.support.servers.access.pages import FORM, page_entries
from tests.support.servers.access.people import MARK, PASSWORD, Person
from tests.support.servers.access.rights import (
    CSRF,
    READ,
    Right,
    as_outside,
    rights_of,
    with_session,
    with_token,
)
from tests.support.servers.access.sockets import SOCKET_ENTRIES, SocketEntry, SocketLine

AT_ONCE = 12

T = TypeVar("T")
AnyEntry = Entry | SocketEntry


@dataclass(frozen=True)
class Case:
    """One access: through which entry point, with which right, and what kind of name."""

    entry: AnyEntry
    right: str
    kind: str
    seed: int


def cases_of(rights: Sequence[Right], *, count: int, seed: int) -> Iterator[Case]:
    """Yield cases in rounds: each entry point with each right that lacks what it needs."""
    random = Random(seed)
    entries: list[AnyEntry] = [*ENTRIES, *DIALECTS, *OF_ALL, *SOCKET_ENTRIES, *page_entries()]
    left = {entry.name: getattr(entry, "at_most", 0) or count for entry in entries}
    pairs = [(entry, right) for entry in entries for right in rights if entry.needs in right.lacks]
    made = 0
    for number in range(count):
        random.shuffle(pairs)
        for entry, right in pairs:
            if made == count:
                return
            if left[entry.name] == 0:
                continue
            left[entry.name] -= 1
            made += 1
            yield Case(entry, right.name, KINDS[number % len(KINDS)], random.getrandbits(64))


async def add_running(people: Mapping[str, Person], port: int) -> None:
    """Start answers of the victims that never end by themselves, and end two of the rights.

    Everybody asks for the settings once, which gives a session an id if it has none.
    """
    line = Line(port)
    for person in people.values():
        if person.session:
            headers = with_session(person.session, port)
            assert (await line.ask(Request("GET", "/api/config"), headers)).status == 200
    for name in ("vera", "anonymous", "joined", "outside"):
        person = people[name]
        headers = with_session(person.session, port) if person.session else as_outside()
        for number in range(2):
            request_id = f"0000000{number}-0000-4000-8000-{person.pk or 0:0>12}"
            body = {"prompt": f"begin and wait, {MARK}", "request_id": request_id}
            start = Request("POST", CALL, JSON, json.dumps(body).encode())
            answer = await line.ask(start, headers)
            assert answer.status == 201, answer.body
            person.streams.append(json.loads(answer.body)["stream_id"])
            person.request_ids.append(request_id)
    leave = {"csrfmiddlewaretoken": CSRF}
    enter = {**leave, "login": "joining", "password": PASSWORD}
    for name, path, form in (
        ("signed-out", "/account/logout/", leave),
        ("joined", "/account/login/", enter),
    ):
        request = Request("POST", path, FORM, urlencode(form).encode())
        answer = await line.ask(request, with_session(people[name].session, port))
        assert answer.status == 302, answer
    line.close()


async def attack(
    cases: Iterator[Case], people: Mapping[str, Person], *, ports: Sequence[int], closed_port: int
) -> Report:
    """Make the accesses, some at a time, and judge each answer.

    Args:
        ports: of the servers of one site.
        closed_port: of one with the same database where anonymous use is off.
    """
    report = Report()
    theirs = {name for person in people.values() for name in person.streams}

    forms = asyncio.Semaphore(2)  # a process takes four of an address at a time

    async def work(port: int) -> None:
        rights = {
            right.name: right for right in rights_of(people, port=port, closed_port=closed_port)
        }
        async with AsyncExitStack() as stack:
            lines = {}
            for is_closed, to in ((False, port), (True, closed_port)):
                lines[is_closed] = Line(to)
                stack.callback(lines[is_closed].close)
            sockets: dict[str, SocketLine] = {}
            for case in cases:
                random, right, entry = Random(case.seed), rights[case.right], case.entry
                names = names_of(case.kind, right.victim, random)
                path: str | None = ""
                if isinstance(entry, SocketEntry):
                    if right.name not in sockets:
                        to = closed_port if right.is_closed else port
                        socket = SocketLine(to, right.make(random), Random(case.seed))
                        sockets[right.name] = socket
                        stack.push_async_callback(socket.aclose)
                    # Who may read but not ask is told so, even where nothing is known.
                    may_read = READ not in right.lacks
                    answer = await sockets[right.name].ask(entry, names, must_answer=may_read)
                else:
                    request = entry.build(names, random)
                    path = request.path if request.mentions(names.all()) else None
                    async with forms if request.is_form else nullcontext():
                        answer = await lines[right.is_closed].ask(request, right.make(random))
                report.take(
                    entry.name,
                    right.name,
                    names,
                    answer,
                    path=path,
                    is_refusal=entry.fails(answer),
                    theirs=[*theirs, f'"username": "{right.victim.name}"'],
                )

    async with asyncio.TaskGroup() as workers:
        for number in range(AT_ONCE):
            workers.create_task(work(ports[number % len(ports)]))
    return report


class _First(Random):
    """Chooses the first of all: the owner's first stream, from its beginning."""

    def choice(self, seq: Any) -> Any:
        return seq[0]

    def randrange(self, *_: Any) -> int:
        return 0


async def own_accesses(people: Mapping[str, Person], port: int) -> dict[str, list[str]]:
    """Let the owners do all of it.

    Returns:
        For each owner, the entry points that failed. All must be empty.
    """
    failed: dict[str, list[str]] = {}
    at_the_end = {}
    vera, visitor, outside = people["vera"], people["anonymous"], people["outside"]
    for name, person, headers in (
        ("session", vera, with_session(vera.session, port)),
        ("token", vera, with_token(vera.token)),
        ("anonymous", visitor, with_session(visitor.session, port)),
        ("signed token", outside, as_outside()),
    ):
        first, line = _First(), Line(port)
        socket = SocketLine(port, headers, first)
        wrong = failed[name] = []
        names = names_of(THEIRS, person, first)
        for command in SOCKET_ENTRIES:
            if command.name != "socket: leave":  # it has no answer
                answer = await socket.ask(command, names, must_answer=True)
                if not command.succeeds(answer):
                    wrong.append(f"{command.name}: {answer}")
        for entry in (*DIALECTS, *ENTRIES):
            answer = await line.ask(entry.build(names, first), headers)
            if not entry.succeeds(answer):
                wrong.append(f"{entry.name}: {answer}")
        path = f"/api/streams/{person.streams[-1]}/cancel"
        answer = await line.ask(Request("POST", path), headers)
        if json.loads(answer.body).get("status") != "cancelled":
            wrong.append(f"cancel what runs: {answer}")
        at_the_end[person.name] = (names, headers, wrong)
        await socket.aclose()
        line.close()
        for number in (-1, 0):  # what is cancelled, and what is deleted
            del person.streams[number], person.request_ids[number]
    for names, headers, wrong in at_the_end.values():
        line = Line(port)
        for entry in OF_ALL:
            answer = await line.ask(entry.build(names, _First()), headers)
            if not entry.succeeds(answer):
                wrong.append(f"{entry.name}: {answer}")
        line.close()
    return failed
