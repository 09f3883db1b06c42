"""A SOCKS5 proxy that leads every name to one port of this machine."""

from __future__ import annotations

import asyncio

_NO_AUTHENTICATION = b"\x05\x00"
_CONNECTED = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00"


class SocksProxy:
    """`hosts` records the names that were asked for."""

    def __init__(self, target_port: int) -> None:
        self.hosts: list[str] = []
        self.port = 0
        self._target_port = target_port
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> SocksProxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # closes the transports

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            _, methods = await reader.readexactly(2)
            await reader.readexactly(methods)
            writer.write(_NO_AUTHENTICATION)
            *_, kind = await reader.readexactly(4)
            assert kind == 3, "a name: the proxy resolves it"
            (size,) = await reader.readexactly(1)
            self.hosts.append((await reader.readexactly(size)).decode())
            await reader.readexactly(2)
            there, back = await asyncio.open_connection("127.0.0.1", self._target_port)
            writer.write(_CONNECTED)
            try:
                await asyncio.gather(_copy(reader, back), _copy(there, writer))
            finally:
                back.close()
        finally:
            self._tasks.discard(task)
            writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()
