"""A client's mistake is one line at INFO; a fault of the server keeps level and traceback."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from liveai.client_faults import ClientFaults
from tests.support.servers.harness import ROOT, Database, Server
from tests.support.servers.wire import TEXT, Wire, frame


def _record(name: str, level: int, error: Exception) -> logging.LogRecord:
    info = (type(error), error, None)
    record = logging.LogRecord(name, level, "p", 1, "said", (), info)
    assert ClientFaults().filter(record)
    return record


def _level_of(status: int) -> str:
    """Return the level at which Django's line about a response of this status is logged."""
    record = logging.LogRecord("django.request", logging.ERROR, "p", 1, "said", (), None)
    if status < 500:
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    record.status_code = status
    assert ClientFaults().filter(record)
    return record.levelname


@pytest.fixture(autouse=True)
def _at_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)  # as `DJANGO_LOG_LEVEL` is at first


@pytest.mark.parametrize(
    ("name", "level", "error"),
    [
        ("django.security.DisallowedHost", logging.ERROR, ValueError()),
        ("django.security.TooManyFieldsSent", logging.ERROR, ValueError()),
        ("django.request", logging.WARNING, ValueError()),
        ("uvicorn.error", logging.ERROR, UnicodeDecodeError("utf-8", b"\xff", 0, 1, "")),
    ],
)
def test_a_fault_of_a_client_has_no_traceback(name: str, level: int, error: Exception) -> None:
    record = _record(name, level, error)
    assert record.exc_info is None
    assert record.levelname == "INFO"


def test_log_lines_explains_each_line_of_django_with_its_level() -> None:
    page = (ROOT / "docs" / "operate" / "log-lines.md").read_text("utf-8")
    explained = dict(re.findall(r"^\| `(.+?): …` \| (INFO|WARNING|ERROR) \|", page, re.MULTILINE))
    statuses = (400, 401, 403, 404, 405, 409, 415, 429, 500, 503)
    expected = {HTTPStatus(status).phrase: _level_of(status) for status in statuses}
    hosts = _record("django.security.DisallowedHost", logging.ERROR, ValueError())
    assert explained == {**expected, "Invalid HTTP_HOST header": hosts.levelname}
    assert set(expected.values()) == {"INFO", "ERROR"}


def test_what_was_lowered_is_dropped_where_no_info_is_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    record = logging.LogRecord("django.request", logging.WARNING, "p", 1, "said", (), None)
    assert not ClientFaults().filter(record)


@pytest.mark.parametrize(
    "name", ["django.request", "uvicorn.error", "streaming.generating.generation"]
)
def test_a_fault_of_the_site_keeps_its_traceback(name: str) -> None:
    record = _record(name, logging.ERROR, ValueError())
    assert record.exc_info is not None
    assert record.levelname == "ERROR"


@pytest.fixture(scope="module")
def server(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server("serve", Database(template, tmp_path_factory.mktemp("faults")))
    try:
        server.wait_until_listening()
        yield server
    finally:
        server.popen.kill()
        server.popen.wait()


def _send(server: Server, *pieces: bytes) -> bytes:
    """Return the response to the last piece, in one read."""
    answer = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        for piece in pieces:
            client.sendall(piece)
            answer = client.recv(65536)
    return answer


@pytest.mark.parametrize("path", ["/", "/api/config", "/admin/", "/static/x"])
def test_a_foreign_host_makes_one_line(server: Server, path: str) -> None:
    before = server.output
    answer = _send(server, f"GET {path} HTTP/1.1\r\nHost: evil.test\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 400")
    said = server.output.removeprefix(before).splitlines()
    assert len(said) <= 1, said
    assert "WARNING" not in "".join(said) and "ERROR" not in "".join(said)


def test_visitors_mistakes_are_no_warnings(server: Server) -> None:
    before = server.output
    answer = _send(server, b"GET /no/such/page HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 404")
    said = server.output.removeprefix(before)
    assert "INFO django.request: Not Found: /no/such/page" in said
    assert "WARNING" not in said and "ERROR" not in said


async def test_a_text_frame_that_is_no_utf8_closes_its_socket_without_a_line(
    server: Server,
) -> None:
    before = server.output
    async with await Wire.open(server.port) as wire:
        await wire.become_socket()
        wire.send(frame(TEXT, b"\xff\xfe"))
        assert await wire.close_code() == 1007
    assert server.output == before
