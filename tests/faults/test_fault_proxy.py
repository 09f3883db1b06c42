"""The fault proxy injects exactly the planned faults."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from tests.support.faults.fault_proxy import Fault, FaultProxy

SILENCE_SECONDS = 0.2

Dial = Callable[[], Awaitable["Line"]]


@pytest_asyncio.fixture
async def proxy() -> AsyncIterator[FaultProxy]:
    """Runs in front of a server that echoes its input until the client ends it."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with FaultProxy(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy
    server.close()


@pytest_asyncio.fixture(autouse=True)
async def hurry() -> AsyncIterator[None]:
    async with asyncio.timeout(30):
        yield


@pytest_asyncio.fixture
async def dial(proxy: FaultProxy) -> AsyncIterator[Dial]:
    """Opens connections through the proxy, and closes them at the end."""
    lines: list[Line] = []

    async def open_line() -> Line:
        lines.append(Line(*await asyncio.open_connection("127.0.0.1", proxy.port)))
        return lines[-1]

    yield open_line
    for line in lines:
        line.writer.close()
        with contextlib.suppress(OSError):
            await line.writer.wait_closed()


class Line:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def until_it_ends(self) -> bytes:
        """Read everything until the connection ends.

        Raises:
            ConnectionResetError: it broke instead of ending.
        """
        return await self.reader.read()

    async def says(self, data: bytes) -> bytes:
        """Send data and return the echo."""
        self.writer.write(data)
        return await self.reader.readexactly(len(data))

    async def is_silent(self, data: bytes) -> bool:
        """Whether nothing comes back after sending data."""
        self.writer.write(data)
        try:
            await asyncio.wait_for(self.reader.read(1), SILENCE_SECONDS)
        except TimeoutError:
            return True
        return False


async def test_without_a_fault_all_passes_in_both_directions(proxy: FaultProxy, dial: Dial) -> None:
    data = random.Random(1).randbytes(1_000_000)
    line = await dial()
    line.writer.write(data)
    line.writer.write_eof()
    assert await line.until_it_ends() == data
    assert proxy.accepted == 1


@pytest.mark.parametrize("count", [0, 1, 777, 70_000])
async def test_it_cuts_after_so_many_bytes_and_not_one_more(
    proxy: FaultProxy, dial: Dial, count: int
) -> None:
    proxy.fault = Fault(cut_after=count)
    line = await dial()
    data = random.Random(2).randbytes(100_000)
    line.writer.write(data)
    assert await line.until_it_ends() == data[:count]  # an orderly end


@pytest.mark.parametrize("count", [0, 1, 777])
async def test_it_resets_after_so_many_bytes(proxy: FaultProxy, dial: Dial, count: int) -> None:
    proxy.fault = Fault(reset_after=count)
    line = await dial()
    line.writer.write(b"x" * 1_000)
    with pytest.raises(ConnectionResetError):
        await line.until_it_ends()


async def test_it_hands_on_byte_by_byte(proxy: FaultProxy, dial: Dial) -> None:
    proxy.fault = Fault(slice_bytes=1)
    line = await dial()
    assert await line.says(b"in slices " * 20) == b"in slices " * 20
    (connection,) = proxy.connections
    assert connection.sent == connection.writes == 200


async def test_slices_and_a_cut_go_together(proxy: FaultProxy, dial: Dial) -> None:
    proxy.fault = Fault(slice_bytes=3, cut_after=7)
    line = await dial()
    line.writer.write(b"0123456789")
    assert await line.until_it_ends() == b"0123456"


async def test_a_black_hole_accepts_and_says_nothing(proxy: FaultProxy, dial: Dial) -> None:
    proxy.black_hole()
    line = await dial()
    assert await line.is_silent(b"hello")
    proxy.clear()
    assert await line.reader.readexactly(5) == b"hello"


async def test_an_open_line_becomes_a_black_hole_and_comes_back(
    proxy: FaultProxy, dial: Dial
) -> None:
    line, other = await dial(), await dial()
    assert await line.says(b"before") == await other.says(b"before")
    for connection in proxy.connections:
        if connection.sent:
            connection.set_fault(Fault(is_black_hole=True))
    assert await line.is_silent(b"lost for now") and await other.is_silent(b"this too")
    proxy.clear()
    assert await line.reader.readexactly(12) == b"lost for now"
    assert await line.says(b"after") == b"after"


async def test_a_line_that_is_open_can_be_reset_later_in_its_life(
    proxy: FaultProxy, dial: Dial
) -> None:
    line = await dial()
    await line.says(b"12345")
    (connection,) = proxy.connections
    connection.set_fault(Fault(reset_after=8))
    line.writer.write(b"67890")
    with pytest.raises(ConnectionResetError):
        await line.until_it_ends()
    assert connection.sent == 8


async def test_down_it_refuses_and_what_is_open_goes_on(proxy: FaultProxy, dial: Dial) -> None:
    line = await dial()
    assert await line.says(b"before") == b"before"
    port = proxy.port
    await proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        await dial()
    assert await line.says(b"meanwhile") == b"meanwhile"
    await proxy.accept()
    assert proxy.port == port
    assert await (await dial()).says(b"again") == b"again"


async def test_all_open_lines_are_cut_or_reset_at_once(proxy: FaultProxy, dial: Dial) -> None:
    lines = [await dial() for _ in range(3)]
    for line in lines:
        await line.says(b"x")
    proxy.cut()
    assert [await line.until_it_ends() for line in lines] == [b"", b"", b""]
    line = await dial()
    await line.says(b"x")
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        await line.until_it_ends()


async def test_a_client_that_leaves_is_noticed(proxy: FaultProxy, dial: Dial) -> None:
    line = await dial()
    await line.says(b"x")
    line.writer.close()
    while proxy.connections:  # noqa: ASYNC110 (there is no event)
        await asyncio.sleep(0.01)


async def test_a_server_that_breaks_off_is_passed_on_as_a_reset() -> None:
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    server = await asyncio.start_server(break_off, "127.0.0.1", 0)
    async with FaultProxy(server.sockets[0].getsockname()[1]) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"x")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
    server.close()
