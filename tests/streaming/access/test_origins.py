"""Origins are compared by scheme, host and port, however they are written."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.access.origins import is_own_origin, plain_host


@pytest.mark.parametrize(
    ("url", "is_own"),
    [
        ("https://a.example", True),
        ("https://a.example:443", True),
        ("https://A.Example", True),
        ("https://a.example:80", False),
        ("https://a.example:8443", False),
        ("https://user@a.example", False),
        ("http://a.example", False),
        ("https://b.example", False),
        ("https://trusted.example", True),
        ("https://trusted.example:443", True),
        ("https://trusted.example/path?x", True),
        ("http://trusted.example", False),
        ("https://sub.wide.example", True),
        ("https://sub.wide.example:443", True),
        ("https://deep.sub.wide.example:8443", False),
        ("https://evilwide.example", False),
        ("https://wide.example.evil", False),
        ("null", False),
        ("", False),
    ],
)
def test_an_origin_is_own_or_one_that_the_operator_trusts(
    settings: Any, url: str, is_own: bool
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://trusted.example", "https://*.wide.example"]
    assert is_own_origin(url, host="A.example", is_secure=True) is is_own


@pytest.mark.parametrize(
    ("url", "host", "is_secure", "is_own"),
    [
        ("https://a.test", "a.test:443", True, True),
        ("https://a.test", "A.TEST:443", True, True),
        ("https://a.test", "a.test:80", True, True),  # from a proxy behind the one with TLS
        ("https://a.test:8443", "a.test:8443", True, True),
        ("https://a.test:8443", "a.test", True, False),
        ("https://a.test", "a.test:443", False, False),  # nobody says that it was HTTPS
        ("http://a.test", "a.test:80", False, True),
        ("http://a.test", "a.test:443", False, False),
        ("http://a.test:443", "a.test:443", False, True),
        ("https://[2001:db8::1]", "[2001:DB8::1]:443", True, True),
        ("http://[::1]", "[::1]:80", False, True),
        ("http://[::1]:8000", "[::1]:8000", False, True),
        ("http://[::1", "[::1", False, False),
    ],
)
def test_a_host_may_name_the_default_port(
    url: str, host: str, is_secure: bool, is_own: bool
) -> None:
    assert is_own_origin(url, host=host, is_secure=is_secure) is is_own


def test_of_a_host_only_the_default_port_is_dropped() -> None:
    assert plain_host("a.test:443", is_secure=False) == "a.test:443"
    assert plain_host("a.test:8443", is_secure=True) == "a.test:8443"
