"""The address that a client counts under."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.access.addresses import countable_address


@pytest.mark.parametrize(
    ("client", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.2", "127.0.0.2"),
    ],
)
def test_an_address_counts_as_itself_and_ipv6_as_its_network(client: str, counted: str) -> None:
    assert countable_address(client) == counted


@pytest.mark.parametrize("client", [None, "", "testclient", "/run/liveai.sock", "127.0.0.1.9"])
def test_where_there_is_no_address_nothing_is_counted(client: str | None) -> None:
    assert countable_address(client) is None


def test_a_trusted_proxys_own_address_is_never_counted(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1", "::1", "10.1.0.0/16"]
    own = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.1.200.3"]
    assert [countable_address(address) for address in own] == [None] * 4
    assert countable_address("10.2.0.1") == "10.2.0.1"


def test_a_star_trusts_everybody_and_hides_nobody(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["*"]
    assert countable_address("203.0.113.7") == "203.0.113.7"
