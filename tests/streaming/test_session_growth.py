"""Calls that set a session's cookie, and calls that leave nothing behind. None makes a row.

Source: spec.md, "HTTP" (who may start).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session

from blocks.models import BlockType
from streaming.models import CancelIntent
from streaming.process import Process
from tests.conftest import Play, StartProcess
from tests.support.streaming.asking import NO_STREAM, new_request_id
from tests.support.streaming.browser import START, Answer, Browser

JSON = {"Accept": "application/json"}
Call = tuple[str, str, int]

READS: list[Call] = [
    ("GET", "/api/blocks", 200),
    ("GET", "/api/streams", 200),
    ("HEAD", "/api/streams", 200),
    ("GET", "/api/streams?q=sky&limit=5", 200),
    ("GET", "/api/streams?cursor=x", 400),
    ("GET", "/api/streams?limit=0", 400),
    ("POST", "/api/streams", 405),
    ("GET", f"/api/streams/{NO_STREAM}", 404),
    ("DELETE", f"/api/streams/{NO_STREAM}", 404),
    ("GET", f"/api/streams/{NO_STREAM}/events", 404),
    ("GET", f"/api/streams/{NO_STREAM}/events?after=x", 400),
    ("POST", f"/api/streams/{NO_STREAM}/cancel", 404),
    ("GET", "/api/streams/cancel", 405),
    ("POST", "/api/streams/cancel", 400),
    ("POST", "/api/config", 405),
    ("GET", "/api/config?x=1", 400),
    ("GET", "/api/nothing", 404),
    ("GET", "/api", 404),
    ("GET", "/nothing/here", 404),
    ("POST", "/", 403),
    ("GET", START, 400),
    ("HEAD", START, 405),
    ("DELETE", START, 405),
    ("GET", f"{START}?prompt=Why&unknown=1", 400),
    ("GET", "/api/stream/ai-block/unknown?prompt=Why", 404),
    ("POST", START, 400),
    ("GET", "/api/schema", 200),
    ("GET", "/api/docs", 200),
    ("GET", "/admin/login/", 200),
]


async def left_nothing(visitor: Browser) -> bool:
    return "sessionid" not in visitor.cookies and await Session.objects.acount() == 0


@pytest.mark.parametrize(("method", "path", "status"), READS, ids=lambda part: str(part)[:60])
async def test_reads_and_refusals_of_a_stranger_make_no_session(
    process: Process, block: BlockType, method: str, path: str, status: int
) -> None:
    visitor = Browser()
    assert (await visitor.call(method, path)).status == status
    assert await left_nothing(visitor)


STARTS: list[tuple[str, dict[str, Any], int]] = [
    ("forbidden_origin", {"headers": {"Sec-Fetch-Site": "cross-site"}}, 403),
    ("invalid_cursor", {"headers": {"Last-Event-ID": "x"}}, 400),
    ("not_found", {"headers": {"Last-Event-ID": f"{NO_STREAM}:-1"}}, 404),
]


@pytest.mark.parametrize(("code", "options", "status"), STARTS, ids=lambda part: str(part)[:30])
async def test_a_start_by_get_that_is_refused_makes_no_session(
    process: Process, block: BlockType, code: str, options: Any, status: int
) -> None:
    visitor = Browser()
    answer = await visitor.call("GET", f"{START}?prompt=Why", **options)
    assert answer.status == status
    answer.problem(code)
    assert await left_nothing(visitor)


async def test_a_start_that_the_process_has_no_room_for_makes_no_session(
    start_process: StartProcess, block: BlockType
) -> None:
    await start_process(STREAM_MAX_RUNNING=0)
    visitor = Browser()
    answer = await visitor.call("POST", START, {"prompt": "Why?"})
    answer.problem("over_capacity")
    assert await left_nothing(visitor)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"prompt": "a" * 1_000_000}, "prompt_too_long"),
        ({"prompt": ""}, "invalid_input"),
        ({"prompt": "Why?", "request_id": "x"}, "invalid_input"),
    ],
    ids=["too long", "empty", "request_id"],
)
async def test_a_start_by_post_that_is_refused_makes_no_session(
    process: Process, block: BlockType, data: Any, code: str
) -> None:
    visitor = Browser()
    (await visitor.call("POST", START, data)).problem(code)
    assert await left_nothing(visitor)


async def test_where_anonymous_use_is_off_no_call_makes_a_session(
    start_process: StartProcess, block: BlockType
) -> None:
    await start_process(AI_ALLOW_ANONYMOUS=False)
    visitor = Browser()
    for method, path in [("GET", "/api/streams"), ("POST", START), ("GET", "/")]:
        await visitor.call(method, path)
    assert await left_nothing(visitor)


async def test_a_stranger_who_reads_owns_nothing(process: Process) -> None:
    answer = await Browser().call("GET", "/api/streams")
    assert answer.json() == {"results": [], "next": None}


async def by_get(visitor: Browser) -> None:
    await (await visitor.events("GET", f"{START}?prompt=Why")).end()


async def by_post(visitor: Browser) -> None:
    await (await visitor.start()).end()


async def unwatched(visitor: Browser) -> None:
    await visitor.start_unwatched()


async def waited_for(visitor: Browser) -> None:
    answer: Answer = await visitor.call("POST", f"{START}?wait=1", {"prompt": "Why?"}, headers=JSON)
    assert answer.status == 200


@pytest.mark.parametrize("start", [by_get, by_post, unwatched, waited_for])
async def test_an_accepted_start_gives_a_stranger_the_session_that_owns_it(
    process: Process, block: BlockType, play: Play, start: Callable[[Browser], Awaitable[None]]
) -> None:
    play("Hello")
    visitor = Browser()
    await start(visitor)
    assert "sessionid" in visitor.cookies
    assert await Session.objects.acount() == 0
    answer = await visitor.call("GET", "/api/streams")
    assert len(answer.json()["results"]) == 1


@pytest.mark.parametrize("path", ["/", "/history", "/api/config"])
async def test_pages_and_the_configuration_give_a_session(process: Process, path: str) -> None:
    visitor = Browser()
    await visitor.call("GET", path)
    if path != "/api/config" and not _pages_are_built():
        pytest.skip("the pages are not built")
    assert "sessionid" in visitor.cookies


def _pages_are_built() -> bool:
    from frontend.build import is_built

    return is_built()


async def test_a_session_that_is_gone_is_not_made_anew_by_a_read(process: Process) -> None:
    visitor = Browser()
    visitor.cookies["sessionid"] = "k" * 32
    assert (await visitor.call("GET", "/api/streams")).status == 200
    assert await Session.objects.acount() == 0


async def test_a_stranger_who_cancels_a_request_leaves_no_intent_behind(process: Process) -> None:
    """No later call could be attributed to the same visitor."""
    visitor = Browser()
    request_id = new_request_id()
    answer = await visitor.call("POST", "/api/streams/cancel", {"request_id": request_id})
    assert answer.json() == {"request_id": request_id, "stream_id": None, "status": "cancelled"}
    assert await left_nothing(visitor)
    assert await CancelIntent.objects.acount() == 0
