"""Limits on the open sockets of an owner and an address. Source: spec.md, "WebSocket"."""

from __future__ import annotations

import asyncio
from typing import Any

from django.contrib.sessions.models import Session

from streaming.access.visitor import Visitor
from streaming.admission.sockets import SocketPlaces
from streaming.event_log.base import LogUnavailable
from tests.conftest import StartProcess
from tests.support.streaming.browser import Browser

ADA = Visitor("user:1", 1, "s", "192.0.2.1")


async def is_closed(browser: Browser, code: int) -> bool:
    """Whether the next socket is accepted and closed with this code."""
    socket = browser.socket()
    assert (await socket.handshake())["type"] == "websocket.accept"
    closed = await socket.closed() == code
    await socket.aclose()
    return closed


async def test_an_owner_has_so_many_wherever_they_come_from() -> None:
    places = SocketPlaces(per_owner=2, per_address=0)
    first = await places.take(ADA)
    assert first is not None
    assert await places.take(Visitor("user:1", 1, "t", "192.0.2.2"))
    assert await places.take(Visitor("user:1", 1, "u", "192.0.2.3")) is None
    assert await places.take(Visitor("user:2", 2, "s", "192.0.2.1"))
    await first.give_back()
    await first.give_back()
    assert await places.take(ADA)
    assert await places.take(ADA) is None


async def test_an_address_has_so_many_whoever_they_are() -> None:
    places = SocketPlaces(per_owner=0, per_address=2)
    for number in range(2):
        assert await places.take(Visitor(f"user:{number}", number, "s", "192.0.2.1"))
    assert await places.take(Visitor("user:9", 9, "s", "192.0.2.1")) is None
    assert await places.take(Visitor("user:9", 9, "s", "192.0.2.2"))


async def test_without_a_session_a_visitor_counts_as_their_address() -> None:
    places = SocketPlaces(per_owner=1, per_address=0)
    newcomers = [
        Visitor(f"anonymous:{name}", None, name, "192.0.2.1", has_session=False) for name in "ab"
    ]
    assert await places.take(newcomers[0])
    assert await places.take(newcomers[1]) is None


async def test_an_address_that_is_unknown_or_a_proxy_s_is_not_counted() -> None:
    places = SocketPlaces(per_owner=0, per_address=1)
    assert all([await places.take(Visitor("user:1", 1, "s", None)) for _ in range(5)])


async def test_zero_switches_a_bound_off_and_nothing_is_kept_of_those_that_are_gone() -> None:
    unbound = SocketPlaces(per_owner=0, per_address=0)
    assert all([await unbound.take(ADA) for _ in range(500)])
    places = SocketPlaces(per_owner=2, per_address=2)
    place = await places.take(ADA)
    assert place is not None
    await place.give_back()
    assert len(places) == 0


# --- over several processes -------------------------------------------------------------------


class Unreachable:
    """A shared count that is unreachable."""

    async def take(self, key: str, at_most: int, member: str) -> bool:
        raise LogUnavailable

    async def keep(self, members: dict[str, list[str]]) -> None:
        raise LogUnavailable

    async def give_back(self, key: str, member: str) -> None:
        raise LogUnavailable


class Hanging(Unreachable):
    async def take(self, key: str, at_most: int, member: str) -> bool:
        await asyncio.Event().wait()
        return True


async def test_while_the_shared_count_is_unreachable_each_process_counts_for_itself() -> None:
    places = SocketPlaces(per_owner=1, per_address=0, shared=Unreachable())
    place = await places.take(ADA)
    assert place is not None
    assert await places.take(ADA) is None
    await places.keep()
    await place.give_back()
    assert await places.take(ADA)


async def test_a_handshake_that_is_cut_short_leaves_no_place_behind() -> None:
    places = SocketPlaces(per_owner=1, per_address=1, shared=Hanging())
    taking = asyncio.create_task(places.take(ADA))
    await asyncio.sleep(0)
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)
    assert len(places) == 0


# --- sockets ----------------------------------------------------------------------------------


async def test_one_socket_too_many_is_accepted_and_closed_with_4429_until_another_goes(
    start_process: StartProcess, make_browser: Any
) -> None:
    await start_process(LIMIT_SOCKETS_PER_OWNER=2)
    ada, bob = await make_browser("ada"), await make_browser("bob")
    first = await ada.connect()
    await ada.connect("/ws/stream?follow=none")
    for _ in range(3):  # refused ones do not count
        assert await is_closed(ada, 4429)
    await bob.connect()
    assert await first.before_pong() == []
    await first.aclose()
    await ada.connect()
    assert await is_closed(ada, 4429)


async def test_a_socket_that_is_one_too_many_makes_no_session(
    start_process: StartProcess, make_browser: Any
) -> None:
    process = await start_process()
    process.sockets = SocketPlaces(per_owner=0, per_address=1)
    assert await process.sockets.take(Visitor("anonymous:x", None, "x", "192.0.2.1"))
    newcomer = Browser()
    socket = newcomer.socket()
    socket._wire.scope["client"] = ("192.0.2.1", 50_000)
    answer = await socket.handshake()
    assert (answer["type"], answer.get("headers", [])) == ("websocket.accept", [])
    assert await socket.closed() == 4429
    await newcomer.aclose()
    assert await Session.objects.acount() == 0
