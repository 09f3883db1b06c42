"""The API's description matches the served API."""

from __future__ import annotations

import json
import re
import uuid
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from blocks.models import BlockType
from tests.conftest import Play
from tests.support.schema import load_schema
from tests.support.streaming.browser import Answer, Browser

START = "/api/stream/ai-block/{block_type}"
TALE = "/api/stream/ai-block/tale"
STREAM = "/api/streams/{stream_id}"
SHAPES = "#/components/schemas/"


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return schema


def test_it_is_valid_openapi_made_without_a_warning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    validate_schema(SchemaGenerator().get_schema(request=None, public=True))
    assert capsys.readouterr().err == ""


def test_it_names_every_call_and_method(description: dict[str, Any]) -> None:
    calls = {
        (method.upper(), path)
        for path, methods in description["paths"].items()
        for method in methods
    }
    assert {call for call in calls if "/schema" not in call[1]} == {
        ("GET", "/api/config"),
        ("GET", "/api/blocks"),
        ("GET", "/api/stream/ai-block/{block_type}"),
        ("POST", "/api/stream/ai-block/{block_type}"),
        ("GET", "/api/streams"),
        ("DELETE", "/api/streams"),
        ("GET", "/api/export"),
        ("POST", "/api/streams/cancel"),
        ("GET", "/api/streams/{stream_id}"),
        ("DELETE", "/api/streams/{stream_id}"),
        ("GET", "/api/streams/{stream_id}/events"),
        ("POST", "/api/streams/{stream_id}/cancel"),
    }


def test_every_call_has_a_name_and_an_answer_of_its_own(description: dict[str, Any]) -> None:
    operations = [one for methods in description["paths"].values() for one in methods.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(operation["responses"] for operation in operations)


def test_a_session_or_a_token_says_who_asks_and_no_call_requires_one(
    description: dict[str, Any],
) -> None:
    schemes = description["components"]["securitySchemes"]
    assert set(schemes) == {"session", "token"}
    assert (schemes["session"]["in"], schemes["session"]["name"]) == ("cookie", "sessionid")
    assert (schemes["token"]["type"], schemes["token"]["scheme"]) == ("http", "bearer")
    assert all(
        operation["security"] == [{"session": []}, {"token": []}, {}]
        for methods in description["paths"].values()
        for operation in methods.values()
    )


# --- shapes ------------------------------------------------------------------------------


def test_its_shapes_are_the_contracts_and_every_reference_resolves(
    description: dict[str, Any],
) -> None:
    text = json.dumps(description)
    schemas = description["components"]["schemas"]
    assert list(schemas) == list(load_schema()["$defs"])
    assert set(re.findall(r'"\$ref": "(.*?)"', text)) <= {f"{SHAPES}{name}" for name in schemas}
    in_contract = json.dumps(load_schema()["$defs"]).replace("#/$defs/", SHAPES)
    assert schemas == json.loads(in_contract)
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


def test_the_contract_is_found_from_any_working_directory(
    description: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert SchemaGenerator().get_schema(request=None, public=True) == description


def _is_valid(description: dict[str, Any], schema: dict[str, Any], data: object) -> bool:
    whole = {"components": description["components"], **schema}
    return Draft202012Validator(whole).is_valid(data)


def _check(description: dict[str, Any], method: str, path: str, answer: Answer) -> Answer:
    """Check a real answer against the responses of an operation; return the answer."""
    responses = description["paths"][path][method]["responses"]
    response = responses[str(answer.status)]  # by its own status, not by 4XX
    if "content" not in response:
        assert answer.body == b""
        return answer
    kind = answer.headers["content-type"].partition(";")[0]
    schema = response["content"][kind]["schema"]
    data = answer.body.decode() if kind.startswith("text/") else answer.json()
    assert _is_valid(description, schema, data), (schema, data)
    if kind == "application/problem+json":
        assert f"`{data['code']}`" in response["description"]
    return answer


async def test_real_answers_fit_it(
    description: dict[str, Any], browser: Browser, block: BlockType, play: Play
) -> None:
    fits = partial(_check, description)
    play("Hello", {"hang": True})
    data = {"prompt": "Why?", "request_id": str(uuid.uuid4())}
    fits("get", "/api/config", await browser.call("GET", "/api/config"))
    fits("get", "/api/blocks", await browser.call("GET", "/api/blocks"))
    started = fits("post", START, await browser.post_json(TALE, data)).stream(201)
    fits("post", START, await browser.post_json(TALE, data)).stream(200)
    own = f"/api/streams/{started['stream_id']}"
    fits("get", STREAM, await browser.call("GET", own)).stream()
    fits("delete", STREAM, await browser.call("DELETE", own)).problem("still_running")
    by_request = await browser.call(
        "POST", "/api/streams/cancel", {"request_id": data["request_id"]}
    )
    assert fits("post", "/api/streams/cancel", by_request).stream()["status"] == "cancelled"
    fits("post", f"{STREAM}/cancel", await browser.call("POST", f"{own}/cancel")).stream()
    events = fits("get", f"{STREAM}/events", await browser.call("GET", f"{own}/events"))
    assert events.body.count(b"event: cancelled") == 1
    listed = fits("get", "/api/streams", await browser.call("GET", "/api/streams"))
    assert len(listed.json()["results"]) == 1
    end = (await browser.resource(started["stream_id"]))["seq"]
    at_end = await browser.call("GET", f"{own}/events?after={end}")
    assert fits("get", f"{STREAM}/events", at_end).status == 204
    for form in ("json", "markdown"):
        exported = await browser.call("GET", f"/api/export?format={form}")
        assert fits("get", "/api/export", exported).status == 200
    assert fits("delete", STREAM, await browser.call("DELETE", own)).status == 204
    fits("delete", STREAM, await browser.call("DELETE", own)).problem("not_found")
    all_gone = await browser.call("DELETE", "/api/streams")
    assert fits("delete", "/api/streams", all_gone).status == 200
    unknown = {"request_id": str(uuid.uuid4())}
    remembered = await browser.call("POST", "/api/streams/cancel", unknown)
    assert fits("post", "/api/streams/cancel", remembered).json()["stream_id"] is None


@pytest.mark.parametrize(
    ("method", "path", "called", "options", "code"),
    [
        ("get", STREAM, "/api/streams/none", {}, "not_found"),
        ("get", f"{STREAM}/events", "/api/streams/none/events", {}, "not_found"),
        ("get", "/api/streams", "/api/streams?limit=0", {}, "invalid_input"),
        ("get", "/api/streams", "/api/streams?cursor=x", {}, "invalid_cursor"),
        ("delete", "/api/streams", "/api/streams?limit=1", {}, "invalid_input"),
        ("get", "/api/export", "/api/export?format=xml", {}, "invalid_input"),
        ("get", START, f"{TALE}?prompt=x&after=1", {}, "invalid_cursor"),
        ("get", START, TALE, {"headers": {"Sec-Fetch-Site": "cross-site"}}, "forbidden_origin"),
        ("post", START, f"{TALE}-not", {"data": {"prompt": "x"}}, "unknown_block"),
        ("post", START, TALE, {"data": {"prompt": "x" * 100_000}}, "prompt_too_long"),
        ("post", START, TALE, {"data": {}, "headers": {"X-CSRFToken": None}}, "csrf_failed"),
        ("post", START, TALE, {"body": b"x"}, "unsupported_media_type"),
        ("post", START, TALE, {"data": []}, "malformed"),
        ("post", f"{STREAM}/cancel", "/api/streams/none/cancel", {}, "not_found"),
    ],
)
async def test_real_refusals_fit_it(
    description: dict[str, Any],
    browser: Browser,
    block: BlockType,
    method: str,
    path: str,
    called: str,
    options: dict[str, Any],
    code: str,
) -> None:
    answer = await browser.call(method.upper(), called, **options)
    _check(description, method, path, answer).problem(code)


# --- request bodies ----------------------------------------------------------------------

ID = "0B8E7F3A-9B1C-4D2E-8F3A-0123456789AB"


def _allows(description: dict[str, Any], path: str, data: object) -> bool:
    body = description["paths"][path]["post"]["requestBody"]
    assert body["required"] is True
    return _is_valid(description, body["content"]["application/json"]["schema"], data)


@pytest.mark.parametrize(
    ("data", "is_allowed"),
    [
        ({"prompt": "Why?"}, True),
        ({"prompt": "Why?", "options": {}, "request_id": ID}, True),
        ({"prompt": "Why?", "options": None, "request_id": None}, True),
        ({}, False),
        ({"prompt": None}, False),
        ({"prompt": 1}, False),
        ({"prompt": "Why?", "options": []}, False),
        ({"prompt": "Why?", "request_id": "x"}, False),
        ({"prompt": "Why?", "request_id": 1}, False),
        ({"prompt": "Why?", "more": 1}, False),
        (["Why?"], False),
    ],
)
async def test_a_start_is_accepted_exactly_if_it_allows_the_body(
    description: dict[str, Any],
    browser: Browser,
    block: BlockType,
    play: Play,
    data: Any,
    is_allowed: bool,
) -> None:
    play("Hello")
    assert _allows(description, START, data) is is_allowed
    answer = await browser.post_json(TALE, data)
    assert answer.status == (201 if is_allowed else 400), answer


@pytest.mark.parametrize(
    ("data", "is_allowed"),
    [
        ({"request_id": ID}, True),
        ({}, False),
        ({"request_id": None}, False),
        ({"request_id": "x"}, False),
        ({"request_id": ID, "more": 1}, False),
    ],
)
async def test_a_cancel_is_accepted_exactly_if_it_allows_the_body(
    description: dict[str, Any], browser: Browser, data: Any, is_allowed: bool
) -> None:
    assert _allows(description, "/api/streams/cancel", data) is is_allowed
    answer = await browser.call("POST", "/api/streams/cancel", data)
    assert answer.status == (200 if is_allowed else 400), answer
