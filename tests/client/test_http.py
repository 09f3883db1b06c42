"""What the edges make of HTTP: addresses, responses of proxies, and messages without an event."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from liveai.client import AsyncClient, Client, LiveAIError, Patience, Status, Terminal
from tests.specs.fixture import FIXTURES

RUN = json.loads((FIXTURES / "run-markdown.json").read_text("utf-8"))
NOT_PATIENT = Patience(unproven_attempts=0, attempts=0)
BOTH = pytest.mark.parametrize("kind", [Client, AsyncClient])
Respond = Callable[[httpx.Request], httpx.Response]


async def read(kind: Any, respond: Respond, url: str = "https://ai.example/site/") -> Terminal:
    """Ask a server that responds so, and return the end of its answer."""
    transport = httpx.MockTransport(respond)
    client = kind(url, token=" a-token\n", patience=NOT_PATIENT, transport=transport)
    end: Terminal = await taken(client, "ask", "ask-question", "Hello")
    return end


async def taken(client: Any, name: str, *given: Any) -> Any:
    """Call a method of a client of either kind, read the answer if it is one, and close it."""
    if isinstance(client, AsyncClient):
        async with client:
            called = getattr(client, name)(*given)
            return await (called if name != "ask" else called.read())
    with client:
        called = getattr(client, name)(*given)
        return called if name != "ask" else called.read()


@BOTH
async def test_comments_and_line_separators_of_an_event_stream_are_read_right(kind: Any) -> None:
    asked: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        body = ": ping\n\n".join(["", *RUN["sse"], ""])
        return httpx.Response(200, text=body, headers={"Content-Type": "text/event-stream"})

    end = await read(kind, respond)
    assert (end.status, end.text) == ("complete", RUN["final"]["text"])
    assert [str(request.url) for request in asked] == [
        "https://ai.example/site/api/stream/ai-block/ask-question"
    ]
    assert asked[0].headers["Authorization"] == "Bearer a-token"
    assert "Cookie" not in asked[0].headers


@BOTH
@pytest.mark.parametrize(
    ("response", "code"),
    [
        ((200, "text/html", "<h1>Sign in</h1>"), "unreachable"),
        ((200, "text/event-stream", "data: no json\n\n"), "unreachable"),
        ((200, "text/event-stream", "data: [1]\n\n"), "unreachable"),
        ((502, "text/html", "<h1>Bad gateway</h1>"), "http_502"),
        ((307, "text/plain", ""), "http_307"),
    ],
)
async def test_what_is_no_answer_is_an_error_with_a_code(
    kind: Any, response: tuple[int, str, str], code: str
) -> None:
    status, content_type, text = response

    def respond(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "ai.example"
        headers = {"Content-Type": content_type, "Location": "https://other.example/"}
        return httpx.Response(status, text=text, headers=headers)

    with pytest.raises(LiveAIError) as raised:
        await read(kind, respond)
    assert raised.value.code == code


@BOTH
@pytest.mark.parametrize(
    "url", ["ai.example", "ftp://ai.example", "https://", "https://ai.example:99999", ""]
)
def test_an_address_that_is_none_is_refused(kind: Any, url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        kind(url)


@BOTH
@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("HTTPS://name:word@AI.Example:443/site", "https://ai.example"),
        ("http://AI.example:80", "http://ai.example"),
        ("http://ai.example:443/", "http://ai.example:443"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ],
)
async def test_an_anonymous_visitor_writes_its_origin_as_browsers_do(
    kind: Any, url: str, origin: str
) -> None:
    origins = []

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/api/config"):
            return httpx.Response(200, json={"csrf_token": "a-token"})
        origins.append((request.headers["Origin"], request.headers["X-CSRFToken"]))
        return httpx.Response(404, json={"code": "unknown_block"})

    client = kind(url, patience=NOT_PATIENT, transport=httpx.MockTransport(respond))
    with pytest.raises(LiveAIError, match="unknown_block"):
        await taken(client, "ask", "none", "Hello")
    assert origins == [(origin, "a-token")]


@BOTH
@pytest.mark.parametrize("text", ["<h1>Sign in</h1>", "null", "[]"])
@pytest.mark.parametrize("call", [("blocks",), ("cancel", "x" * 22)])
async def test_a_success_that_is_not_the_servers_is_malformed(
    kind: Any, text: str, call: tuple[str, ...]
) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, text=text))
    client = kind("https://ai.example", token="a-token", transport=transport)
    with pytest.raises(LiveAIError) as raised:
        await taken(client, *call)
    assert (raised.value.code, raised.value.status) == ("malformed", 200)


@BOTH
@pytest.mark.parametrize("failures", [2, 9])
async def test_a_token_that_can_not_be_renewed_is_tried_again(kind: Any, failures: int) -> None:
    tokens = ["one", *[OSError("no identity provider")] * failures, "two"]

    def get_token() -> str:
        token = tokens.pop(0)
        if isinstance(token, OSError):
            raise token
        return token

    def respond(request: httpx.Request) -> httpx.Response:
        if request.headers["Authorization"] == "Bearer one":
            return httpx.Response(401, json={"code": "not_authenticated"})
        body = "".join(RUN["sse"])
        return httpx.Response(200, text=body, headers={"Content-Type": "text/event-stream"})

    client = kind(
        "https://ai.example",
        get_token=get_token,
        patience=Patience(first_seconds=0.001, attempts=5),
        transport=httpx.MockTransport(respond),
    )
    if failures == 2:
        assert (await taken(client, "ask", "ask-question", "Hello")).status == "complete"
        return
    with pytest.raises(LiveAIError, match="token_unavailable") as raised:
        await taken(client, "ask", "ask-question", "Hello")
    assert isinstance(raised.value.__cause__, OSError)
    assert len(tokens) == 1 + failures - 6  # the first try and five more


@BOTH
async def test_the_callers_first_token_fails_as_its_function_does(kind: Any) -> None:
    def get_token() -> str:
        raise OSError("no identity provider")

    client = kind("https://ai.example", get_token=get_token)
    with pytest.raises(OSError, match="no identity provider"):
        await taken(client, "ask", "ask-question", "Hello")


async def test_more_answers_than_httpx_has_places_are_read_and_cancelled() -> None:
    serving = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        head = await reader.readuntil(b"\r\n\r\n")
        if b"/cancel " in head:
            body = b'{"stream_id": "x"}'
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            writer.write(RUN["sse"][0].encode())
        await reader.read()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with AsyncClient(url, token="t", timeout=10, patience=NOT_PATIENT) as client:
            answers = [client.ask("ask-question", "Hello") for _ in range(101)]
            events = await asyncio.gather(*(anext(answer) for answer in answers))
            assert [type(event) for event in events] == [Status] * 101
            await answers[0].cancel()
            for answer in answers:
                await answer.aclose()
        await asyncio.gather(*serving)


async def test_after_a_session_that_was_cancelled_the_next_call_gets_one() -> None:
    asked: list[str] = []
    waiting = asyncio.Event()

    async def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if len(asked) < 3:
            waiting.set()
            await asyncio.Event().wait()
        if request.url.path == "/api/config":
            return httpx.Response(200, json={"csrf_token": "a-token"})
        return httpx.Response(200, json={"results": []})

    transport = httpx.MockTransport(respond)
    async with AsyncClient("https://ai.example", transport=transport) as client:
        held = []  # as a task group or a log holds them, with the frames of their tracebacks
        for cancelled in (client.blocks(), client.ask("ask-question", "Hello").read()):
            waiting.clear()
            task = asyncio.create_task(cancelled)
            await waiting.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as raised:
                await task
            held.append(raised.value)
        async with asyncio.timeout(20):
            assert await client.blocks() == []
    assert asked == ["/api/config"] * 3 + ["/api/blocks"]


def test_after_a_session_that_was_interrupted_the_next_call_gets_one() -> None:
    asked: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if len(asked) < 3:
            raise KeyboardInterrupt
        if request.url.path == "/api/config":
            return httpx.Response(200, json={"csrf_token": "a-token"})
        return httpx.Response(200, json={"results": []})

    held = []
    with Client("https://ai.example", transport=httpx.MockTransport(respond)) as client:
        for interrupted in (client.blocks, client.ask("ask-question", "Hello").read):
            with pytest.raises(KeyboardInterrupt) as raised:
                interrupted()
            held.append(raised.value)
        assert client.blocks() == []
    assert asked == ["/api/config"] * 3 + ["/api/blocks"]


@pytest.mark.parametrize("stream_id", ["", "short", "a" * 21 + "\n", "../../../etc/passwd/xx"])
def test_an_id_that_is_none_is_refused(stream_id: str) -> None:
    with Client("https://ai.example") as client:
        for call in (client.stream, client.cancel):
            with pytest.raises(ValueError, match="stream_id"):
                call(stream_id)
