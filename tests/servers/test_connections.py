"""Limits on the cost of one connection to `serve`, over real sockets. Daphne has none of them."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from tests.support.schema import validate_problem
from tests.support.servers.harness import Database, Server, eventually, running
from tests.support.servers.visitor import START
from tests.support.servers.wire import (
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Answer,
    Wire,
    frame,
    get,
    post,
)

LARGE = "drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"


@pytest.fixture(scope="module")
def server(module_database: Database) -> Iterator[Server]:
    with running("serve", module_database) as started:
        yield started
        started.assert_unharmed()


@pytest.fixture
async def wire(server: Server) -> AsyncIterator[Wire]:
    async with await Wire.open(server.port) as opened:
        yield opened


@pytest.fixture
async def frames(wire: Wire) -> Wire:
    await wire.become_socket()
    return wire


async def talk(server: Server, data: bytes, *, is_half: bool = False) -> Answer:
    async with await Wire.open(server.port) as wire:
        wire.send(data)
        if is_half:
            wire.writer.write_eof()
        return await wire.answer()


# --- the head of a request -----------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        get("/" + "a" * 70_000),
        get("/api/config?" + "a" * 3_000_000),
        get("/", "X: " + "a" * 70_000),
        get("/", "X:" + " " * 70_000 + "y"),
        get("/", *(f"X-{number}: {'a' * 1000}" for number in range(70))),
        get("/", *("a:b" for _ in range(200))),
        get("/ws/stream", "Connection: Upgrade", "Upgrade: websocket", "X: " + "a" * 70_000),
        b"\r\n" * 40_000,
    ],
    ids=["path", "query", "header", "blanks", "headers", "small-headers", "upgrade", "nothing"],
)
async def test_a_head_of_over_64_kib_is_431(server: Server, head: bytes) -> None:
    answer = await talk(server, head)
    assert answer.status == 431
    assert answer.headers["connection"] == "close"


async def test_a_head_without_end_is_431_while_it_still_comes(wire: Wire) -> None:
    wire.send(b"GET / HTTP/1.1\r\nX: ")
    for _ in range(17):
        wire.send(b"a" * 4096)
        await wire.writer.drain()
    assert (await wire.answer()).status == 431


async def test_a_head_of_nearly_64_kib_is_read(server: Server) -> None:
    answer = await talk(server, get("/api/config", "X: " + "a" * 65_400, "Connection: close"))
    assert answer.status == 200


async def test_the_head_of_a_second_request_has_the_same_limit(wire: Wire) -> None:
    wire.send(get("/api/config") + get("/", "X: " + "a" * 70_000))
    whole = await wire.rest()
    assert whole.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 431 " in whole


@pytest.mark.parametrize(
    "request_bytes",
    [
        post(START, "Content-Length: 2", "Content-Length: 2", body=b"{}"),
        post(START, "Content-Length: 2", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        post(START, "Transfer-Encoding: gzip", body=b"{}"),
        post(START, "Content-Length: -2", body=b"{}"),
        post(START, "Content-Length: " + "9" * 30, body=b"{}"),
        post(START, "Transfer-Encoding: chunked", body=b"x\r\n"),
        post(START, "Transfer-Encoding: chunked", body=b"2;" + b"x" * 100_000),
        post(START, "Transfer-Encoding: chunked", body=b"2\r\n{}\r\n0\r\n" + b"a:b\r\n" * 20_000),
        b"GET http://localhost HTTP/1.1\r\n\r\n",
        b"CONNECT localhost:80 HTTP/1.1\r\n\r\n",
        b"GET /\0 HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x00\xa5" * 10,
    ],
)
async def test_what_is_no_request_is_400(server: Server, request_bytes: bytes) -> None:
    assert (await talk(server, request_bytes)).status == 400


@pytest.mark.parametrize("target", ["http://localhost/api/config", "/api/config"])
async def test_both_forms_of_a_target_are_understood(server: Server, target: str) -> None:
    assert (await talk(server, get(target, "Connection: close"))).status == 200


@pytest.mark.parametrize("path", ["/%00", "/api/%00", "/api/streams/%00", "/static/%00"])
async def test_a_nul_in_a_path_is_404(server: Server, path: str) -> None:
    assert (await talk(server, get(path, "Connection: close"))).status == 404


async def test_another_protocol_than_websocket_is_not_taken_up(wire: Wire) -> None:
    wire.send(get("/api/config", "Connection: Upgrade", "Upgrade: h2c") + b"PRI * HTTP/2.0\r\n\r\n")
    assert (await wire.answer()).status == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        post("/ws/stream", "Connection: Upgrade", "Upgrade: websocket"),
        get("/ws/stream", "Connection: Upgrade", "Upgrade: websocket"),
        get("/ws/stream", "Connection: Upgrade", "Upgrade: websocket", "Cookie: " + "a" * 9000),
    ],
)
async def test_a_handshake_that_fails_is_answered(server: Server, request_bytes: bytes) -> None:
    assert 400 <= (await talk(server, request_bytes)).status < 500


async def test_requests_sent_ahead_are_answered_one_by_one(wire: Wire) -> None:
    wire.send(get("/api/config") * 300 + get("/api/config", "Connection: close"))
    assert (await wire.rest(timeout_seconds=60)).count(b"HTTP/1.1 200 ") == 301


async def test_a_trailer_is_no_header(server: Server) -> None:
    body = b"2\r\n{}\r\n0\r\nX-Forwarded-Proto: https\r\n\r\n"
    answer = await talk(
        server,
        post(START, "Content-Type: application/json", "Transfer-Encoding: chunked", body=body),
    )
    assert (answer.status, json.loads(answer.body)["field"]) == (400, "prompt")
    assert answer.headers["connection"] == "close"


# --- bodies, and clients that still send ---------------------------------------------


@pytest.mark.parametrize(
    "request_bytes",
    [
        post(START, "Content-Length: 15000000", body=b"x" * 15_000_000),
        post(START, "Content-Length: 15000000", body=b"x" * 5_000_000),
        post(
            START,
            "Transfer-Encoding: chunked",
            body=(b"10000\r\n" + b"x" * 65_536 + b"\r\n") * 100,
        ),
    ],
    ids=["whole", "part", "chunks"],
)
async def test_a_413_reaches_a_client_that_reads_only_after_it_has_sent(
    server: Server, request_bytes: bytes
) -> None:
    def send_then_read() -> bytes:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
            client.sendall(request_bytes)
            parts = []
            while part := client.recv(65_536):
                parts.append(part)
            return b"".join(parts)

    answer = Answer.parse(await asyncio.to_thread(send_then_read))
    assert answer.status == 413
    validate_problem(json.loads(answer.body))


# --- old and half-closed clients -----------------------------------------------------


async def test_an_http_1_0_client_gets_no_chunks(server: Server) -> None:
    answer = await talk(server, get(f"{START}?prompt=speak+briefly", version="1.0"))
    assert answer.status == 200
    assert "transfer-encoding" not in answer.headers
    assert answer.body.startswith(b"retry: 1000\n")
    assert b"event: complete\n" in answer.body and answer.body.endswith(b"\n\n")
    page = await talk(server, get("/", "Connection: keep-alive", version="1.0"))
    assert (page.status, "transfer-encoding" in page.headers) == (200, False)


async def test_a_half_closed_client_gets_its_answer(server: Server) -> None:
    assert (await talk(server, get("/api/config"), is_half=True)).status == 200
    answer = await talk(server, get(f"{START}?prompt=speak+briefly"), is_half=True)
    assert b"event: complete\n" in answer.body and answer.body.endswith(b"0\r\n\r\n")


async def test_a_half_closed_client_gets_all_that_it_asked_for(server: Server) -> None:
    answer = await talk(server, get("/api/config") + get("/api/blocks"), is_half=True)
    assert answer.body.count(b"HTTP/1.1 200 ") == 1


async def test_a_half_request_is_the_end_of_its_connection(wire: Wire) -> None:
    wire.send(b"GET / HTTP/1.1\r\n")
    wire.writer.write_eof()
    assert await wire.rest() == b""


# --- files ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large() -> bytes:
    found = finders.find(LARGE)
    assert isinstance(found, str)
    return Path(found).read_bytes()


async def test_a_large_file_comes_whole_and_so_do_its_ranges(server: Server, large: bytes) -> None:
    path = f"/static/{LARGE}"
    whole = await talk(server, get(path, "Connection: close"))
    assert (whole.status, whole.headers["content-length"]) == (200, str(len(large)))
    assert whole.body == large
    part = await talk(server, get(path, "Range: bytes=100-1000099", "Connection: close"))
    assert (part.status, part.body) == (206, large[100:1_000_100])
    tail = await talk(server, get(path, "Range: bytes=-200000", "Connection: close"))
    assert (tail.status, tail.body) == (206, large[-200_000:])
    known = f"If-None-Match: {whole.headers['etag']}"
    assert (await talk(server, get(path, known, "Connection: close"))).status == 304
    head = await talk(server, get(path, "Connection: close").replace(b"GET", b"HEAD", 1))
    assert (head.headers["content-length"], head.body) == (str(len(large)), b"")


async def test_files_that_nobody_reads_cost_little_memory(server: Server) -> None:
    path = get(f"/static/{LARGE}")
    assert (await talk(server, get(f"/static/{LARGE}", "Connection: close"))).status == 200
    before = server.process.memory_info().rss
    opened = [await Wire.open(server.port, receive_buffer=4096) for _ in range(60)]
    for wire in opened:
        wire.writer.transport.pause_reading()
        wire.send(path)
    assert (await talk(server, get("/api/config", "Connection: close"))).status == 200
    await eventually(lambda: len(open_bundles(server)) <= 1)
    grown = server.process.memory_info().rss - before
    for wire in opened:
        wire.writer.transport.abort()
    assert grown < 25 << 20  # 60 whole ones would take 95 MB


def open_bundles(server: Server) -> list[str]:
    paths = [file.path for file in server.process.open_files()]
    return [path for path in paths if path.endswith("bundle.js")]


async def test_what_the_pages_of_the_api_never_load_is_not_served(server: Server) -> None:
    docs = await talk(server, get("/api/docs", "Connection: close"))
    assert docs.status == 200 and LARGE.encode() in docs.body
    for path in (f"/static/{LARGE}.map", "/static/drf_spectacular_sidecar/redoc/LICENSE"):
        assert (await talk(server, get(path, "Connection: close"))).status == 404


# --- sockets --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(TEXT, b"x" * 40_000, is_last=False) + frame(CONTINUATION, b"x" * 40_000), 1009),
        (frame(TEXT, is_last=False) + frame(CONTINUATION, is_last=False) * 10_000, 1009),
        (frame(TEXT, is_last=False) + frame(CONTINUATION, length=500_000, is_last=False), 1009),
        (frame(TEXT, length=2 << 20), 1009),
        (frame(TEXT, b"\xff\xfe"), 1007),
        (frame(PING, b"x" * 126), 1002),
        (frame(PING, length=1_000_000), 1002),
        (frame(5, b"x"), 1002),
        (b"\x81\x01x", 1002),
        (frame(PING) * 20_000, 4429),
        (frame(PONG) * 20_000, 4429),
    ],
    ids=[
        "in-pieces", "empty-pieces", "long-piece", "2-mib", "utf-8", "long-ping", "longer-ping",
        "opcode", "unmasked", "pings", "pongs",
    ],
)  # fmt: skip
async def test_what_no_client_should_send_closes_the_socket(
    frames: Wire, data: bytes, code: int
) -> None:
    frames.send(data)
    assert await frames.close_code() == code
    assert await frames.rest() == b""


async def test_a_socket_that_is_closed_for_a_bad_frame_was_being_written_to(frames: Wire) -> None:
    start = {"type": "start", "block_type": "ask-question", "prompt": "speak for ever"}
    frames.send(frame(TEXT, json.dumps(start).encode()))
    for _ in range(5):
        await frames.frame()
    frames.send(frame(5, b"x"))
    assert await frames.close_code() == 1002


async def test_a_whole_frame_of_over_64_kib_is_refused_and_not_kept(frames: Wire) -> None:
    frames.send(frame(TEXT, b"x" * 1_000_000) + frame(TEXT, b'{"type":"ping"}'))
    refused = json.loads((await frames.frame())[1])
    assert (refused["type"], refused["code"]) == ("refused", "malformed")
    assert json.loads((await frames.frame())[1]) == {"type": "pong"}


async def test_a_message_in_pieces_is_read_and_pings_between_them_are_answered(
    frames: Wire,
) -> None:
    frames.send(
        frame(TEXT, b'{"type":', is_last=False)
        + frame(PING, b"hi")
        + frame(CONTINUATION, b'"ping"}')
    )
    assert await frames.frame() == (PONG, b"hi")
    assert await frames.frame() == (TEXT, b'{"type":"pong"}')


async def test_frames_that_come_at_once_are_all_taken(frames: Wire) -> None:
    frames.send((frame(TEXT, b'{"type":"ping"}') + frame(PING, b"hi")) * 40)
    answers = [await frames.frame() for _ in range(80)]
    assert answers.count((TEXT, b'{"type":"pong"}')) == answers.count((PONG, b"hi")) == 40
    frames.send(frame(CLOSE, struct.pack("!H", 1000)))
    assert await frames.close_code() == 1000


async def test_lost_sockets_leave_no_line(server: Server) -> None:
    before = server.output
    for number in range(10):
        async with await Wire.open(server.port) as wire:
            wire.send(get(f"{START}?prompt=speak+for+ever"))
            await wire.until(b"event: chunk")
            _reset(wire, is_hard=number % 2 == 0)
        async with await Wire.open(server.port) as wire:
            await wire.become_socket()
            start = {"type": "start", "block_type": "ask-question", "prompt": "speak for ever"}
            wire.send(frame(TEXT, json.dumps(start).encode()))
            await wire.frame()
            _reset(wire, is_hard=number % 2 == 0)
    await eventually(lambda: len(established(server)) == 0)
    assert server.output == before


async def test_a_client_that_is_gone_from_a_silent_stream_is_noticed_before_the_next_sign_of_life(
    server: Server,
) -> None:
    async with await Wire.open(server.port) as wire:
        wire.send(get(f"{START}?prompt=say+nothing"))
        await wire.until(b"event: start")
        _reset(wire, is_hard=False)
    await eventually(lambda: len(established(server)) == 0, timeout_seconds=14)


def _reset(wire: Wire, *, is_hard: bool) -> None:
    if is_hard:
        raw = wire.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.writer.transport.abort()


def established(server: Server) -> list[object]:
    """Return the server's client connections, including half-closed ones."""
    return [
        connection
        for connection in server.process.net_connections("tcp4")
        if connection.status in ("ESTABLISHED", "CLOSE_WAIT")
    ]
