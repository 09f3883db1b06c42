"""The SSE body of a preview. The preview ends with it: when the client leaves, or is cut off."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from blocks.spec import BlockSpec

from ..access.rights import Right
from ..access.visitor import Visitor
from ..admission.one_each import Turn
from ..database.store import new_stream_id
from ..http.handover import BodyCut
from ..limits import Subjects
from ..process import Process
from ..protocol.frames import SSE_COMMENT
from ..watching.connection import Connection
from .admission import charge
from .providers import providers_for
from .run import PreviewRun
from .runs import RUNS

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Preview:
    """What is to be previewed, by whom, and what it counts for."""

    visitor: Visitor
    subjects: Subjects
    spec: BlockSpec
    prompt: str
    options: dict[str, Any]
    kept_models: Collection[str]


async def preview_body(
    process: Process,
    preview: Preview,
    turn: Turn,
    send: Callable[[bytes], Awaitable[None]] | None = None,
    *,
    right: Callable[[], Right | None] = lambda: None,
) -> AsyncGenerator[bytes, None]:
    """Yield a preview's events; with `send`, pass them to that and yield nothing.

    Starts the model on its first step. Ends after the terminal event; with an `error` if the
    server restarts, the connection is old, or the session has ended; with `cancelled` if the admin
    stops everything. A client that leaves closes it, and with it the model.

    Raises only what `send` raises; with `send`, also `BodyCut` if the client does not read.

    Args:
        turn: given back when the model has stopped.
        right: see `event_stream`.
    """
    turn.begin()
    connection = process.connections.open(right())
    connection.task = asyncio.current_task()
    run = PreviewRun(
        preview.spec,
        preview.prompt,
        preview.options,
        stream_id=new_stream_id(),
        max_events=settings.STREAM_MAX_EVENTS,
        deadline_seconds=settings.STREAM_DEADLINE_SECONDS,
        bell=connection.bell,
        now=process.now,
    )
    running = RUNS.start(preview.visitor.owner, _run(process, preview, run, turn))
    process.on_switches.add(run.obey)
    run.obey(process.switches)  # they may have changed since the admission
    try:
        while True:
            _look(connection, run)
            part = run.take()
            if not part:
                if run.is_over:
                    return
                if connection.duty == "ping" and not connection.bell.is_rung:
                    connection.duty, part = "", SSE_COMMENT
                else:
                    await connection.bell.wait()
                    continue
            connection.is_sending = True
            if send is None:
                yield part
            else:
                await send(part)
            connection.is_sending = False
            connection.sends += 1
    except asyncio.CancelledError:
        if not connection.is_stalled or send is None:
            raise
        if connection.task is not None:
            connection.task.uncancel()
        raise BodyCut from None
    except Exception:
        if connection.is_sending:
            raise
        logger.exception("The body of a preview crashed.")
    finally:
        process.on_switches.discard(run.obey)
        process.connections.discard(connection)
        running.cancel()


def _look(connection: Connection, run: PreviewRun) -> None:
    if connection.has_lost_right:
        run.cut("unauthorized")
    elif connection.duty == "end":
        run.cut("shutting_down")


async def _run(process: Process, preview: Preview, run: PreviewRun, turn: Turn) -> None:
    """Run the model, then count what it has used. Cancelling stops the model first."""
    try:
        async with providers_for(process, preview.spec.model, preview.kept_models) as pool:
            await run.run(pool)
    finally:
        turn.end()
        # A task of its own: the body, which ends with the last event, cancels this one.
        charging = charge(process, preview.visitor, preview.subjects, run.tokens)
        await asyncio.shield(RUNS.keep(charging))
