"""The shared parts of the API's calls, apart from Django and DRF."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from rest_framework.request import Request

from streaming.errors import Refused
from streaming.http import endpoint
from streaming.http.endpoint import (
    answer_when_done,
    cursor_of,
    rendered,
    require_sse,
)
from streaming.http.handover import HandOver
from streaming.process import Process
from streaming.protocol.cursor import InvalidCursor
from streaming.switches import Switches
from tests.support.schema import validate_problem
from tests.support.streaming.exchange import Exchange, Head

STREAM = "A" * 22
OTHER = "B" * 22


def asking(query: str = "", last_event_id: str | None = None) -> Request:
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    return Request(RequestFactory().get(f"/{query}", headers=headers))


@pytest.mark.parametrize(
    ("query", "last_event_id", "cursor"),
    [
        ("", None, -1),
        ("?after=-1", None, -1),
        ("?after=5", None, 5),
        ("", f"{STREAM}:7", 7),
        ("?after=5", f"{STREAM}:7", 7),  # the header is the newer one
        ("?after=5", f"{STREAM}:-1", -1),
        ("?after=5", "", 5),
    ],
)
def test_the_cursor_is_the_header_else_the_parameter_else_the_start(
    query: str, last_event_id: str | None, cursor: int
) -> None:
    assert cursor_of(asking(query, last_event_id), STREAM) == cursor


def test_a_cursor_of_another_stream_is_none() -> None:
    with pytest.raises(Refused) as refused:
        cursor_of(asking("", f"{OTHER}:7"), STREAM)
    assert refused.value.code == "invalid_cursor"


@pytest.mark.parametrize(("query", "header"), [("?after=x", None), ("?after=5", "x")])
def test_a_malformed_cursor_is_none(query: str, header: str | None) -> None:
    with pytest.raises(InvalidCursor):
        cursor_of(asking(query, header), STREAM)


@pytest.mark.parametrize(
    ("backend", "fallback", "is_served"),
    [("sse", True, True), ("sse", False, True), ("websocket", True, True)],
)
def test_sse_is_served_where_it_is_selected_or_the_fallback(
    monkeypatch: pytest.MonkeyPatch, backend: str, fallback: bool, is_served: bool
) -> None:
    switches = Switches(enabled=True, backend=backend, fallback=fallback, message="")
    monkeypatch.setattr(endpoint, "current_switches", lambda: switches)
    require_sse()


def test_sse_is_refused_where_websocket_alone_is_selected(monkeypatch: pytest.MonkeyPatch) -> None:
    switches = Switches(enabled=True, backend="websocket", fallback=False, message="")
    monkeypatch.setattr(endpoint, "current_switches", lambda: switches)
    with pytest.raises(Refused) as refused:
        require_sse()
    assert refused.value.extra == {"selected": "websocket"}


def test_json_is_not_cached_and_keeps_its_letters() -> None:
    response = rendered({"a": "ä<"}, status=201)
    assert response.content == '{"a": "ä<"}'.encode()
    assert (response.status_code, response["Cache-Control"]) == (201, "no-store")


# --- slow responses -------------------------------------------------------------------------


async def handed_over(work: Any) -> tuple[Head, bytes]:
    """Return what a client receives from `answer_when_done(work)`, through the hand-over layer."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        response: HttpResponse = answer_when_done(work)
        headers = [(name.encode(), value.encode()) for name, value in response.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": response.content})

    exchange = Exchange("GET", "/", "", [], app=HandOver(app))
    return await exchange.head(), await exchange.rest()


async def test_an_answer_is_what_the_work_gives(process: Process) -> None:
    async def work(given: Process) -> dict[str, Any]:
        assert given is process
        return {"a": 1}

    head, body = await handed_over(work)
    assert (head.status, json.loads(body)) == (200, {"a": 1})
    assert head.headers["content-type"] == "application/json"


async def test_a_refusal_of_the_work_is_its_problem(process: Process) -> None:
    async def work(given: Process) -> dict[str, Any]:
        raise Refused("store_unavailable", retry_after_seconds=1)

    head, body = await handed_over(work)
    validate_problem(json.loads(body))
    assert head.status == 503
    assert head.headers["content-type"] == "application/problem+json"
    assert head.headers["retry-after"] == "1"


async def test_work_that_breaks_is_a_logged_internal_error(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(given: Process) -> dict[str, Any]:
        raise ValueError("hunter2")

    head, body = await handed_over(work)
    validate_problem(json.loads(body))
    assert (head.status, json.loads(body)["code"]) == (500, "internal")
    assert b"hunter2" not in body
    assert "hunter2" in caplog.text
