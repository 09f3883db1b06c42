"""Replies are delivered in order, and a lost connection is reported once."""

from __future__ import annotations

import asyncio
from typing import Any

import hiredis
import pytest

from streaming.event_log.redis.line import Line
from tests.support.faults.fault_proxy import FaultProxy
from tests.support.faults.redis_server import RedisServer
from tests.support.streaming.redis_logs import ProcessLog, eventually


class FakeTransport(asyncio.Transport):
    """Records the calls that it receives."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_cut = False
        self.aborts = 0

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        pass

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.is_cut:
            raise RuntimeError("the handler is closed")  # like uvloop
        self.written += bytes(data)

    def abort(self) -> None:
        self.aborts += 1


class FakeDialler:
    reader = hiredis.Reader
    pack = staticmethod(hiredis.pack_command)

    def __init__(self) -> None:
        self.transport = FakeTransport()

    async def connect(self) -> asyncio.Transport:
        return self.transport

    async def disconnect(self) -> None:
        pass


class Ears:
    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.lost: list[Exception | None] = []

    def hear(self, reply: Any) -> None:
        self.heard.append(reply)
        if reply == b"poison":
            raise ValueError("nothing that can be read")

    async def line(self) -> tuple[Line, FakeTransport]:
        dialler = FakeDialler()
        line = Line(self.hear, self.lost.append)
        await line.open(dialler)
        return line, dialler.transport


async def test_replies_arrive_whole_and_in_order_wherever_they_were_cut() -> None:
    ears = Ears()
    line, _ = await ears.line()
    replies = b":0\r\n$-1\r\n*2\r\n$1\r\na\r\n:7\r\n+OK\r\n"
    for number in range(len(replies)):
        line.data_received(replies[number : number + 1])
    assert ears.heard == [0, None, [b"a", 7], b"OK"]
    assert line.is_open and ears.lost == []


async def test_an_error_is_a_reply() -> None:
    ears = Ears()
    line, _ = await ears.line()
    line.data_received(b"-OOM command not allowed\r\n:1\r\n")
    error, one = ears.heard
    assert isinstance(error, hiredis.ReplyError) and str(error) == "OOM command not allowed"
    assert one == 1 and line.is_open


@pytest.mark.parametrize(
    ("data", "kind"), [(b"$6\r\npoison\r\n:1\r\n", ValueError), (b"?", hiredis.ProtocolError)]
)
async def test_an_unreadable_reply_closes_the_line_and_is_reported(
    data: bytes, kind: type[Exception]
) -> None:
    ears = Ears()
    line, transport = await ears.line()
    line.data_received(data)
    line.connection_lost(None)
    (error,) = ears.lost
    assert isinstance(error, kind)
    assert not line.is_open and transport.aborts == 1
    assert 1 not in ears.heard  # nothing that came after it


async def test_a_write_to_a_line_that_was_just_cut_loses_it_and_does_not_raise() -> None:
    ears = Ears()
    line, transport = await ears.line()
    line.send(b"one")
    transport.is_cut = True
    line.send(b"two")
    line.connection_lost(None)
    (error,) = ears.lost
    assert isinstance(error, ConnectionResetError)
    assert not line.is_open and transport.written == b"one"


async def test_after_closing_no_callback_runs() -> None:
    ears = Ears()
    line, transport = await ears.line()
    line.close()
    line.close()
    line.data_received(b":1\r\n")
    line.connection_lost(ConnectionResetError())
    assert (ears.heard, ears.lost, transport.aborts) == ([], [], 1)


async def test_a_line_that_was_reset_in_a_quiet_moment_costs_nobody_an_answer(
    server: RedisServer,
) -> None:
    async with FaultProxy(server.port) as proxy:
        log = ProcessLog(f"redis://127.0.0.1:{proxy.port}/0")
        try:
            await log.open("0" * 22)  # without `begin`, no ping is sent meanwhile
            line = log._writes._line
            assert line is not None
            proxy.reset()
            await eventually(lambda: not line.is_open)
            assert (await log.status("0" * 22)).last == -1
            assert proxy.accepted == 2
        finally:
            await log.aclose()
