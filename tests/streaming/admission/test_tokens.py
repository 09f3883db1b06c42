"""The limit on invalid tokens of one address."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from liveai.api_tokens.making import make_token
from streaming.admission.tokens import INVALID_BURST, LOOKUPS_BURST, Tokens
from streaming.errors import Refused, UnknownKey
from tests.support.streaming.api_tokens import NO_TOKEN

HERE, THERE, PROXY = "203.0.113.7", "203.0.113.8", "127.0.0.1"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def secret(db: None) -> str:
    user = User.objects.create(username="ada")
    return make_token(user.pk, name="Script", scope="ask", days=90)[1]


def refusal(tokens: Tokens, token: str, client: str) -> Any:
    with pytest.raises(Refused) as refused:
        tokens.admit(token, client=client)
    return refused.value


def test_too_many_invalid_tokens_of_an_address_are_refused(clock: Clock, secret: str) -> None:
    tokens = Tokens(now=clock)
    codes = [refusal(tokens, NO_TOKEN, HERE).code for _ in range(int(INVALID_BURST) + 5)]
    assert codes == ["not_authenticated"] * int(INVALID_BURST) + ["rate_limited"] * 5
    with CaptureQueriesContext(connection) as queries:
        refused = refusal(tokens, "no token", HERE)
    assert not queries.captured_queries
    assert refused.retry_after_seconds >= 1
    tokens.admit(secret, client=THERE)
    clock.now += refused.retry_after_seconds
    assert refusal(tokens, NO_TOKEN, HERE).code == "not_authenticated"


def test_a_token_of_an_unknown_key_counts_and_one_of_unread_keys_does_not(clock: Clock) -> None:
    verifier = Mock(takes=Mock(return_value=True))
    tokens = Tokens(now=clock, verifier=verifier)
    for kind, last in {Refused: "store_unavailable", UnknownKey: "rate_limited"}.items():
        verifier.verify.side_effect = kind("store_unavailable")
        codes = [refusal(tokens, "a.b.c", HERE).code for _ in range(int(INVALID_BURST) + 30)]
        assert (codes[0], codes[-1]) == ("store_unavailable", last)


def test_beyond_the_limit_valid_tokens_are_found_at_a_bounded_cost(
    clock: Clock, secret: str
) -> None:
    tokens = Tokens(now=clock)
    for _ in range(int(INVALID_BURST)):
        refusal(tokens, "no token", HERE)
    tokens.admit(secret, client=HERE)
    with CaptureQueriesContext(connection) as queries:
        codes = {refusal(tokens, NO_TOKEN, HERE).code for _ in range(200)}
    assert codes == {"rate_limited"}
    assert len(queries) == LOOKUPS_BURST - 1
    clock.now += 0.9  # the invalid ones are still beyond their limit
    tokens.admit(secret, client=HERE)


def test_valid_tokens_and_proxies_are_not_counted_and_old_counts_are_dropped(
    clock: Clock, secret: str
) -> None:
    tokens = Tokens(now=clock)
    for _ in range(int(INVALID_BURST) + 1):
        _, visitor = tokens.admit(secret, client=HERE)
        assert visitor.address == HERE
        assert refusal(tokens, NO_TOKEN, PROXY).code == "not_authenticated"
    refusal(tokens, NO_TOKEN, THERE)
    tokens.sweep()
    assert len(tokens._invalid) == 1
    clock.now += 60
    tokens.sweep()
    assert len(tokens._invalid) == 0
