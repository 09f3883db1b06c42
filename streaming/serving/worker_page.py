"""The pages of a worker for Prometheus and probes: it serves nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..errors import Refused
from ..http.asgi_problem import send_problem
from ..http.asgi_types import Receive, Scope, Send
from ..http.health import Health
from ..process import Process

CONNECTIONS_AT_MOST = 16
HEAD_SECONDS = 10.0

_WANTS_BRACKETS = "Write HOST:PORT, e.g. 127.0.0.1:9101; IPv6: [::1]:9101."


def parse_address(text: str) -> tuple[str, int]:
    """Read `HOST:PORT`.

    Raises:
        ValueError: it is not; the message says what to write.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ValueError(_WANTS_BRACKETS)
    if host.startswith("[") and host.endswith("]"):
        return host[1:-1], int(port)
    if ":" in host:
        raise ValueError(_WANTS_BRACKETS)
    return host, int(port)


def listen(text: str) -> socket.socket:
    """Bind a socket to `HOST:PORT`.

    Raises:
        ValueError: not an address.
        OSError: it can't be bound.
    """
    host, port = parse_address(text)
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except BaseException:
        listener.close()
        raise
    return listener


class _Impatient(H11Protocol):
    """Closes a connection without a whole head in time: a few silent ones would take all places."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._await_head()

    def _await_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._close_without_head)

    def _close_without_head(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


class _Quiet(uvicorn.Server):
    """Leaves the signals to the worker."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _nothing_else(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await send_problem(send, Refused("not_found"))


@contextlib.asynccontextmanager
async def worker_page(listener: socket.socket | None, process: Process) -> AsyncIterator[None]:
    """Serve `/metrics`, `/healthz` and `/readyz` of a worker meanwhile; None: serve nothing."""
    if listener is None:
        yield
        return
    config = uvicorn.Config(
        Health(_nothing_else, process=process),
        lifespan="off",
        http=_Impatient,  # h11 bounds the head of a request
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=CONNECTIONS_AT_MOST,
        timeout_graceful_shutdown=1,
    )
    server = _Quiet(config)
    serving = asyncio.get_running_loop().create_task(
        server.serve(sockets=[listener]), context=contextvars.Context()
    )
    try:
        yield
    finally:
        server.should_exit = True
        await serving
