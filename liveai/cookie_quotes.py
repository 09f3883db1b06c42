"""Parses quoted cookies in linear time.

Django uses the standard library's `http.cookies._unquote`. Before Python 3.11.10 and 3.12.6 its
time grows with the square of a cookie's length (CVE-2024-7592). A cookie of 16 KB blocks the
interpreter for seconds.
"""

from __future__ import annotations

import re
from http import cookies

_ESCAPED = re.compile(r"\\(?:([0-3][0-7]{2})|(.))", re.DOTALL)


def unquote(value: str | None) -> str | None:
    """Return a cookie's value without quotes and with its escapes resolved, per RFC 2068."""
    if value is None or len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    return _ESCAPED.sub(_resolved, value[1:-1])


def _resolved(escaped: re.Match[str]) -> str:
    octal, character = escaped.groups()
    return chr(int(octal, 8)) if octal else character


def guard_cookie_quotes() -> None:
    """Make Django parse cookies with `unquote`, on every version of Python."""
    cookies._unquote = unquote  # type: ignore[assignment]
