"""Settings of issuers: what is reported, and that nothing counts which is reported."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.access.signed_tokens.issuers import issuers
from streaming.checks import check_signed_tokens
from tests.support.signed_tokens import AUDIENCE, ISSUER, OTHER_ISSUER, OTHER_KEY, SETTINGS

URL = {"JWT_SHARED_KEY": "", "JWT_JWKS_URL": "https://host.example/.well-known/jwks.json"}


def configure(settings: Any, **changes: Any) -> list[str]:
    for name, value in (SETTINGS | {"JWT_JWKS_URL": ""} | changes).items():
        setattr(settings, name, value)
    messages = check_signed_tokens(None)
    assert all(message.hint for message in messages)
    shown = " ".join(f"{message.msg} {message.hint}" for message in messages)
    assert not any(key and key in shown for key in (OTHER_KEY, settings.JWT_SHARED_KEY))
    return [str(message.id) for message in messages]


def more(**changes: Any) -> list[dict[str, Any]]:
    return [{"issuer": OTHER_ISSUER, "audience": AUDIENCE, "shared_key": OTHER_KEY, **changes}]


def test_without_an_issuer_signed_tokens_are_off(settings: Any) -> None:
    nothing = dict.fromkeys(("JWT_ISSUER", "JWT_AUDIENCE", "JWT_SHARED_KEY"), "")
    assert configure(settings, **nothing, JWT_MORE_ISSUERS=[]) == []
    assert issuers() == {}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        URL,
        URL | {"JWT_JWKS_URL": "http://localhost:8001/keys"},
        URL | {"JWT_JWKS_URL": "http://[::1]/keys"},
    ],
)
def test_what_works_is_not_reported(settings: Any, changes: dict[str, Any]) -> None:
    assert configure(settings, **changes) == []
    assert set(issuers()) == {ISSUER, OTHER_ISSUER}


@pytest.mark.parametrize(
    ("changes", "check_id"),
    [
        ({"JWT_ISSUER": ""}, "streaming.E040"),
        ({"JWT_ISSUER": "a host"}, "streaming.E040"),
        ({"JWT_AUDIENCE": ""}, "streaming.E040"),
        ({"JWT_SHARED_KEY": ""}, "streaming.E040"),
        ({"JWT_JWKS_URL": URL["JWT_JWKS_URL"]}, "streaming.E040"),
        ({"JWT_SHARED_KEY": "k" * 31}, "streaming.E041"),
        (URL | {"JWT_JWKS_URL": "http://host.example/keys"}, "streaming.E042"),
        (URL | {"JWT_JWKS_URL": "http://localhost.example/keys"}, "streaming.E042"),
        (URL | {"JWT_JWKS_URL": "https://"}, "streaming.E042"),
        (URL | {"JWT_JWKS_URL": "https://name:secret@host.example/keys"}, "streaming.E042"),
        (URL | {"JWT_JWKS_URL": "https://host.example:port/keys"}, "streaming.E042"),
        (URL | {"JWT_JWKS_URL": "file:///etc/keys"}, "streaming.E042"),
        ({"JWT_MAX_LIFETIME_SECONDS": 0}, "streaming.E043"),
    ],
)
def test_what_can_not_work_is_reported_and_does_not_count(
    settings: Any, changes: dict[str, Any], check_id: str
) -> None:
    assert configure(settings, **changes) == [check_id]
    if check_id != "streaming.E043":
        assert set(issuers()) == {OTHER_ISSUER}


@pytest.mark.parametrize(
    ("others", "check_id"),
    [
        (more(issuer=ISSUER), "streaming.E044"),
        (more(issuer=f"{ISSUER}:8000"), "streaming.E044"),
        (more(shared_key="short"), "streaming.E041"),
        (more(jwks_url="https://host.example/keys"), "streaming.E040"),
        (more(sharedkey="a name that is not known"), "streaming.E040"),
        (more(issuer=7), "streaming.E040"),
        (more(audience=None), "streaming.E040"),
        ([{}], "streaming.E040"),
        ([more(issuer=f"https://{n}.example")[0] for n in range(101)], "streaming.E040"),
    ],
)
def test_further_issuers_are_checked_like_the_first(
    settings: Any, others: list[dict[str, Any]], check_id: str
) -> None:
    assert configure(settings, JWT_MORE_ISSUERS=others) == [check_id]
