"""The calls of the API as entry points: what each one asks for, and what success looks like."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.support.servers.access.exchange import Answer, Request
from tests.support.servers.access.names import Names, text
from tests.support.servers.access.people import MARK
from tests.support.servers.access.rights import ASK, PUBLIC, READ, START

JSON = {"Content-Type": "application/json", "Accept": "application/json"}
SSE = {"Accept": "text/event-stream"}
CALL = "/api/stream/ai-block/ask-question"
SEQS = (-1, 0, 1, 5, 10**9)

Build = Callable[[Names, Random], Request]


def is_refused(answer: Answer) -> bool:
    """Whether an answer refuses a call, and as a problem document."""
    is_problem = answer.header("content-type") == "application/problem+json"
    return 400 <= answer.status < 500 and is_problem


def is_empty(answer: Answer) -> bool:
    """Whether an answer refuses a call, or shows a history in which there is nothing."""
    return is_refused(answer) or (
        answer.status == 200 and json.loads(answer.body) == {"results": [], "next": None}
    )


def is_empty_file(answer: Answer) -> bool:
    """Whether an answer refuses an export, or holds an export without an answer."""
    if answer.status != 200:
        return is_refused(answer)
    if answer.header("content-type") == "application/json":
        return json.loads(answer.body)["answers"] == []
    return b"- Status: " not in answer.body


def is_nothing_deleted(answer: Answer) -> bool:
    """Whether an answer refuses to delete all answers, or says that there were none."""
    return is_refused(answer) or (answer.status == 200 and json.loads(answer.body)["deleted"] == 0)


def is_unknown(answer: Answer) -> bool:
    """Whether an answer refuses a cancel, or says that no such start is known."""
    known = answer.status == 200 and json.loads(answer.body)["stream_id"] is not None
    return not known and (answer.status == 200 or is_refused(answer))


def is_answered(answer: Answer) -> bool:
    """Whether a call that needs no right is answered. Who must see what is checked everywhere."""
    return answer.status == 200 or is_refused(answer)


@dataclass(frozen=True)
class Entry:
    """A way in.

    Args:
        operation: the call, as the API's description names it; or another name.
        needs: what it takes, one of rights.py's.
        build: makes a request.
        fails: whether an answer gives a stranger nothing.
        at_most: of all accesses; 0: any number. Some pages have rates.
    """

    name: str
    operation: str
    needs: str
    build: Build
    fails: Callable[[Answer], bool] = is_refused
    at_most: int = 0

    def succeeds(self, answer: Answer) -> bool:
        """Whether an answer gives the owner what was asked for."""
        is_given = self.needs == PUBLIC or not self.fails(answer)
        return answer.status in (200, 201, 204) and is_given


def _last_event_id(names: Names, random: Random) -> dict[str, str]:
    return {"Last-Event-ID": f"{names.stream_id}:{random.choice(SEQS)}"}


def _post(path: str, data: object, headers: dict[str, str] = JSON) -> Request:
    return Request("POST", path, {**JSON, **headers}, json.dumps(data).encode())


ENTRIES = [
    Entry("config", "config", PUBLIC, lambda n, r: Request("GET", "/api/config"), is_answered),
    Entry("blocks", "blocks", PUBLIC, lambda n, r: Request("GET", "/api/blocks"), is_answered),
    Entry(
        "resume by the call that starts",
        "start_by_get",
        READ,
        lambda n, r: Request("GET", f"{CALL}?prompt=Why", {**SSE, **_last_event_id(n, r)}),
    ),
    Entry(
        "continue by GET",
        "start_by_get",
        ASK,
        lambda n, r: Request("GET", f"{CALL}?continues={n.stream_id}", SSE),
    ),
    Entry("start by GET", "start_by_get", START, lambda n, r: Request("GET", f"{CALL}?prompt=Why")),
    Entry(
        "resume by POST",
        "start",
        READ,
        lambda n, r: _post(CALL, {"prompt": "Why"}, {**SSE, **_last_event_id(n, r)}),
    ),
    Entry(
        "continue by POST", "start", ASK, lambda n, r: _post(CALL, {"continues": text(n.stream_id)})
    ),
    Entry(
        "continue and wait",
        "start",
        ASK,
        lambda n, r: _post(f"{CALL}?wait=1", {"continues": text(n.stream_id)}),
    ),
    Entry(
        "continue and watch",
        "start",
        ASK,
        lambda n, r: _post(CALL, {"continues": text(n.stream_id)}, SSE),
    ),
    Entry("start by POST", "start", START, lambda n, r: _post(CALL, {"prompt": "Why"})),
    Entry(
        "attach by POST",
        "start",
        START,
        lambda n, r: _post(
            f"{CALL}?wait=1", {"prompt": f"What is {MARK}?", "request_id": text(n.request_id)}
        ),
    ),
    Entry("history", "history", READ, lambda n, r: Request("GET", "/api/streams"), is_empty),
    Entry(
        "search",
        "history",
        READ,
        lambda n, r: Request("GET", f"/api/streams?q={MARK}&limit=100"),
        is_empty,
    ),
    Entry(
        "filtered history",
        "history",
        READ,
        lambda n, r: Request("GET", "/api/streams?status=cancelled&block_type=ask-question"),
        is_empty,
    ),
    Entry("read", "stream", READ, lambda n, r: Request("GET", f"/api/streams/{n.stream_id}")),
    Entry(
        "watch",
        "events",
        READ,
        lambda n, r: Request("GET", f"/api/streams/{n.stream_id}/events", SSE),
    ),
    Entry(
        "watch after a cursor",
        "events",
        READ,
        lambda n, r: Request("GET", f"/api/streams/{n.stream_id}/events?after={r.choice(SEQS)}"),
    ),
    Entry(
        "watch after an event",
        "events",
        READ,
        lambda n, r: Request("GET", f"/api/streams/{n.stream_id}/events", _last_event_id(n, r)),
    ),
    Entry(
        "cancel",
        "cancel",
        ASK,
        lambda n, r: Request("POST", f"/api/streams/{n.stream_id}/cancel"),
    ),
    Entry(
        "cancel by request",
        "cancel_by_request_id",
        ASK,
        lambda n, r: _post("/api/streams/cancel", {"request_id": text(n.request_id)}),
        is_unknown,
    ),
    Entry(
        "delete",
        "delete_stream",
        ASK,
        lambda n, r: Request("DELETE", f"/api/streams/{n.stream_id}"),
    ),
]
"""The calls of the API for one stream, or none. For an owner they succeed in this order."""

OF_ALL = [
    Entry("export", "export", READ, lambda n, r: Request("GET", "/api/export"), is_empty_file),
    Entry(
        "export as Markdown",
        "export",
        READ,
        lambda n, r: Request("GET", "/api/export?format=markdown"),
        is_empty_file,
    ),
    Entry(
        "delete all",
        "delete_all_streams",
        ASK,
        lambda n, r: Request("DELETE", "/api/streams"),
        is_nothing_deleted,
    ),
]
"""The calls of the API for all of somebody's streams. An owner can do this once."""
