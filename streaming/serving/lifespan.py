"""The outermost ASGI layer: starts and stops the process-wide parts."""

from __future__ import annotations

import logging

from django.db import DatabaseError, InterfaceError

from .. import process
from ..errors import Refused
from ..http.asgi_problem import send_problem
from ..http.asgi_types import ASGIApp, Receive, Scope, Send
from ..protocol.codes import CLOSE_BROKEN

logger = logging.getLogger(__name__)


class WithProcess:
    """Starts the process's parts with the server's lifespan.

    Servers without a lifespan (Daphne, `runserver`) start them with the first scope.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await _live(receive, send)
        try:
            await process.ensure_started()
        except (DatabaseError, InterfaceError):
            logger.warning("The process can't start: the database can't be reached.")
            return await _refuse(scope, receive, send)
        await self._app(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": CLOSE_BROKEN})
        return
    await send_problem(send, Refused("store_unavailable", retry_after_seconds=2))


async def _live(receive: Receive, send: Send) -> None:
    await receive()
    try:
        await process.ensure_started()
    except Exception as error:
        await send(
            {"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"}
        )
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await process.stop()
    await send({"type": "lifespan.shutdown.complete"})
