from __future__ import annotations

import io
import json
import zlib
from typing import Any

import pytest
from rest_framework.exceptions import ParseError

from streaming.http.parsers import StrictJSONParser


def parse(body: bytes, encoding: str = "utf-8") -> Any:
    return StrictJSONParser().parse(io.BytesIO(body), "application/json", {"encoding": encoding})


@pytest.mark.parametrize("data", [{}, {"a": 1}, {"ä": ["ö", None, True, 1.5]}, {"😀": {"": ""}}])
def test_a_json_object_is_read(data: dict[str, Any]) -> None:
    assert parse(json.dumps(data).encode()) == data
    assert parse(json.dumps(data, ensure_ascii=False).encode()) == data


def test_the_last_of_two_members_of_a_name_counts() -> None:
    assert parse(b'{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize(
    "body", [b"[]", b"1", b'"a"', b"null", b"true"], ids=["list", "number", "text", "null", "true"]
)
def test_json_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError, match="one JSON object"):
        parse(body)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": "\xff"}', b"{'a': 1}", b'{"a": 1,}'],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError, match="not JSON"):
        parse(body)


@pytest.mark.parametrize("levels", [10_000, 500_000])
@pytest.mark.parametrize("is_closed", [True, False])
def test_what_is_too_deep_is_refused_and_breaks_nothing(levels: int, is_closed: bool) -> None:
    with pytest.raises(ParseError):
        parse(b'{"a":' + b"[" * levels + (b"]" * levels + b"}" if is_closed else b""))
    assert parse(b'{"a": 1}') == {"a": 1}


@pytest.mark.parametrize("encoding", ["zlib", "rot13", "utf-16", "latin-1", "nonsense"])
def test_the_encoding_is_utf8_whatever_is_claimed(encoding: str) -> None:
    assert parse('{"a": "ä"}'.encode(), encoding) == {"a": "ä"}
    with pytest.raises(ParseError):
        parse(zlib.compress(b'{"a": 1}'), encoding)


def test_a_parser_needs_no_context() -> None:
    assert StrictJSONParser().parse(io.BytesIO(b'{"a": 1}')) == {"a": 1}
