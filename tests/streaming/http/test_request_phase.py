"""The layer of the request phase that limits bodies."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from streaming.http.request_phase import MAX_BODY_BYTES, SMALL_BODY_BYTES, BodyLimit
from tests.support.schema import validate_problem

SCOPE: dict[str, Any] = {"type": "http", "headers": []}

# --- bodies -----------------------------------------------------------------------------


class Inner:
    """The application behind the limit, which reads the request."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.calls = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.calls += 1
        self.messages.append(await receive())
        self.messages.append(await receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})


def parts(*bodies: bytes, is_whole: bool = True) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": body, "more_body": True} for body in bodies
    ]
    if is_whole:
        messages[-1]["more_body"] = False
    return [*messages, {"type": "http.disconnect"}]


async def through(
    inner: Inner, messages: list[dict[str, Any]], *, headers: Any = (), max_bytes: int = 10
) -> tuple[list[dict[str, Any]], int]:
    """Return the sent messages, and the number of unread ones."""
    sent: list[dict[str, Any]] = []
    left = list(messages)

    async def receive() -> Any:
        return left.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await BodyLimit(inner, max_bytes=max_bytes)({**SCOPE, "headers": headers}, receive, send)
    return sent, len(left)


@pytest.mark.parametrize(
    "bodies", [(b"",), (b"0123456789",), (b"01234", b"56789"), (b"", b"0", b"", b"1")]
)
async def test_a_body_up_to_the_limit_arrives_as_one_message(bodies: tuple[bytes, ...]) -> None:
    inner = Inner()
    await through(inner, parts(*bodies))
    assert inner.messages == [
        {"type": "http.request", "body": b"".join(bodies), "more_body": False},
        {"type": "http.disconnect"},
    ]


@pytest.mark.parametrize("bodies", [(b"0" * 11,), (b"0" * 10, b"1"), (b"0" * 5, b"", b"1" * 6)])
async def test_a_body_over_it_is_refused_as_soon_as_that_shows(bodies: tuple[bytes, ...]) -> None:
    inner = Inner()
    sent, left = await through(inner, parts(*bodies, b"never read", is_whole=False))
    assert inner.calls == 0
    assert left == 2  # reading stops after the first excess part
    assert_is_413(sent)


async def test_a_declared_length_over_it_is_refused_unread() -> None:
    inner = Inner()
    messages = parts(b"0")
    sent, left = await through(inner, messages, headers=[(b"content-length", b"11")])
    assert (inner.calls, left) == (0, len(messages))
    assert_is_413(sent)


@pytest.mark.parametrize("length", [b"", b"-5", b"x", b"1e9", "²".encode()])
async def test_a_length_that_is_no_number_is_not_believed(length: bytes) -> None:
    inner = Inner()
    await through(inner, parts(b"0"), headers=[(b"content-length", length)])
    assert inner.calls == 1


async def test_a_declared_length_that_lies_does_not_help() -> None:
    inner = Inner()
    sent, _ = await through(inner, parts(b"0" * 11), headers=[(b"content-length", b"1")])
    assert inner.calls == 0
    assert_is_413(sent)


async def test_a_client_that_leaves_in_mid_body_reaches_nobody() -> None:
    inner = Inner()
    sent, _ = await through(inner, parts(b"01", is_whole=False))
    assert (inner.calls, sent) == (0, [])


async def test_large_bodies_that_do_not_end_share_their_room_and_small_ones_need_none() -> None:
    inner = Inner()
    limit = BodyLimit(inner, large_bodies_bytes=100)
    wait = asyncio.Event()

    async def ask(size: int, *, is_whole: bool) -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        messages = parts(b"0" * (SMALL_BODY_BYTES + size), is_whole=is_whole)

        async def receive() -> Any:
            message = messages.pop(0)
            if message["type"] == "http.disconnect":
                await wait.wait()
            return message

        async def send(message: Any) -> None:
            sent.append(message)

        await limit(SCOPE, receive, send)
        return sent

    async with asyncio.TaskGroup() as group:
        group.create_task(ask(60, is_whole=False))
        await asyncio.sleep(0)
        start, body = await ask(41, is_whole=False)
        assert (start["status"], dict(start["headers"])[b"retry-after"]) == (503, b"5")
        validate_problem(json.loads(body["body"]))
        assert json.loads(body["body"])["code"] == "over_capacity"
        assert inner.calls == 0
        wait.set()
        await ask(40, is_whole=True)
        await ask(0, is_whole=True)
        assert inner.calls == 2
    await ask(100, is_whole=True)  # the memory was released
    assert inner.calls == 3


async def test_the_limit_is_a_mebibyte() -> None:
    assert MAX_BODY_BYTES == 1_048_576
    inner = Inner()
    sent, _ = await through(inner, parts(b"0" * (MAX_BODY_BYTES + 1)), max_bytes=MAX_BODY_BYTES)
    assert_is_413(sent)


def assert_is_413(sent: list[dict[str, Any]]) -> None:
    start, body = sent
    headers = dict(start["headers"])
    assert start["status"] == 413
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"content-length"] == str(len(body["body"])).encode()
    assert headers[b"connection"] == b"close"
    validate_problem(json.loads(body["body"]))
    assert json.loads(body["body"])["code"] == "prompt_too_long"
    assert not body.get("more_body", False)


async def test_a_large_body_has_its_room_until_its_request_is_done() -> None:
    entered, may_end = asyncio.Event(), asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        entered.set()
        await may_end.wait()

    limit = BodyLimit(app, large_bodies_bytes=100)

    async def ask() -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        messages = parts(b"0" * (SMALL_BODY_BYTES + 60))

        async def receive() -> Any:
            return messages.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        await limit(SCOPE, receive, send)
        return sent

    first = asyncio.create_task(ask())
    await entered.wait()
    assert (await ask())[0]["status"] == 503
    may_end.set()
    await first
    assert await ask() == []


@pytest.mark.parametrize(
    ("accept", "path", "kind"),
    [
        (b"text/html,*/*;q=0.8", "/admin/x/", b"text/html; charset=utf-8"),
        (b"text/html,*/*;q=0.8", "/api/x", b"application/problem+json"),
        (b"*/*", "/admin/x/", b"application/problem+json"),
    ],
)
async def test_a_form_that_is_too_large_gets_a_page(accept: bytes, path: str, kind: bytes) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"0" * 2_000}

    headers = [(b"accept", accept)]
    scope = {**SCOPE, "path": f"/site{path}", "root_path": "/site", "headers": headers}
    await BodyLimit(Inner(), max_bytes=1_000)(scope, receive, send)
    start, body = sent
    assert (start["status"], dict(start["headers"])[b"content-type"]) == (413, kind)
    assert b"1,000 bytes" in body["body"]
