"""httpx over a Unix socket: errors keep their kind, and a cancelled read leaves no trace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvloop

from blocks.providers.unix_transport import UnixSocketTransport

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"5\r\nhello\r\n"
REPEATS = 20
PATIENCE_SECONDS = 30


class Service:
    """Answers each request with a first chunk, and leaves its end to the test."""

    def __init__(self) -> None:
        self.answers: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
        self.left = asyncio.Event()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):  # the client was too impatient
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD + CHUNK)
            self.answers.put_nowait(writer)
            await reader.read()
        self.left.set()
        writer.close()


@asynccontextmanager
async def asking(path: Path, **options: Any) -> AsyncIterator[tuple[Service, httpx.AsyncClient]]:
    service = Service()
    async with (
        await asyncio.start_unix_server(service.answer, path),
        httpx.AsyncClient(transport=UnixSocketTransport(str(path)), **options) as client,
    ):
        yield service, client


def run(test: Coroutine[Any, Any, None]) -> list[dict[str, Any]]:
    """Run on the servers' event loop, and return what would have been logged as its errors."""
    errors: list[dict[str, Any]] = []
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: errors.append(context))
        runner.run(asyncio.wait_for(test, PATIENCE_SECONDS))
    return errors


async def read_all(client: httpx.AsyncClient, first: asyncio.Event) -> bytes:
    received = b""
    async with client.stream("GET", "http://localhost/") as response:
        async for piece in response.aiter_raw():
            received += piece
            first.set()
    return received


def test_a_body_is_read_to_its_end(tmp_path: Path) -> None:
    async def test() -> None:
        async with asking(tmp_path / "s") as (service, client):
            reading = asyncio.create_task(read_all(client, asyncio.Event()))
            (await service.answers.get()).write(CHUNK + b"0\r\n\r\n")
            assert await reading == b"hellohello"
            await service.left.wait()

    assert run(test()) == []


def test_a_read_that_is_cancelled_as_data_arrives_is_silent(tmp_path: Path) -> None:
    async def test() -> None:
        async with asking(tmp_path / "s") as (service, client):
            for _ in range(REPEATS):
                first = asyncio.Event()
                reading = asyncio.create_task(read_all(client, first))
                writer = await service.answers.get()
                await first.wait()
                await asyncio.sleep(0)  # the next read waits
                writer.write(CHUNK)
                reading.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await reading
                await service.left.wait()
                service.left.clear()

    assert run(test()) == []


def test_errors_keep_their_kind(tmp_path: Path) -> None:
    async def test() -> None:
        impatient = httpx.Timeout(None, read=0.05)
        async with asking(tmp_path / "silent", timeout=impatient) as (_, client):
            with pytest.raises(httpx.ReadTimeout):
                await client.get("http://localhost/")
        async with asking(tmp_path / "cut") as (service, client):
            reading = asyncio.create_task(read_all(client, asyncio.Event()))
            (await service.answers.get()).close()
            with pytest.raises(httpx.RemoteProtocolError):
                await reading
        missing = UnixSocketTransport(str(tmp_path / "missing"))
        async with httpx.AsyncClient(transport=missing) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get("http://localhost/")

    assert run(test()) == []
