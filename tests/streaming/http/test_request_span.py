"""A request that may start an answer begins a trace, which ends with the head of its response."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings
from opentelemetry.trace import SpanKind

from blocks import tracing
from streaming.http.request_span import PARENT, ROUTE, RequestSpans
from streaming.loop.push import push_of
from streaming.serving.forwarded import ProxysIds
from tests.support.recorded_spans import RecordedSpans, recorded_spans

PATH = "/api/stream/ai-block/ask-question"
PARENT_ID = "ab" * 16
HEADER = (b"traceparent", f"00-{PARENT_ID}-{'cd' * 8}-01".encode())
PROXY, STRANGER = ("127.0.0.1", 1), ("203.0.113.9", 1)


def scope_of(method: str = "POST", path: str = PATH, **more: Any) -> dict[str, Any]:
    return {"type": "http", "method": method, "path": path, "headers": [], **more}


class Server:
    """A server's side of a request; its `send` can `push`, as ours can."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def push(self, part: Any) -> bool:
        return True

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message["type"])


async def call(scope: dict[str, Any], spans: RecordedSpans, *, status: int | None = 200) -> str:
    """Make a request whose body follows later; return the trace that its work saw."""
    seen = ""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal seen
        seen = tracing.trace_id() or ""
        assert push_of(send) is not None, "the fast way is hidden"
        if status is None:
            return
        await send({"type": "http.response.start", "status": status, "headers": []})
        assert len(spans.ended) == (1 if seen else 0), "before the body"
        await send({"type": "http.response.body", "body": b"x"})

    server = Server()
    layer: Any = RequestSpans(app, begin=lambda: None)
    await layer(scope, None, server.send)
    assert len(server.sent) == (0 if status is None else 2)
    assert tracing.trace_id() is None
    return seen


async def test_a_start_is_a_span_with_its_route_and_status_and_without_its_query() -> None:
    with recorded_spans() as spans:
        seen = await call(scope_of(query_string=b"prompt=secret"), spans)
    span = spans.only()
    assert (span.name, span.kind) == (f"POST {ROUTE}", SpanKind.SERVER)
    assert dict(span.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": ROUTE,
        "http.response.status_code": 200,
    }
    assert seen == f"{span.get_span_context().trace_id:032x}" and span.parent is None


@pytest.mark.parametrize(("status", "is_ok"), [(429, True), (503, False), (None, True)])
async def test_what_fails_is_the_server_and_not_the_client(status: int | None, is_ok: bool) -> None:
    with recorded_spans() as spans:
        await call(scope_of("GET"), spans, status=status)
    assert spans.only().status.is_ok is is_ok


@pytest.mark.parametrize(
    "scope",
    [
        scope_of(path="/api/streams"),
        scope_of("GET", path="/readyz"),
        scope_of("HEAD"),
        scope_of("GET", headers=[(b"last-event-id", b"x:1")]),
        {"type": "websocket", "path": PATH, "headers": []},
    ],
)
async def test_no_other_request_begins_a_trace(scope: dict[str, Any]) -> None:
    with recorded_spans() as spans:
        assert await call(scope, spans) == ""
    assert spans.ended == []


@override_settings(FORCE_SCRIPT_NAME="/ai")
async def test_a_start_is_found_below_the_sites_path_too() -> None:
    for path in (f"/ai{PATH}", PATH):
        with recorded_spans() as spans:
            assert await call(scope_of(path=path), spans)


@pytest.mark.parametrize(
    ("is_wanted", "client", "headers", "is_continued"),
    [
        (True, PROXY, [HEADER], True),
        (True, None, [HEADER], True),  # a Unix socket
        (False, PROXY, [HEADER], False),
        (True, STRANGER, [HEADER], False),
        (True, PROXY, [HEADER, HEADER], False),
        (True, PROXY, [(b"traceparent", b"00-no-trace-01")], False),
        (True, PROXY, [(b"traceparent", b"\xff" * 100)], False),
        (True, PROXY, [], False),
    ],
)
async def test_a_trace_is_continued_only_of_a_trusted_proxy_where_the_operator_wants_it(
    is_wanted: bool, client: Any, headers: Any, is_continued: bool
) -> None:
    scope = scope_of(client=client, headers=headers)

    async def keep(scope: Any, receive: Any, send: Any) -> None:
        pass

    with override_settings(TRACING_FROM_PROXIES=is_wanted), recorded_spans() as spans:
        layer: Any = ProxysIds(keep)
        await layer(scope, None, None)
        assert (await call(scope, spans) == PARENT_ID) is is_continued
    assert PARENT in scope or not is_continued
