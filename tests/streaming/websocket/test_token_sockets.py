"""Sockets with an API token: by a subprotocol, from which origins, and what they follow.

Source: spec.md, "WebSocket" (API tokens).
"""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session

from blocks.models import BlockType
from streaming.admission.tokens import INVALID_BURST
from streaming.process import Process
from tests.conftest import Play, StartProcess
from tests.support.streaming.api_tokens import ENDS, NO_TOKEN, token_of
from tests.support.streaming.asking import ask, new_request_id
from tests.support.streaming.browser import FOREIGN, Browser
from tests.support.streaming.socket import Socket

LISTED = "https://app.example"
ACCEPT, CLOSE = "websocket.accept", "websocket.close"


@pytest.fixture(autouse=True)
def listed(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [LISTED]


async def closed(socket: Socket) -> int:
    """Return the code that closes a socket right after the handshake."""
    assert await socket.handshake() == {"type": ACCEPT, "subprotocol": "liveai", "headers": []}
    code = await socket.closed()
    await socket.say(type="ping")  # in flight when the close was sent: no harm
    await socket.aclose()
    return code


# --- the handshake ---------------------------------------------------------------------------


async def test_the_server_chooses_the_subprotocol_that_is_no_secret_and_sets_no_cookie(
    start_process: StartProcess,
) -> None:
    await start_process(AI_ALLOW_ANONYMOUS=False)
    program = Browser(token=await token_of("ada"))
    socket = program.socket()
    answer = await socket.handshake()
    assert answer == {"type": ACCEPT, "subprotocol": "liveai", "headers": []}
    assert (await socket.hear())["type"] == "hello"
    assert await Session.objects.acount() == 0
    await program.aclose()


async def test_a_program_may_send_its_token_as_a_header(process: Process, block: BlockType) -> None:
    secret = await token_of("ada")
    program = Browser()
    headers = {"Authorization": f"Bearer {secret}", "Origin": None}
    await program.socket(headers=headers).open()
    assert program.cookies == {}
    await program.aclose()


@pytest.mark.parametrize("token", [NO_TOKEN, "", "abc", "ä"])
async def test_a_token_that_is_not_valid_is_closed_with_a_code_that_browsers_can_read(
    process: Process, make_browser: Any, token: str
) -> None:
    assert await closed(Browser(token=token).socket()) == 4401
    browser = await make_browser("ada")
    browser.token = token
    own = {"Origin": "http://localhost"}
    assert await closed(browser.socket(headers=own)) == 4401, "even beside a session"
    socket = (await make_browser("ada")).socket(headers={"Authorization": "Token abc"})
    assert (await socket.handshake()) == {"type": ACCEPT, "headers": []}
    assert await socket.closed() == 4401
    await (await make_browser("ada")).socket(headers={"Authorization": "Negotiate abc"}).open()


@pytest.mark.parametrize("end", ENDS)
async def test_a_token_that_ended_opens_no_socket(process: Process, end: Any) -> None:
    program = Browser(token=await token_of("ada"))
    await sync_to_async(end)()
    assert await closed(program.socket()) == 4401


async def test_two_tokens_at_once_are_none(process: Process) -> None:
    program = Browser(token=await token_of("ada"))
    other = await token_of("ada", name="Other")
    headers = {"Authorization": f"Token {other}"}
    assert await closed(program.socket(headers=headers)) == 4401


async def test_too_many_invalid_tokens_of_an_address_are_too_many(process: Process) -> None:
    program = Browser(token=NO_TOKEN, address="203.0.113.7")
    process.tokens._count(program.address, INVALID_BURST + 5)
    assert await closed(program.socket()) == 4429


async def test_one_who_offers_the_subprotocol_alone_gets_it_too(browser: Browser) -> None:
    socket = browser.socket()
    socket._wire.scope["subprotocols"] = ["other", "liveai"]
    assert (await socket.handshake())["subprotocol"] == "liveai"


async def test_a_subprotocol_that_is_not_ours_is_not_chosen(browser: Browser) -> None:
    socket = browser.socket()
    socket._wire.scope["subprotocols"] = ["other"]
    assert "subprotocol" not in await socket.handshake()


# --- origins ---------------------------------------------------------------------------------


async def test_a_page_of_a_listed_origin_is_let_in_with_a_token(process: Process) -> None:
    program = Browser(token=await token_of("ada"))
    await program.socket(headers={"Origin": LISTED}).open()
    await program.socket(headers={"Origin": "http://localhost"}).open()
    await program.aclose()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": FOREIGN},
        {"Origin": "null"},
        {"Origin": "http://app.example"},
        {"Origin": LISTED, "Cookie": "sessionid=k"},
        {"Origin": LISTED, "Host": "evil.example"},
    ],
)
async def test_others_are_refused_before_the_handshake(
    process: Process, headers: dict[str, str | None]
) -> None:
    for token in (await token_of("ada"), NO_TOKEN):
        socket = Browser(token=token).socket(headers=headers)
        assert await socket.handshake() == {"type": CLOSE}


async def test_a_listed_origin_without_a_token_is_foreign(process: Process) -> None:
    socket = Browser().socket(headers={"Origin": LISTED})
    assert await socket.handshake() == {"type": CLOSE}


# --- what it follows -------------------------------------------------------------------------


async def test_a_socket_follows_what_it_asks_for_and_with_user_all_of_the_user_s(
    process: Process, block: BlockType, play: Play, make_browser: Any
) -> None:
    play("Hello")
    program, page = Browser(token=await token_of("ada")), await make_browser("ada")
    alone = await program.connect()
    follower = await program.connect("/ws/stream?follow=user")
    onlooker = await page.connect("/ws/stream?follow=user")
    by_page = (await page.start_unwatched())["stream_id"]
    by_post = (await program.start_unwatched())["stream_id"]
    by_socket = await ask(alone)
    await alone.end_of(by_socket)
    for socket in (follower, onlooker):
        for stream_id in (by_page, by_post, by_socket):
            await socket.end_of(stream_id)
    await alone.before_pong()
    assert set(alone.tapes) == {by_socket}
    await program.aclose()


async def test_hello_lists_what_runs_of_the_user(
    process: Process, block: BlockType, play: Play, make_browser: Any
) -> None:
    play("The ", {"hang": True})
    page = await make_browser("ada")
    line = await page.start()
    program = Browser(token=await token_of("ada"))
    hello = (await program.connect()).hello
    assert [each["stream_id"] for each in hello["active"]] == [line.stream_id]
    await program.aclose()


async def test_a_token_that_may_only_read_is_refused_by_frames_and_its_socket_goes_on(
    process: Process, block: BlockType, play: Play
) -> None:
    provider = play("The ", {"hang": True})
    program = Browser(token=await token_of("ada"))
    started = await program.start_unwatched()
    reader = Browser(token=await token_of("ada", scope="read", name="Reader"))
    socket = await reader.connect()
    for frame in (
        {"type": "start", "ref": "r", "block_type": "tale", "prompt": "Why?"},
        {"type": "cancel", "stream_id": started["stream_id"]},
        {"type": "cancel", "request_id": new_request_id()},
    ):
        await socket.say(**frame)
        refused = await socket.until("refused")
        assert refused["code"] == "forbidden"
        assert "only read" in refused["message"]
    await socket.say(type="resume", ref="s", stream_id=started["stream_id"], after=-1)
    await socket.text_of(started["stream_id"], "The ")
    assert provider.calls_open == 1
    await reader.aclose()
