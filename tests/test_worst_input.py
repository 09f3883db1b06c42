"""Client input is parsed in time linear in its length, never quadratic.

Each case is the worst known input for the code that parses it: patterns that begin at each
character, only separators, only escapes. They pass through the whole application with its
middlewares, and through the formatter of the log.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from daphne.access import AccessLogGenerator

import liveai.project_asgi  # noqa: F401 (it puts the guards in place)
from blocks.errors import BlockError
from blocks.inputs import check_input
from liveai.log_formatter import LogFormatter
from liveai.log_lines import MAX_LINE_BYTES
from streaming.access.origins import is_own_origin
from streaming.access.visitor import is_allowed_host
from streaming.protocol.commands import InvalidCommand, Unreadable, parse_command
from streaming.protocol.cursor import InvalidCursor, cursor_from_header, seq_from_text
from tests.support.streaming.browser import Browser

SIZES = [65_536, 1_048_576]
MAX_SECONDS = 10.0
"""Limit of CPU time for a megabyte, far above what a slow machine needs for linear work.

Quadratic time would take minutes.
"""

HEADERS = {
    "accept": [",", "a/b,", "a/b;q=0.1,", ";", '"'],
    "accept-encoding": [",", "gzip;q=0,"],
    "accept-language": ["a-", "a,", ";"],
    "authorization": [" ", "Token "],
    "content-length": ["9"],
    "content-type": [";", 'a="\\', "=", "multipart/form-data; boundary=", "/"],
    "cookie": ['\\"', "a=;", "=", "sessionid=a;", "\\054", '"'],
    "host": ["/", "[", ":", "a.", "[::", "."],
    "if-modified-since": [" ", ",", "1 ", ":"],
    "if-none-match": ['"', 'W/"",', ","],
    "last-event-id": [":", "1", " "],
    "origin": ["/", "http://", "[", "@", ":"],
    "range": ["-", ",", "0-1,"],
    "referer": ["/", "?", "#", "http://[", "@"],
    "sec-purpose": ["prefetch;", ";"],
    "user-agent": ["Mozilla/", "("],
    "x-csrftoken": ["a", "-"],
    "x-forwarded-for": ["127.0.0.1,", ",", ":", "["],
    "x-forwarded-proto": ["https,"],
}


@contextmanager
def quick() -> Iterator[None]:
    began = time.process_time()
    yield
    assert time.process_time() - began < MAX_SECONDS


def filled(piece: str, size: int) -> str:
    return (piece * (size // len(piece) + 1))[:size]


@pytest.mark.parametrize("name", HEADERS)
async def test_headers_are_read_in_linear_time(browser: Browser, name: str) -> None:
    for size in SIZES:
        for piece in HEADERS[name]:
            text = filled(piece, size)
            values = [text, f'a="{text}"'] if name == "cookie" else [text]
            for value in values:
                with quick():
                    answer = await browser.call("GET", "/api/blocks", headers={name: value})
                assert answer.status < 500, (name, piece)


@pytest.mark.parametrize("path", ["/", "/admin/", "/api/streams/", "/static/", "/blocks/"])
@pytest.mark.parametrize("piece", ["/", "a/", "%2F", ".", "../", "%00"])
async def test_paths_are_read_in_linear_time(browser: Browser, path: str, piece: str) -> None:
    for size in SIZES:
        with quick():
            answer = await browser.call("GET", path + filled(piece, size))
        assert answer.status < 500


@pytest.mark.parametrize("piece", ["&", "a&", "=", "a=1&", "%", "?", "prompt=a&", ";", "+"])
async def test_query_strings_are_read_in_linear_time(browser: Browser, piece: str) -> None:
    for size in SIZES:
        with quick():
            answer = await browser.call("GET", "/api/streams?" + filled(piece, size))
        assert answer.status < 500


@pytest.mark.parametrize("piece", ["[", '{"a":', "1", '"', "\\", "1e", " ", "\\u00", "-"])
async def test_bodies_are_read_in_linear_time(browser: Browser, piece: str) -> None:
    for size in SIZES:
        body = filled(piece, size).encode()[: size - 1]
        with quick():
            answer = await browser.call(
                "POST",
                "/api/stream/ai-block/ask-question",
                body=body,
                headers={"content-type": "application/json"},
            )
        assert answer.status < 500


@pytest.mark.parametrize("piece", ["[", '{"type":', "1", '"', '{"a":1},', "\\u0000", "é"])
def test_frames_are_read_in_linear_time(piece: str) -> None:
    for size in SIZES:
        for text in (filled(piece, size), f'{{"type":"ping","ref":"{filled(piece, size)}"}}'):
            with quick(), pytest.raises((Unreadable, InvalidCommand)):
                parse_command(text)


@pytest.mark.parametrize("piece", [":", "1", " ", "-1", "A"])
def test_cursors_are_read_in_linear_time(piece: str) -> None:
    for size in SIZES:
        for read in (cursor_from_header, seq_from_text):
            with quick(), pytest.raises(InvalidCursor):
                read(filled(piece, size))  # type: ignore[operator]


@pytest.mark.parametrize("piece", ["/", "[", ":", "a.", "@", "http://", "?", "\u2100"])
def test_hosts_and_origins_are_judged_in_linear_time(piece: str) -> None:
    for size in SIZES:
        text = filled(piece, size)
        with quick():
            is_allowed_host(text)
        for origin in (text, f"http://{text}"):
            with quick():
                assert not is_own_origin(origin, host="localhost", is_secure=False)


class _Block:
    prompt_limit = 2_000_000
    options_schema = {
        "properties": {
            "count": {"type": "integer"},
            "share": {"type": "number"},
            "tone": {"type": "string", "enum": ["kind"], "maxLength": 2_000_000},
        }
    }


@pytest.mark.parametrize("piece", [" ", "1", "+", "1.", "e", "\n", "\u2028", "\U0001f600"])
def test_prompts_and_options_are_checked_in_linear_time(piece: str) -> None:
    for size in SIZES:
        text = filled(piece, size)
        for options in ({}, {"count": text}, {"share": text}, {"tone": text}, {text: 1}):
            with quick():
                try:
                    check_input(_Block, text or "x", options, coerce=True)
                except BlockError:
                    continue


PIECES = ["/", "/?", "?", "/a?b ", " ", "\n", "\r", "a", "/?a\n", "\x00", "é", "\x1b[31m"]


def record_of(message: str, info: Any = None) -> logging.LogRecord:
    return logging.LogRecord("n", logging.WARNING, "p", 1, "Not found: %s", (message,), info)


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("ending", ["", "?", "?a"])
def test_log_lines_are_formatted_in_linear_time_and_are_cut(piece: str, ending: str) -> None:
    formatter = LogFormatter()
    for size in SIZES:
        with quick():
            line = formatter.format(record_of(filled(piece, size) + ending))
        assert len(line.encode()) <= MAX_LINE_BYTES
        assert len(line.splitlines()) == 1


@pytest.mark.parametrize("piece", PIECES)
def test_tracebacks_are_formatted_in_linear_time_and_their_lines_are_cut(piece: str) -> None:
    formatter = LogFormatter()
    for size in SIZES:
        error = ValueError(filled(piece, size))
        with quick():
            text = formatter.format(record_of("x", (ValueError, error, None)))
        lines = text.split("\n")
        assert max(len(line.encode()) for line in lines) <= MAX_LINE_BYTES
        assert all(line.startswith("  ") for line in lines[2:])


@pytest.mark.parametrize("piece", PIECES)
def test_daphnes_access_log_is_written_in_linear_time(
    piece: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "daphne.access")
    for size in SIZES:
        caplog.clear()
        with quick():
            AccessLogGenerator(None).write_entry(
                "-", datetime.now(UTC), f"GET {filled(piece, size)} 200"
            )
            (line,) = map(LogFormatter().format, caplog.records)
        assert len(line.encode()) <= MAX_LINE_BYTES
        assert len(line.splitlines()) == 1
