"""Responses to input that never becomes a request; the server writes them without Django."""

from __future__ import annotations

from http import HTTPStatus

from ..errors import Refused
from ..http.problems import CONTENT_TYPE, problem_body

RETRY_SECONDS = 5


def _answer(status: HTTPStatus, body: bytes, content_type: str, *headers: str) -> bytes:
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"content-type: {content_type}",
        f"content-length: {len(body)}",
        *headers,
        "connection: close",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _in_words(status: HTTPStatus, words: str) -> bytes:
    return _answer(status, words.encode() + b"\n", "text/plain; charset=utf-8")


BAD_REQUEST = _in_words(HTTPStatus.BAD_REQUEST, "This is not a valid HTTP request.")
TIMEOUT = _in_words(HTTPStatus.REQUEST_TIMEOUT, "The request did not arrive in time.")
HEAD_TOO_LARGE = _in_words(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "The request line and the headers may contain at most 64 KiB and 128 headers in total.",
)
TOO_MANY_CONNECTIONS = _answer(
    HTTPStatus.SERVICE_UNAVAILABLE,
    problem_body(
        Refused(
            "over_capacity", "There are too many connections.", retry_after_seconds=RETRY_SECONDS
        )
    ),
    CONTENT_TYPE,
    f"retry-after: {RETRY_SECONDS}",
)
