"""What the edges make of HTTP: addresses, responses of proxies, and messages without an event."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from liveai.client import AsyncClient, Client, LiveAIError, Patience, Terminal
from tests.specs.fixture import FIXTURES

RUN = json.loads((FIXTURES / "run-markdown.json").read_text("utf-8"))
NOT_PATIENT = Patience(unproven_attempts=0, attempts=0)
BOTH = pytest.mark.parametrize("kind", [Client, AsyncClient])
Respond = Callable[[httpx.Request], httpx.Response]


async def read(kind: Any, respond: Respond, url: str = "https://ai.example/site/") -> Terminal:
    """Ask a server that responds so, and return the end of its answer."""
    transport = httpx.MockTransport(respond)
    client = kind(url, token=" a-token\n", patience=NOT_PATIENT, transport=transport)
    if isinstance(client, AsyncClient):
        async with client:
            return await client.ask("ask-question", "Hello").read()
    with client:
        return client.ask("ask-question", "Hello").read()


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
@pytest.mark.parametrize("url", ["ai.example", "ftp://ai.example", "https://", ""])
def test_an_address_that_is_none_is_refused(kind: Any, url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        kind(url)


@pytest.mark.parametrize("stream_id", ["", "short", "a" * 21 + "\n", "../../../etc/passwd/xx"])
def test_an_id_that_is_none_is_refused(stream_id: str) -> None:
    with Client("https://ai.example") as client:
        for call in (client.stream, client.cancel):
            with pytest.raises(ValueError, match="stream_id"):
                call(stream_id)
