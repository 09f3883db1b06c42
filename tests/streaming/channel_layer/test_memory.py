"""The layer of a single process: Channels' own, without work that grows with the sockets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer

from streaming.channel_layer import memory
from streaming.channel_layer.memory import CLEAN_SECONDS, MemoryChannelLayer

MESSAGE = {"type": "stream.started", "origin": "here"}


@pytest.fixture
def sends(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    send = InMemoryChannelLayer.group_send

    async def counting(self: Any, group: str, message: Any) -> None:
        found.append(group)
        await send(self, group, message)

    monkeypatch.setattr(InMemoryChannelLayer, "group_send", counting)
    return found


async def test_a_group_without_other_members_costs_nothing(sends: list[str]) -> None:
    layer = MemoryChannelLayer()
    await layer.group_send("ada", MESSAGE)
    await layer.group_add("ada", "here")
    await layer.group_send("ada", MESSAGE)
    assert sends == []


async def test_all_members_get_a_message_of_another_one(sends: list[str]) -> None:
    layer = MemoryChannelLayer()
    await layer.group_add("ada", "here")
    await layer.group_add("ada", "there")
    await layer.group_send("ada", MESSAGE)
    async with asyncio.timeout(5):
        assert [await layer.receive(name) for name in ("here", "there")] == [MESSAGE, MESSAGE]
    await layer.group_discard("ada", "there")
    await layer.group_send("ada", {"type": "x"})  # without an origin, it is for everybody
    assert await layer.receive("here") == {"type": "x"}


async def test_expired_messages_are_looked_for_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, looked = [100.0], []
    monkeypatch.setattr(memory.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(InMemoryChannelLayer, "_clean_expired", lambda self: looked.append(now[0]))
    layer = MemoryChannelLayer()
    for seconds in (0.0, 1.0, CLEAN_SECONDS, 1.0):
        now[0] += seconds
        await layer.send("here", {"type": "x"})
        await layer.receive("here")
    assert looked == [100.0, 101.0 + CLEAN_SECONDS]
