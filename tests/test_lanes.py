"""Selection of the requests that run on separate threads."""

from __future__ import annotations

import pytest

from liveai.lanes import may_hash_a_password


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/admin/login/"),
        ("post", "/admin/login/"),
        ("PUT", "/admin/login/"),
        ("POST", "/admin/login"),
        ("POST", "/admin/password_change/"),
        ("POST", "/admin/auth/user/add/"),
        ("POST", "/admin/auth/user/7/password/"),
        ("POST", "/account/login/"),
        ("POST", "/account/signup/"),
        ("POST", "/account/password/change/"),
        ("POST", "/account/reauthenticate/"),
    ],
)
def test_what_may_hash_a_password_has_the_lane(method: str, path: str) -> None:
    assert may_hash_a_password({"method": method, "path": path})
    assert may_hash_a_password({"method": method, "path": f"/ai{path}", "root_path": "/ai"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/admin/login/"),
        ("HEAD", "/admin/login/"),
        ("POST", "/admin/blocks/blocktype/1/change/"),
        ("POST", "/api/stream/ai-block/quiz"),
        ("POST", "/account/logout/"),
        ("POST", "/account/tokens/revoke/"),
        ("POST", "/account/data/delete/"),
        ("POST", "/account/email/"),
        ("POST", "/"),
    ],
)
def test_all_else_runs_on_the_common_threads(method: str, path: str) -> None:
    assert not may_hash_a_password({"method": method, "path": path})
