"""Bad input over HTTP: a coded problem, nothing created, and a process that keeps serving.

Source: spec.md, "HTTP", "Errors".
"""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest

from streaming.models import Stream
from streaming.process import Process
from tests.conftest import MakeBlock, Play
from tests.support.streaming.asking import NO_STREAM
from tests.support.streaming.browser import START, Answer, Browser
from tests.support.streaming.exchange import Exchange

JSON = {"Content-Type": "application/json"}
OPTIONS = {
    "type": "object",
    "required": ["tone"],
    "properties": {
        "words": {"type": "integer", "minimum": 1, "maximum": 10, "default": 3},
        "tone": {"type": "string", "enum": ["dry", "warm"]},
        "loud": {"type": "boolean", "default": False},
    },
}
GOOD = {"prompt": "Why?", "options": {"tone": "dry"}}
LIMIT = 40


@pytest.fixture(autouse=True)
async def unharmed(
    browser: Browser,
    process: Process,
    make_block: MakeBlock,
    play: Play,
    caplog: pytest.LogCaptureFixture,
) -> AsyncIterator[None]:
    """Check around each test that nothing was created or broken, and that the next start works."""
    await make_block(options_schema=OPTIONS, prompt_limit=LIMIT)
    await make_block("hidden", enabled=False)
    provider = play("Hello")
    yield
    assert await Stream.objects.acount() == 0
    assert (provider.calls_started, process.manager.running) == (0, 0)
    assert [r.getMessage() for r in caplog.records if r.name == "streaming.http.problems"] == []
    stream = (await browser.post_json(f"{START}?wait=1", GOOD)).stream(200)
    assert stream["text"] == "Hello"


def named(name: str | None, data: Any) -> Any:
    return pytest.param(data, name, id=str(data)[:40])


# --- blocks, prompts, options -------------------------------------------------------------


@pytest.mark.parametrize("slug", ["nothing", "hidden", "Tale", "ta%20le", "%00", "a" * 500])
async def test_an_unknown_or_disabled_block_is_404(browser: Browser, slug: str) -> None:
    path = f"/api/stream/ai-block/{slug}"
    (await browser.call("POST", path, GOOD)).problem("unknown_block")
    (await browser.call("GET", f"{path}?prompt=a&tone=dry")).problem("unknown_block")


@pytest.mark.parametrize(
    "prompt", ["", "  \n\t ", None, 5, True, ["a"], {"a": 1}, "a\0b", "\ud800", "a\udfffb"]
)
async def test_a_prompt_that_is_none_is_400(browser: Browser, prompt: Any) -> None:
    answer = await browser.call("POST", START, GOOD | {"prompt": prompt})
    answer.problem("invalid_input", field="prompt")


@pytest.mark.parametrize("query", ["", "?tone=dry", "?prompt=&tone=dry", "?prompt=%20&tone=dry"])
async def test_a_get_without_a_prompt_is_400(browser: Browser, query: str) -> None:
    (await browser.call("GET", START + query)).problem("invalid_input", field="prompt")


async def test_a_missing_prompt_is_400(browser: Browser) -> None:
    (await browser.call("POST", START, {})).problem("invalid_input", field="prompt")
    (await browser.call("POST", START, headers=JSON)).problem("invalid_input", field="prompt")


async def test_a_prompt_over_the_blocks_limit_is_413(browser: Browser) -> None:
    long = "ä" * (LIMIT + 1)
    answer = await browser.call("POST", START, GOOD | {"prompt": long})
    answer.problem("prompt_too_long", field="prompt")
    query = urlencode({"prompt": long, "tone": "dry"})
    (await browser.call("GET", f"{START}?{query}")).problem("prompt_too_long", field="prompt")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        named("words", {"tone": "dry", "words": 0}),
        named("words", {"tone": "dry", "words": 11}),
        named("words", {"tone": "dry", "words": "3"}),
        named("words", {"tone": "dry", "words": 2.5}),
        named("words", {"tone": "dry", "words": True}),
        named("words", {"tone": "dry", "words": 10**30}),
        named("words", {"tone": "dry", "words": None}),
        named("words", {"tone": "dry", "words": [1]}),
        named("tone", {"tone": "loud"}),
        named("tone", {"tone": "dry\0"}),
        named("tone", {"tone": "\ud800"}),
        named("tone", {}),
        named("tone", None),
        named("loud", {"tone": "dry", "loud": "yes"}),
        named("volume", {"tone": "dry", "volume": 3}),
        named("?", {"tone": "dry", "\ud800": 3}),
        named("options", []),
        named("options", "tone=dry"),
        named("options", 5),
    ],
)
async def test_a_wrong_option_is_400_and_named(browser: Browser, options: Any, field: str) -> None:
    answer = await browser.call("POST", START, {"prompt": "Why?", "options": options})
    answer.problem("invalid_input", field=field)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("tone=dry&words=0", "words"),
        ("tone=dry&words=x", "words"),
        ("tone=dry&words=2.5", "words"),
        ("tone=dry&words=", "words"),
        ("tone=dry&words=%D9%A3", "words"),  # a digit, but not in ASCII
        ("tone=dry&loud=perhaps", "loud"),
        ("tone=loud", "tone"),
        ("tone=dry&volume=3", "volume"),
        ("tone=dry&format=json", "format"),
        ("tone=dry&options=1", "options"),
        ("", "tone"),
    ],
)
async def test_a_wrong_parameter_of_a_get_is_400_and_named(
    browser: Browser, query: str, field: str
) -> None:
    answer = await browser.call("GET", f"{START}?prompt=Why&{query}")
    answer.problem("invalid_input", field=field)


@pytest.mark.parametrize("after", ["0", "x", "", "-2"])
async def test_an_after_without_last_event_id_starts_nothing(browser: Browser, after: str) -> None:
    answer = await browser.call("GET", f"{START}?prompt=Why&tone=dry&after={after}")
    answer.problem("invalid_cursor")


@pytest.mark.parametrize(
    "request_id",
    ["", "x", 5, ["a"], "0" * 32, "{11111111-1111-4111-8111-111111111111}", "1" * 5000],
)
async def test_a_malformed_request_id_is_400(browser: Browser, request_id: Any) -> None:
    answer = await browser.call("POST", START, GOOD | {"request_id": request_id})
    answer.problem("invalid_input", field="request_id")


async def test_a_malformed_request_id_of_a_get_is_400(browser: Browser) -> None:
    answer = await browser.call("GET", f"{START}?prompt=Why&tone=dry&request_id=1")
    answer.problem("invalid_input", field="request_id")


@pytest.mark.parametrize(("name", "shown"), [("model", "model"), ("\ud800", "?"), ("", "")])
async def test_a_field_that_there_is_not_is_400_and_named(
    browser: Browser, name: str, shown: str
) -> None:
    answer = await browser.call("POST", START, GOOD | {name: "other"})
    answer.problem("invalid_input", field=shown)


# --- bodies -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"{",
        b'{"prompt": "Why?"',
        b'{"prompt": "Why?"} {}',
        b"[]",
        b"[1]",
        b'"Why?"',
        b"null",
        b"5",
        b'{"prompt": NaN}',
        b'{"prompt": -Infinity}',
        b'{"prompt": "\xff"}',
        b'\xef\xbb\xbf{"prompt": "Why?"}',
        b'{"prompt": "a\nb"}',
        b"\0",
        b'{"prompt": ' + b"1" * 10_000 + b"}",
        b"[" * 10_000,
        b"[" * 10_000 + b"]" * 10_000,
        b'{"prompt": "Why?", "options": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001,
    ],
    ids=lambda body: repr(body[:24]),
)
async def test_a_body_that_is_no_json_object_is_malformed(browser: Browser, body: bytes) -> None:
    for path in (START, f"{START}?wait=1", "/api/streams/cancel"):
        (await browser.call("POST", path, body=body, headers=JSON)).problem("malformed")


@pytest.mark.parametrize("charset", ["utf-16", "zlib", "base64", "idna", "utf-7"])
async def test_json_is_utf8_whatever_the_charset_says(browser: Browser, charset: str) -> None:
    headers = {"Content-Type": f"application/json; charset={charset}"}
    packed = zlib.compress(json.dumps(GOOD).encode())
    (await browser.call("POST", START, body=packed, headers=headers)).problem("malformed")


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=zlib",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/xml",
        "nonsense",
    ],
)
@pytest.mark.parametrize("cookies", ["with a session", "without"])
async def test_a_body_that_is_not_called_json_is_415(
    browser: Browser, content_type: str | None, cookies: str
) -> None:
    visitor = browser if cookies == "with a session" else Browser()
    body = b"&".join(b"field%d=1" % number for number in range(1500))
    answer = await visitor.call("POST", START, body=body, headers={"Content-Type": content_type})
    answer.problem("unsupported_media_type")


@pytest.mark.parametrize("length", ["declared", "not declared"])
async def test_a_body_over_a_mebibyte_is_413(browser: Browser, length: str) -> None:
    headers = JSON | {"Content-Length": None} if length == "not declared" else JSON
    body = json.dumps({"prompt": "x" * 1_048_577}).encode()
    for path in (START, "/api/streams/cancel", "/api/nothing"):
        answer = await browser.call("POST", path, body=body, headers=headers)
        answer.problem("prompt_too_long")


async def test_a_body_of_a_mebibyte_reaches_the_block(browser: Browser) -> None:
    empty = len(json.dumps({"prompt": ""}).encode())
    answer = await browser.call("POST", START, {"prompt": "x" * (1_048_576 - empty)})
    answer.problem("prompt_too_long", field="prompt")


# --- methods, paths, parameters, headers -----------------------------------------------------


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/config", "GET, HEAD"),
        ("/api/blocks", "GET, HEAD"),
        (START, "GET, POST"),
        ("/api/streams", "GET, DELETE, HEAD"),
        ("/api/export", "GET"),
        ("/api/streams/cancel", "POST"),
        (f"/api/streams/{NO_STREAM}", "GET, DELETE, HEAD"),
        (f"/api/streams/{NO_STREAM}/events", "GET"),
        (f"/api/streams/{NO_STREAM}/cancel", "POST"),
    ],
)
async def test_a_wrong_method_is_405_and_the_right_ones_are_named(
    browser: Browser, path: str, allowed: str
) -> None:
    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
    for method in set(methods) - set(allowed.split(", ")):
        answer = await browser.call(method, path)
        answer.problem("method_not_allowed")
        assert sorted(answer.headers["allow"].split(", ")) == sorted(allowed.split(", ")), method
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/",
        "/api/nothing",
        "/api//config",
        "/api/config/",
        "/api/streams/",
        f"/api/streams/{NO_STREAM}/events/",
        f"/api/streams/{NO_STREAM}/other",
        "/api/stream/ai-block/",
        "/api/stream/ai-block/tale/more",
        "/api/%00",
        "/api/%ff%fe",
        "/api/%0d%0aX-Injected:%201",
        "/api/../api/nothing",
    ],
)
async def test_an_unknown_path_is_404_whatever_the_method(browser: Browser, path: str) -> None:
    for method in ("GET", "POST", "DELETE", "OPTIONS", "PUT"):
        answer = await browser.call(method, path, {})
        answer.problem("not_found")
        assert "x-injected" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("GET", "/api/config?format=json", "format"),
        ("GET", "/api/blocks?format=html", "format"),
        ("GET", "/api/streams?page=2", "page"),
        ("GET", f"/api/streams/{NO_STREAM}?after=1", "after"),
        ("GET", f"/api/streams/{NO_STREAM}/events?from=1", "from"),
        ("DELETE", f"/api/streams/{NO_STREAM}?force=1", "force"),
        ("POST", f"/api/streams/{NO_STREAM}/cancel?wait=1", "wait"),
        ("POST", "/api/streams/cancel?request_id=1", "request_id"),
        ("POST", f"{START}?prompt=Why", "prompt"),
        ("POST", f"{START}?wait=2", "wait"),
        ("POST", f"{START}?format=json", "format"),
    ],
)
async def test_an_unknown_query_parameter_is_400_and_named(
    browser: Browser, method: str, path: str, field: str
) -> None:
    data = [GOOD] if method == "POST" else []
    (await browser.call(method, path, *data)).problem("invalid_input", field=field)


@pytest.mark.parametrize("path", ["/api/config", START, "/api/streams"])
async def test_thousands_of_parameters_are_malformed(browser: Browser, path: str) -> None:
    query = "&".join(f"field{number}=1" for number in range(1500))
    (await browser.call("GET", f"{path}?{query}")).problem("malformed")


@pytest.mark.parametrize("header", ["x", "x:1", "\0", ":", "é" * 22 + ":1", "A" * 22, "A" * 9000])
async def test_a_malformed_last_event_id_starts_nothing(browser: Browser, header: str) -> None:
    headers = {"Last-Event-ID": header}
    path = f"{START}?prompt=Why&tone=dry"
    (await browser.call("GET", path, headers=headers)).problem("invalid_cursor")
    (await browser.call("POST", START, GOOD, headers=headers)).problem("invalid_cursor")


@pytest.mark.parametrize("host", ["evil.example", "", "a b", "localhost:80:80", "[::1"])
async def test_a_wrong_host_is_a_problem_and_no_page(browser: Browser, host: str) -> None:
    for method, path in [("GET", "/api/config"), ("GET", "/api/nothing"), ("POST", START)]:
        (await browser.call(method, path, headers={"Host": host})).problem("malformed")


async def test_a_wrong_host_of_a_page_is_a_page(browser: Browser) -> None:
    answer = await browser.call("GET", "/", headers={"Host": "evil.example"})
    assert (answer.status, answer.headers["content-type"]) == (400, "text/html; charset=utf-8")


@pytest.mark.parametrize("accept", ["image/png", "text/html", "nonsense", "application/json;q=0"])
async def test_an_accept_header_changes_no_error_and_no_json(browser: Browser, accept: str) -> None:
    headers = {"Accept": accept}
    answer = await browser.call("GET", "/api/config", headers=headers)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    (await browser.call("GET", "/api/nothing", headers=headers)).problem("not_found")
    (await browser.call("POST", START, {}, headers=headers)).problem("invalid_input")


@pytest.mark.parametrize(
    "cookie", ["sessionid=\0", "sessionid=\xff; csrftoken=\xff", ";;;=", "sessionid=" + "a" * 4000]
)
async def test_cookies_that_mean_nothing_are_no_session(browser: Browser, cookie: str) -> None:
    answer: Answer = await browser.call("GET", "/api/config", headers={"Cookie": cookie})
    assert answer.status == 200
    refused = await browser.call("GET", f"/api/streams/{NO_STREAM}", headers={"Cookie": cookie})
    refused.problem("not_found")


async def test_a_client_that_goes_before_its_body_is_whole_leaves_no_trace() -> None:
    raw = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    gone = Exchange("POST", START, "", raw, has_gone=True)
    gone._requests.clear()
    await gone.aclose()
    assert gone.task.done()
    assert gone.task.exception() is None
