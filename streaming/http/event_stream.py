"""The SSE body: a viewer's frames as bytes, with heartbeats, until the stream's end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial

from ..access.rights import Right
from ..loop.log_ids import of_stream
from ..metrics.counted import RESUMES, VIEWERS
from ..process import Process
from ..protocol import events
from ..protocol.encoder import Encoder, Voided
from ..protocol.frames import RETRY_MS, SSE_COMMENT, Frame, encode_sse
from ..protocol.viewer import Viewer
from ..watching.connection import Connection
from ..watching.hub import Feed
from .handover import BodyBroken, BodyCut

logger = logging.getLogger(__name__)

_VIEWERS, _RESUMES = VIEWERS.labels("sse"), RESUMES.labels("sse")


async def event_stream(
    process: Process,
    feed: Feed,
    viewer: Viewer,
    send: Callable[[bytes], Awaitable[None]] | None = None,
    *,
    right: Callable[[], Right | None] = lambda: None,
    counts_as: str = "",
    encoder: Encoder | None = None,
) -> AsyncGenerator[bytes, None]:
    """Yield a viewer's encoded frames; with `send`, pass them to that and yield nothing.

    Attaches to the feed on its first step, so that a response which is never sent leaks nothing.
    Ends after the terminal event. Ends after `reconnect` if the server restarts, the connection is
    old, the feed is dropped, or the session that opened it has ended.

    Raises only what `send` raises, since some servers hang for good on other exceptions; with
    `send`, also `BodyCut` if the client does not read. With an encoder, raises `BodyBroken`
    wherever the body would end without the terminal event: its clients take a clean end for the
    whole answer. Touches no database: the request thread is no longer available.

    Args:
        right: returns the session that admitted the client. Called on the first step, when a new
            session has its key.
        counts_as: the owner whose viewers it counts among; default: the stream's.
        encoder: writes the events in another dialect than our own.
    """
    connection = process.connections.open(right(), owner=counts_as or feed.row.owner)
    del right  # it holds the request's session
    connection.task = asyncio.current_task()
    bell = connection.bell
    feed.attach(bell)
    _VIEWERS.inc()
    if viewer.cursor >= 0:
        _RESUMES.inc()
    try:
        if encoder is None and (push := getattr(send, "push", None)):
            bell.shortcut = partial(push, partial(_take_in_step, connection, feed, viewer))
        bell.ring()  # frames may already be pending
        ready = _encoded([viewer.open()], encoder)
        is_last = False
        while True:
            connection.is_sending = True
            if send is None:
                yield ready
            else:
                await send(ready)
            connection.is_sending = False
            connection.sends += 1
            if viewer.is_done or is_last:
                return
            ready = b""
            while not ready:
                if connection.has_lost_right:
                    ready, is_last = _goodbye(feed, encoder), True
                    break
                if not viewer.has_more:
                    if (connection.duty or feed.is_gone) and not bell.is_rung:
                        if connection.duty == "ping":
                            connection.duty = ""
                            ready = SSE_COMMENT if encoder is None else encoder.heartbeat
                        else:
                            ready, is_last = _goodbye(feed, encoder), True
                        break
                    await bell.wait()
                ready = _encoded(viewer.take(), encoder)
    except asyncio.CancelledError:
        if not connection.is_stalled or send is None:
            raise
        # `Connections.check` cancelled it.
        if connection.task is not None:
            connection.task.uncancel()
        raise BodyCut from None
    except (BodyBroken, Voided):
        raise BodyBroken from None
    except Exception:
        if connection.is_sending:
            raise
        # The body ends without a terminal event, so the client resumes.
        with of_stream(feed.stream_id):
            logger.exception("The viewer of stream %s crashed.", feed.stream_id)
        if encoder is not None:
            raise BodyBroken from None
    finally:
        _VIEWERS.dec()
        feed.detach(bell)
        process.connections.discard(connection)


def _take_in_step(connection: Connection, feed: Feed, viewer: Viewer) -> bytes | None:
    """Take the next frames past the waiting task; None if the task has to wake."""
    if feed.is_gone or connection.is_due:
        return None
    taken = viewer.sse_in_step()
    if taken:
        connection.sends += 1
    return taken


def _encoded(frames: list[Frame], encoder: Encoder | None) -> bytes:
    if encoder is None:
        return b"".join([frame.sse for frame in frames])
    return b"".join([encoder.encode(frame.event) for frame in frames])


def _goodbye(feed: Feed, encoder: Encoder | None) -> bytes:
    """Return the event that makes the client resume; other dialects have none.

    Raises:
        BodyBroken
    """
    if encoder is not None:
        raise BodyBroken
    return encode_sse(events.reconnect(feed.stream_id, retry_ms=RETRY_MS))
