"""Idle connections stay open longer than those of the balancer in front."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from streaming.serving.http_protocol import HttpProtocol
from streaming.serving.keep_alive import CLIENT_SECONDS, PROXY_SECONDS, keep_alive_seconds
from streaming.serving.roster import BoundedState, Roster
from streaming.serving.server import server_config
from tests.support.documents import DEPLOY_TEXT, SETTINGS_TEXT

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("trusted", "peer", "seconds"),
    [
        (["127.0.0.1", "::1"], "127.0.0.1", PROXY_SECONDS),
        (["127.0.0.1", "::1"], "::1", PROXY_SECONDS),
        (["127.0.0.1", "::1"], "203.0.113.7", CLIENT_SECONDS),
        (["10.0.0.0/8"], "10.1.2.3", PROXY_SECONDS),
        (["10.0.0.0/8"], "::ffff:10.1.2.3", PROXY_SECONDS),
        (["10.0.0.0/8"], "127.0.0.1", CLIENT_SECONDS),
        (["*"], "203.0.113.7", PROXY_SECONDS),
        ([], "127.0.0.1", CLIENT_SECONDS),
        ([], None, PROXY_SECONDS),
    ],
)
def test_a_proxys_idle_connection_outlives_the_proxys_own_limit(
    settings: Any, trusted: list[str], peer: str | None, seconds: float
) -> None:
    settings.TRUSTED_PROXIES = trusted
    assert keep_alive_seconds(peer) == seconds


@pytest.mark.parametrize("peer", ["127.0.0.1", "203.0.113.7"])
def test_a_number_in_the_settings_holds_for_every_peer(settings: Any, peer: str) -> None:
    settings.SERVER_KEEP_ALIVE_SECONDS = 120.0
    assert keep_alive_seconds(peer) == 120.0


@pytest.mark.parametrize(
    ("peer", "seconds"), [("127.0.0.1", PROXY_SECONDS), ("203.0.113.7", CLIENT_SECONDS)]
)
async def test_each_connection_has_the_time_of_its_peer(peer: str, seconds: float) -> None:
    transport = Mock(asyncio.Transport)
    transport.get_extra_info.side_effect = {"peername": (peer, 50_000)}.get
    state = BoundedState(Roster(at_most=1, per_address=1, now=lambda: 0.0))
    protocol = HttpProtocol(server_config(), state, {})
    protocol.connection_made(transport)
    assert protocol.timeout_keep_alive == seconds


def test_the_documents_name_these_times() -> None:
    assert PROXY_SECONDS > 60
    for text in ((ROOT / ".env.example").read_text("utf-8"), SETTINGS_TEXT):
        assert f"{PROXY_SECONDS:g} for" in text and f"{CLIENT_SECONDS:g} for everybody" in text
    assert re.search(rf"after less than {PROXY_SECONDS:g} s", DEPLOY_TEXT)
