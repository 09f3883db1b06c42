"""The launcher: runs uvicorn from code, so that streams drain before the listener closes.

On SIGTERM plain uvicorn first closes the listener and the WebSockets, then waits for open bodies.
Only then does it signal the shutdown: too late for a drain.
"""

from __future__ import annotations

import asyncio
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
from .collector import Collector
from .descriptors import connections_at_most, raise_limit
from .forwarded import FirstScheme, ProxysIds
from .http_protocol import HttpProtocol
from .roster import BoundedState, Roster
from .websocket_protocol import WebSocketProtocol

logger = logging.getLogger(__name__)

APPLICATION = "liveai.asgi:application"

LAST_WORDS_SECONDS = 1
"""Time after the drain for `reconnect` and close frames to reach the clients."""

TICKS_PER_SECOND = 10
"""Tick rate of uvicorn's main loop."""


class Config(uvicorn.Config):
    def load(self) -> None:
        super().load()
        self.loaded_app = ProxysIds(FirstScheme(self.loaded_app))


def server_config(app: str = APPLICATION) -> uvicorn.Config:
    return Config(
        app,
        lifespan="on",
        log_config=None,  # Django configures logging
        access_log=False,  # its lines would contain prompts, which are in query strings
        http=HttpProtocol,
        ws=WebSocketProtocol,
        ws_per_message_deflate=False,  # costs a quarter more per token than it saves
        ws_max_size=MAX_BODY_BYTES,
        ws_ping_interval=20,
        ws_ping_timeout=40,  # above the 30 s after which a stalled client is closed with 1013
        timeout_graceful_shutdown=LAST_WORDS_SECONDS,
        server_header=False,
        # Peers whose X-Forwarded-For and -Proto are trusted: these set `client` and `scheme`.
        forwarded_allow_ips=settings.TRUSTED_PROXIES,
    )


class Server(uvicorn.Server):
    """Drains on a signal, then exits; a second SIGINT cuts the drain short."""

    def __init__(self, config: uvicorn.Config, *, on_listening: Callable[[], None]) -> None:
        super().__init__(config)
        self.roster = Roster(
            at_most=_connections_at_most(),
            per_address=settings.LIMIT_CONNECTIONS_PER_ADDRESS,
            requests_per_second=settings.LIMIT_REQUESTS_PER_SECOND_PER_ADDRESS,
            now=time.monotonic,
        )
        self.server_state = BoundedState(self.roster)
        self._collector = Collector()
        self._on_listening = on_listening
        self._draining: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._collector.begin()
            self._on_listening()

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_PER_SECOND == 0:
            self.roster.sweep()
            self._collector.tick()
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Not added to _captured_signals: uvicorn would raise it again and exit with 128 + signal.
        if self._draining is None:
            # Python runs signal handlers in the main thread, which is the event loop's thread.
            self._draining = asyncio.get_event_loop().create_task(self._drain())
        elif sig == signal.SIGINT:
            self._draining.cancel()

    async def _drain(self) -> None:
        logger.info("Stopping: running streams are drained, new ones are refused.")
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
    """Return LIMIT_CONNECTIONS, or fewer if the machine grants too few descriptors."""
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


def serve(
    listener: socket.socket, *, on_listening: Callable[[], None], app: str = APPLICATION
) -> bool:
    """Serve until a signal stops it; returns after the drain, with everything closed.

    Args:
        listener: a socket bound to its address.
        on_listening: called when the server accepts requests.
        app: the ASGI application as `MODULE:NAME`; a host's, wrapped by `liveai.asgi.wrap`.

    Returns:
        Whether the server started; if not, the log has the reason.
    """
    server = Server(server_config(app), on_listening=on_listening)
    server.run(sockets=[listener])
    return server.started
