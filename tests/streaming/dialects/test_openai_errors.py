"""Every refusal below `/v1` has OpenAI's form, whoever makes it.

Source: spec.md, "Dialects".
"""

from __future__ import annotations

from typing import Any

import pytest

from blocks.models import BlockType
from streaming.dialects.openai_errors import OpenAIErrors, is_below_root
from streaming.errors import Refused
from streaming.http.asgi_problem import send_problem
from streaming.http.request_phase import MAX_BODY_BYTES
from tests.conftest import Play
from tests.support.streaming.browser import Answer, Browser
from tests.support.streaming.dialect_calls import COMPLETIONS, completion

JSON: dict[str, str | None] = {"Content-Type": "application/json"}
LONG_TYPE: dict[str, str | None] = {"Content-Type": f"application/json; a={'x' * 600}"}
FORM: dict[str, str | None] = {"Content-Type": "application/x-www-form-urlencoded"}
LARGE = b" " * (MAX_BODY_BYTES + 1)

REFUSED: dict[str, tuple[int, str, str, bytes, dict[str, str | None]]] = {
    "unknown address": (404, "not_found", "POST /v1/embeddings", b"{}", JSON),
    "unknown to a reader": (404, "not_found", "GET /v1/nope", b"", {}),
    "nothing after the door": (404, "not_found", "GET /v1", b"", {}),
    "below a call": (404, "not_found", "GET /v1/models/quiz/more", b"", {}),
    "unknown model": (404, "unknown_block", "GET /v1/models/none", b"", {}),
    "large body": (413, "prompt_too_long", f"POST {COMPLETIONS}", LARGE, JSON),
    "large body to nowhere": (413, "prompt_too_long", "POST /v1/x", LARGE, JSON),
    "no JSON": (400, "malformed", f"POST {COMPLETIONS}", b"{", JSON),
    "no object": (400, "malformed", f"POST {COMPLETIONS}", b"[1]", JSON),
    "long header": (400, "malformed", f"POST {COMPLETIONS}", b"{}", LONG_TYPE),
    "long address": (400, "malformed", f"GET /v1/models?{'a' * 70_000}", b"", {}),
    "too many parameters": (400, "malformed", f"GET /v1/models?{'a&' * 1_100}", b"", {}),
    "wrong host": (400, "malformed", "GET /v1/models", b"", {"Host": "a b"}),
    "a form": (415, "unsupported_media_type", f"POST {COMPLETIONS}", b"a=1", FORM),
    "wrong method": (405, "method_not_allowed", f"GET {COMPLETIONS}", b"", {}),
    "wrong method of a list": (405, "method_not_allowed", "DELETE /v1/models", b"", {}),
    "options": (405, "method_not_allowed", f"OPTIONS {COMPLETIONS}", b"", {}),
}


def assert_is_openais(answer: Answer, status: int, code: str) -> None:
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert set(document) == {"error"}
    assert set(document["error"]) == {"message", "type", "param", "code"}
    assert (answer.status, document["error"]["code"]) == (status, code)
    assert document["error"]["message"]
    assert document["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("refused", list(REFUSED))
async def test_a_refusal_has_openais_form(browser: Browser, refused: str) -> None:
    status, code, call, body, headers = REFUSED[refused]
    method, path = call.split(" ", 1)
    answer = await browser.call(method, path, body=body, headers=headers)
    assert_is_openais(answer, status, code)
    if status == 405:
        assert answer.headers["allow"] in ("POST", "GET")
    if "content-length" in answer.headers:
        assert int(answer.headers["content-length"]) == len(answer.body)


async def test_the_same_refusals_elsewhere_stay_problem_documents(browser: Browser) -> None:
    for path in ("/api/nope", "/v1x", "/api/v1/models"):
        answer = await browser.call("GET", path)
        assert answer.status == 404 and not answer.body.startswith(b'{"error"'), path
    (await browser.call("POST", "/api/nope", body=LARGE)).problem("prompt_too_long")


async def test_a_field_is_their_param_and_a_head_has_no_body(
    browser: Browser, block: BlockType
) -> None:
    answer = await browser.call("POST", COMPLETIONS, completion(n=2))
    assert answer.json()["error"]["param"] == "n"
    head = await browser.call("HEAD", "/v1/nope")
    assert (head.status, head.headers["content-type"]) == (404, "application/json")


async def test_their_clients_do_not_repeat_a_conflict(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("Hello")
    named = {"request_id": "6f7f2c1e-0a5e-4c7a-9a3e-0c9a54f7a1b2"}
    assert (await browser.call("POST", COMPLETIONS, completion(**named))).status == 200
    answer = await browser.call("POST", COMPLETIONS, completion("Who?", **named))
    assert_is_openais(answer, 409, "request_conflict")
    assert answer.headers["x-should-retry"] == "false"


async def test_a_full_server_says_when_to_come_again() -> None:
    async def full(scope: Any, receive: Any, send: Any) -> None:
        await send_problem(send, Refused("over_capacity", retry_after_seconds=5))

    async def nothing() -> Any:
        raise AssertionError("nobody reads the request")

    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/site/v1/models", "root_path": "/site", "headers": []}
    assert is_below_root(scope)
    await OpenAIErrors(full)(scope, nothing, send)
    headers = dict(sent[0]["headers"])
    assert (sent[0]["status"], headers[b"retry-after"]) == (503, b"5")
    assert headers[b"content-length"] == str(len(sent[1]["body"])).encode()
    assert b'"server_error"' in sent[1]["body"] and b'"over_capacity"' in sent[1]["body"]
