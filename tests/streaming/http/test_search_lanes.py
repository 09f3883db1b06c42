"""Selection of requests that search many rows, and of the visitor that each counts under."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.http.search_lanes import is_admin_list, is_search, shares_of


def scope(path: str, query: bytes = b"", **members: Any) -> dict[str, Any]:
    return {"path": path, "query_string": query, "headers": [], "client": None, **members}


@pytest.mark.parametrize(
    "query", [b"q=a", b"%71=a", b"limit=1&q=a", b"q=&q=a", b"q=%20", b"q=\xff"]
)
@pytest.mark.parametrize("path", ["/api/streams", "/under/api/streams"])
def test_words_make_a_search(path: str, query: bytes) -> None:
    assert is_search(scope(path, query))


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/streams", b""),
        ("/api/streams", b"q="),
        ("/api/streams", b"q"),
        ("/api/streams", b"Q=a"),
        ("/api/streams", b"qq=a&x=q=a"),
        ("/api/streams", b"&".join([b"q=a"] * 2000)),  # more than Django accepts
        ("/api/streams/", b"q=a"),
        ("/api/blocks", b"q=a"),
        ("/history", b"q=a"),
    ],
    ids=str,
)
def test_other_requests_are_no_search(path: str, query: bytes) -> None:
    assert not is_search(scope(path, query))


def test_the_admins_list_of_streams_is_one_whatever_is_asked_of_it() -> None:
    assert is_admin_list(scope("/admin/streaming/stream/"))
    assert is_admin_list(scope("/admin/streaming/stream/", b"q=a"))
    assert is_admin_list(scope("/admin/streaming/stream/cancel-all/"))
    assert not is_admin_list(scope("/admin/streaming/stream/x/change/"))
    assert not is_admin_list(scope("/admin/"))


def shares(cookie: bytes | None, client: str | None) -> dict[str, int]:
    headers = [] if cookie is None else [(b"cookie", cookie)]
    found = scope("/", headers=headers, client=None if client is None else (client, 1))
    return dict(shares_of(found))


def test_a_search_counts_under_its_session_and_its_address() -> None:
    assert shares(b"a=1; sessionid=k", "203.0.113.7") == {
        "session:k": 2,
        "address:203.0.113.7": 8,
    }


@pytest.mark.parametrize("cookie", [None, b"", b"sessionid=", b"csrftoken=k", b"\xff=;;="])
def test_without_a_session_it_counts_under_its_address_twice(cookie: bytes | None) -> None:
    assert shares(cookie, "2001:db8::1") == {
        "visitor:2001:db8::/64": 2,
        "address:2001:db8::/64": 8,
    }


@pytest.mark.parametrize("client", [None, "127.0.0.1"])
def test_a_trusted_proxys_own_address_counts_nothing(client: str | None) -> None:
    assert shares(b"sessionid=k", client) == {"session:k": 2}
    assert shares(None, client) == {}


def test_with_a_token_it_counts_under_the_token_which_its_key_does_not_tell() -> None:
    def of(token: bytes, cookie: bytes = b"") -> dict[str, int]:
        headers = [(b"authorization", b"Bearer " + token), (b"cookie", cookie)]
        return dict(shares_of(scope("/api/streams", headers=headers, client=("203.0.113.7", 1))))

    keys = [list(of(token)) for token in (b"one", b"two")]
    assert keys[0][0] != keys[1][0] and keys[0][1:] == keys[1][1:] == ["address:203.0.113.7"]
    assert "one" not in keys[0][0]
    assert of(b"one", b"sessionid=k") == of(b"one")
    assert list(of(b"")) == ["visitor:203.0.113.7", "address:203.0.113.7"]
