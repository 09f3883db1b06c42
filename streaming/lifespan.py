"""The outermost ASGI layer: starts what runs once per process, and stops it."""

from __future__ import annotations

from . import process
from .handover import ASGIApp, Receive, Scope, Send


class WithProcess:
    """Starts the process's parts with the server's lifespan; under servers without one (Daphne,
    `runserver`) with the first scope that comes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await _live(receive, send)
        await process.ensure_started()
        await self._app(scope, receive, send)


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
