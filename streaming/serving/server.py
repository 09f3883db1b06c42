"""Our launcher: uvicorn in code, so that streams are drained before its listener closes.

By itself uvicorn closes listener and WebSockets first on SIGTERM, waits for open bodies, and only
then says shutdown: too late for a drain.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType

import uvicorn
from django.conf import settings

from .. import process
from ..http.request_phase import MAX_BODY_BYTES
from .descriptors import connections_at_most, raise_limit
from .http_protocol import HttpProtocol
from .roster import BoundedState, Roster
from .websocket_protocol import WebSocketProtocol

logger = logging.getLogger(__name__)

LAST_WORDS_SECONDS = 1
"""For `reconnect` and close frames on their way out, after the drain."""

GARBAGE_EVERY = 10_000
"""Objects made between two passes of the collector over the youngest."""

TICKS_PER_SECOND = 10
"""uvicorn's own ticks."""


def server_config(app: str = "liveai.asgi:application") -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="on",
        log_config=None,  # Django's logging
        access_log=False,  # its lines would hold prompts: they stand in query strings
        http=HttpProtocol,
        ws=WebSocketProtocol,
        ws_per_message_deflate=False,  # costs a quarter more per token than it saves
        ws_max_size=MAX_BODY_BYTES,
        ws_ping_interval=20,
        ws_ping_timeout=40,  # above the 30 s after which a stalled client is told 1013
        timeout_graceful_shutdown=LAST_WORDS_SECONDS,
        server_header=False,
        # Whose X-Forwarded-For and -Proto are believed: they set `client` and `scheme`.
        forwarded_allow_ips=settings.TRUSTED_PROXIES,
    )


class Server(uvicorn.Server):
    """Drains, then exits; a second SIGINT cuts the drain short."""

    def __init__(self, config: uvicorn.Config, *, on_listening: Callable[[], None]) -> None:
        super().__init__(config)
        self.roster = Roster(
            at_most=_connections_at_most(),
            per_address=settings.LIMIT_CONNECTIONS_PER_ADDRESS,
            now=time.monotonic,
        )
        self.server_state = BoundedState(self.roster)
        self._on_listening = on_listening
        self._draining: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            _spare_the_collector()
            self._on_listening()

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_PER_SECOND == 0:
            self.roster.sweep()
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Not kept in _captured_signals: uvicorn would raise it again and exit with 128 + signal.
        if self._draining is None:
            # Python runs signal handlers between two steps of the main thread, the loop's.
            self._draining = asyncio.get_event_loop().create_task(self._drain())
        elif sig == signal.SIGINT:
            self._draining.cancel()

    async def _drain(self) -> None:
        logger.info("Stopping: running streams may end, new ones are refused.")
        try:
            await (await process.ensure_started()).drain()
        except asyncio.CancelledError:
            logger.info("Stopping at once.")
            await (await process.ensure_started()).drain_at_once()
        except Exception:
            logger.exception("The drain failed.")
        finally:
            self.should_exit = True


def _connections_at_most() -> int:
    """LIMIT_CONNECTIONS, or fewer where the machine grants too few descriptors for that."""
    wanted, descriptors = settings.LIMIT_CONNECTIONS, raise_limit()
    at_most = connections_at_most(
        wanted, descriptors=descriptors, running=settings.STREAM_MAX_RUNNING
    )
    if wanted and at_most < wanted:
        logger.warning(
            "At most %d connections, not %d (LIMIT_CONNECTIONS): there are %d file descriptors.",
            at_most,
            wanted,
            descriptors,
        )
    return at_most


def _spare_the_collector() -> None:
    """Take all that was loaded until now out of the garbage collector's sight, and let it run less
    often: each full pass would stop every stream for as long as it takes to walk through Django.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_EVERY, 20, 20)


def serve(listener: socket.socket, *, on_listening: Callable[[], None]) -> bool:
    """Serve until a signal says stop; returns when all is drained and closed.

    Args:
        listener: bound to its address.
        on_listening: called when requests are accepted.

    Returns:
        Whether it came so far; the log says why not.
    """
    server = Server(server_config(), on_listening=on_listening)
    server.run(sockets=[listener])
    return server.started
