"""Permissions to open a WebSocket, by visitor and origin, and its greeting.

Source: spec.md, "WebSocket", "HTTP" (who may start) and "Switches".
"""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import DatabaseError

from blocks.models import BlockType
from streaming import consumers
from streaming.database import store
from streaming.models import StreamingSettings
from streaming.process import Process
from streaming.protocol.codes import CLOSE_BROKEN
from streaming.switches import clear_switches
from tests.conftest import MODEL, Play, StartProcess, scripted
from tests.support.streaming.asking import ask, ask_on_new_socket
from tests.support.streaming.browser import Browser
from tests.support.streaming.socket import Socket

ACCEPT, CLOSE = "websocket.accept", "websocket.close"


async def is_refused(socket: Socket) -> bool:
    """Whether the handshake gets a 403: a close without a code, before any accept."""
    answer = await socket.handshake()
    if answer["type"] == CLOSE:
        assert set(answer) == {"type"}
        return True
    return False


def set_cookies(answer: dict[str, Any]) -> SimpleCookie:
    cookie: SimpleCookie = SimpleCookie()
    for name, value in answer.get("headers", []):
        if name != b"x-request-id":
            assert name == b"set-cookie"
            cookie.load(value.decode())
    return cookie


# --- hello -------------------------------------------------------------------------------


async def test_the_greeting_names_the_switches_in_force(
    start_process: StartProcess, make_browser: Any
) -> None:
    await StreamingSettings(enabled=True, message="Be patient.").asave()
    await start_process(STREAMING_BACKEND="websocket", AI_STREAMING_ENABLED=False)
    socket = await (await make_browser()).connect()
    config = (await (await make_browser()).call("GET", "/api/config")).json()
    assert config["streaming"] == {
        "enabled": True,
        "backend": "websocket",
        "fallback": True,
        "message": "Be patient.",
        "paused": False,
    }
    assert socket.hello["streaming"] == config["streaming"]


async def test_the_greeting_lists_what_runs_without_its_text_and_attaches_nothing(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("Hello")
    await (await browser.start()).end()  # this one has ended
    play("The ", {"hang": True})
    reader = await browser.start(prompt="How?")
    await reader.text("The ")
    socket = await browser.connect()
    (active,) = socket.hello["active"]
    resource = await browser.resource(reader.stream_id)
    assert active == {name: value for name, value in resource.items() if name != "text"}
    assert (active["status"], active["seq"]) == ("running", 0)
    assert await socket.before_pong() == []


async def test_with_nothing_running_the_greeting_lists_nothing(browser: Browser) -> None:
    assert (await browser.connect()).hello["active"] == []


# --- visitors ----------------------------------------------------------------------------


async def test_the_anonymous_get_a_session_on_the_handshake_and_keep_it_over_http(
    process: Process, block: BlockType, play: Play
) -> None:
    play("Hello", {"hang": True})
    visitor = Browser()
    socket = visitor.socket()
    answer = await socket.handshake()
    cookie = set_cookies(answer)
    assert set(cookie) == {"sessionid"}
    session = cookie["sessionid"]
    assert (session["path"], session["samesite"], session["httponly"]) == ("/", "Lax", True)
    assert (session["secure"], session["domain"]) == ("", "")
    assert int(session["max-age"]) == 14 * 24 * 3600
    assert session["expires"].endswith("GMT")
    assert (await socket.hear())["type"] == "hello"

    stream_id = await ask(socket)
    await socket.text_of(stream_id, "Hello")
    reader = await visitor.watch(stream_id, after=0)
    await visitor.call("GET", "/api/config")  # for the CSRF cookie
    assert visitor.cookies["sessionid"] == session.value
    assert (await visitor.cancel(stream_id))["status"] == "cancelled"
    assert (await reader.end())["type"] == (await socket.end_of(stream_id))["type"] == "cancelled"
    again = visitor.socket()
    assert not set_cookies(await again.handshake())
    await visitor.aclose()


async def test_the_session_cookie_has_the_attributes_that_the_settings_ask_for(
    process: Process, settings: Any
) -> None:
    settings.SESSION_COOKIE_SECURE = True
    settings.SESSION_COOKIE_SAMESITE = "Strict"
    settings.SESSION_COOKIE_DOMAIN = "localhost"
    settings.SESSION_EXPIRE_AT_BROWSER_CLOSE = True
    socket = Browser().socket()
    session = set_cookies(await socket.handshake())["sessionid"]
    assert (session["secure"], session["samesite"]) == (True, "Strict")
    assert (session["domain"], session["max-age"]) == ("localhost", "")
    await socket.aclose()


async def test_a_session_that_is_gone_is_replaced(process: Process) -> None:
    visitor = Browser()
    visitor.cookies["sessionid"] = "k" * 32
    await visitor.connect()
    assert visitor.cookies["sessionid"] != "k" * 32
    assert await Session.objects.acount() == 0
    await visitor.aclose()


async def test_where_anonymous_use_is_off_the_anonymous_are_closed_with_a_code_they_can_read(
    start_process: StartProcess,
) -> None:
    process = await start_process(AI_ALLOW_ANONYMOUS=False)
    for cookies in ({}, {"sessionid": "k" * 32}):
        visitor = Browser()
        visitor.cookies |= cookies
        socket = visitor.socket()
        assert await socket.handshake() == {"type": ACCEPT, "headers": []}
        assert await socket.closed() == 4401
        await socket.say(type="ping")
        await socket.aclose()
        assert visitor.cookies == cookies
    assert await Session.objects.acount() == len(process.connections) == 0


async def test_the_signed_in_are_let_in_where_anonymous_use_is_off(
    start_process: StartProcess, block: BlockType, make_browser: Any
) -> None:
    process = await start_process(AI_ALLOW_ANONYMOUS=False)
    process.providers.use(MODEL, scripted("Hello"))
    ada = await make_browser("ada")
    before = ada.cookies["sessionid"]
    socket, stream_id = await ask_on_new_socket(ada)
    await socket.end_of(stream_id)
    assert (await ada.resource(stream_id))["status"] == "complete"
    assert ada.cookies["sessionid"] == before


# --- origins -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://localhost.evil.example",
        "http://evil.localhost",
        "http://localhost:8001",
        "https://localhost",
        "http://127.0.0.1",
        "null",
        "",
        "localhost",
        "http://",
        "http://[",
        "file://",
        "http://user@localhost",
    ],
)
@pytest.mark.parametrize("has_session", [True, False])
async def test_a_foreign_origin_is_refused_before_the_handshake(
    process: Process, make_browser: Any, origin: str, has_session: bool
) -> None:
    visitor = await make_browser() if has_session else Browser()
    sessions = await Session.objects.acount()
    assert await is_refused(visitor.socket(headers={"Origin": origin}))
    assert await Session.objects.acount() == sessions


async def test_no_origin_is_allowed_without_a_cookie_only(browser: Browser) -> None:
    assert await is_refused(browser.socket(headers={"Origin": None}))
    newcomer = Browser()
    await newcomer.socket(headers={"Origin": None}).open()
    await newcomer.aclose()


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "", None, "localhost@evil.example", "[::1"]
)
async def test_a_host_that_is_not_ours_is_refused_before_the_handshake(
    process: Process, host: str | None
) -> None:
    for origin in (None, f"http://{host or 'localhost'}"):
        assert await is_refused(Browser().socket(headers={"Host": host, "Origin": origin}))


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:9", "[::1]:8000"])
async def test_the_own_origin_is_let_in(make_browser: Any, process: Process, host: str) -> None:
    visitor = await make_browser(host=host)
    await visitor.connect()  # with the origin of a page of that host


async def test_over_tls_the_own_origin_is_that_of_https(browser: Browser) -> None:
    for origin, is_own in [("https://localhost", True), ("http://localhost", False)]:
        socket = browser.socket(headers={"Origin": origin})
        socket._wire.scope["scheme"] = "wss"
        assert await is_refused(socket) is not is_own


async def test_an_origin_that_the_operator_trusts_is_let_in(
    browser: Browser, settings: Any
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://app.example", "https://*.pages.example"]
    for origin in ("https://app.example", "https://a.pages.example"):
        await browser.socket(headers={"Origin": origin}).open()
    for origin in ("http://app.example", "https://pages.example.evil", "https://xpages.example"):
        assert await is_refused(browser.socket(headers={"Origin": origin}))


# --- which path, which transport --------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/ws", "/ws/stream/", "/ws/streams", "/ws/stream/x", "/api/config", "/ws/%0A"]
)
async def test_an_unknown_path_is_closed_with_its_code(browser: Browser, path: str) -> None:
    socket = browser.socket(path)
    assert (await socket.handshake())["type"] == ACCEPT
    assert await socket.closed() == 4404
    await socket.say(type="ping")  # in flight when the close was sent: no harm
    await socket.aclose()


async def test_where_sse_is_selected_without_fallback_a_socket_is_closed_with_its_code(
    start_process: StartProcess, make_browser: Any
) -> None:
    process = await start_process(STREAMING_BACKEND="sse", AI_STREAMING_FALLBACK=False)
    socket = (await make_browser()).socket()
    assert (await socket.handshake())["type"] == ACCEPT
    assert await socket.closed() == 4409
    await socket.say(type="ping")
    await socket.aclose()
    assert not process.connections


@pytest.mark.parametrize(("backend", "fallback"), [("websocket", False), ("sse", True)])
async def test_where_sockets_are_served_one_is_let_in(
    start_process: StartProcess, make_browser: Any, backend: str, fallback: bool
) -> None:
    await start_process(STREAMING_BACKEND=backend, AI_STREAMING_FALLBACK=fallback)
    clear_switches()
    hello = (await (await make_browser()).connect()).hello
    assert (hello["streaming"]["backend"], hello["streaming"]["fallback"]) == (backend, fallback)


@pytest.mark.parametrize("place", ["the handshake", "the greeting"])
async def test_while_the_database_is_unreachable_a_socket_is_closed_so_that_the_client_comes_back(
    process: Process, browser: Browser, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def fail_unreachable(*args: Any) -> Any:
        raise DatabaseError("the server closed the connection")

    with monkeypatch.context() as patch:
        if place == "the handshake":
            patch.setattr(consumers, "_identify", fail_unreachable)
        else:
            patch.setattr(store, "find_running", fail_unreachable)
        socket = browser.socket()
        assert (await socket.handshake())["type"] == "websocket.accept"
        assert await socket.closed() == CLOSE_BROKEN
    await browser.connect()
