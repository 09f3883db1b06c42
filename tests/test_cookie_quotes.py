"""Quoted cookies: parsed as before, in linear time."""

from __future__ import annotations

from http import cookies

import pytest
from django.http.cookie import parse_cookie

import liveai.project_asgi  # noqa: F401 (it puts the guard in place)
from liveai.cookie_quotes import unquote


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("plain", "plain"),
        ('"quoted"', "quoted"),
        (r'"a \"b\" \\ c"', r'a "b" \ c'),
        (r'"\054 \303\251 \400"', ", \u00c3\u00a9 400"),
        ('"open', '"open'),
        ('"', '"'),
        ("", ""),
        ('"trailing \\"', "trailing \\"),
    ],
)
def test_quotes_and_escapes_are_resolved(value: str, read: str) -> None:
    assert unquote(value) == read


@pytest.mark.parametrize("text", ['a,b;c"d\\e', "\u00e9\u00ff", "\x01\x7f", ""])
def test_what_the_library_quotes_is_read_as_it_was(text: str) -> None:
    cookie: cookies.SimpleCookie = cookies.SimpleCookie()
    cookie["name"] = text
    assert unquote(cookie["name"].coded_value) == text


def test_django_reads_cookies_with_it() -> None:
    assert cookies._unquote is unquote  # type: ignore[attr-defined]
    assert parse_cookie(r'a="x\"y"; b=2') == {"a": 'x"y', "b": "2"}
