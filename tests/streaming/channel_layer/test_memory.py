"""The channel layer of one process."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from channels.exceptions import ChannelFull

from streaming.channel_layer.memory import MemoryChannelLayer

NEWS = {"type": "news", "number": 1}


async def test_a_group_reaches_all_members_each_with_a_message_of_its_own() -> None:
    layer = MemoryChannelLayer()
    channels = [await layer.new_channel() for _ in range(3)]
    assert len(set(channels)) == 3
    for channel in channels:
        await layer.group_add("group", channel)
    waiting = asyncio.ensure_future(layer.receive(channels[0]))
    await asyncio.sleep(0)
    await layer.group_send("group", NEWS)
    received = [await waiting, await layer.receive(channels[1]), await layer.receive(channels[2])]
    assert received == [NEWS] * 3
    received[0]["number"] = 2
    assert received[1] == NEWS


async def test_a_channel_that_left_gets_nothing_and_nothing_of_it_stays() -> None:
    layer = MemoryChannelLayer()
    channel, other = await layer.new_channel(), await layer.new_channel()
    for name in ("one", "two"):
        await layer.group_add(name, channel)
    await layer.group_add("one", other)
    await layer.group_send("one", NEWS)
    await layer.group_discard("one", channel)
    assert await layer.receive(channel) == NEWS  # sent before, and it is in a group still
    await layer.group_send("two", NEWS)
    await layer.group_discard("two", channel)
    await layer.group_send("two", NEWS)
    assert set(layer.channels) == {other} and set(layer.groups) == {"one"}


async def test_a_cancelled_receiver_leaves_nothing_and_loses_nothing() -> None:
    layer = MemoryChannelLayer()
    channel = await layer.new_channel()
    receiving = asyncio.ensure_future(layer.receive(channel))
    await asyncio.sleep(0)
    receiving.cancel()
    await asyncio.wait({receiving})
    assert not layer.channels and not layer._receiving
    await layer.send(channel, NEWS)
    assert await layer.receive(channel) == NEWS


async def test_a_full_channel_misses_news_of_its_groups_and_refuses_others() -> None:
    layer = MemoryChannelLayer(capacity=2)
    channel = await layer.new_channel()
    await layer.group_add("group", channel)
    for number in range(3):
        await layer.group_send("group", {"number": number})
    with pytest.raises(ChannelFull):
        await layer.send(channel, NEWS)
    assert [(await layer.receive(channel))["number"] for _ in range(2)] == [0, 1]
    await layer.flush()
    await layer.group_send("group", NEWS)
    assert not layer.channels


async def test_a_listener_gets_what_waited_and_what_follows_until_it_stops() -> None:
    layer = MemoryChannelLayer()
    channel, heard = await layer.new_channel(), list[Any]()
    await layer.group_add("group", channel)
    await layer.group_send("group", {"number": 1})
    layer.listen(channel, heard.append)
    assert heard == [{"number": 1}]
    await layer.group_send("group", {"number": 2})
    await layer.send(channel, {"number": 3})
    assert [message["number"] for message in heard] == [1, 2, 3]
    assert not layer.channels
    layer.stop_listening(channel)
    layer.stop_listening(channel)
    await layer.group_send("group", {"number": 4})
    assert len(heard) == 3
    assert await layer.receive(channel) == {"number": 4}


async def test_a_second_receiver_is_refused_and_the_first_still_hears() -> None:
    layer = MemoryChannelLayer()
    channel = await layer.new_channel()
    first = asyncio.ensure_future(layer.receive(channel))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="another task"):
        await layer.receive(channel)
    await layer.send(channel, {"number": 1})
    assert await first == {"number": 1}


async def test_a_listener_may_leave_the_group_while_it_is_told() -> None:
    layer = MemoryChannelLayer()
    channels = [await layer.new_channel() for _ in range(3)]
    heard: list[str] = []

    def leave(channel: str, _: Any) -> None:
        heard.append(channel)
        layer.groups["group"].pop(channel)

    for channel in channels:
        await layer.group_add("group", channel)
        layer.listen(channel, partial(leave, channel))
    await layer.group_send("group", {})
    assert heard == channels
