"""An answer that this process generates, or its workers, as the client shows those of a server."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Self

from liveai.client import Event, LiveAIError
from liveai.client.state import AnswerState
from streaming.access.owners import anonymous_owner, user_owner
from streaming.access.sessions import id_of, new_secret
from streaming.access.visitor import Visitor
from streaming.errors import Refused
from streaming.event_log.base import LogUnavailable
from streaming.loop.bell import Bell
from streaming.process import Process
from streaming.protocol.codes import REFUSALS
from streaming.protocol.viewer import Viewer
from streaming.refusals import refusal_of
from streaming.start_request import Prepared
from streaming.watching.hub import Feed


def visitor_here(user_id: object | None) -> Visitor:
    """Return who asks on this machine: a user, or an anonymous visitor without an address."""
    if user_id is not None:
        return Visitor(user_owner(user_id), user_id, None)
    session_id = id_of(new_secret())
    return Visitor(anonymous_owner(session_id), None, session_id)


def error_here(error: Exception) -> LiveAIError:
    """Return what a client would raise where the server refuses for this reason."""
    refused = refusal_of(error)
    code = REFUSALS[refused.code]
    wait_seconds = refused.retry_after_seconds
    return LiveAIError(
        refused.code, refused.message, wait_seconds, status=code.status, retryable=code.retryable
    )


class AnswerHere:
    """An answer as an asynchronous iterator of its events, like `AsyncAnswer`.

    Its process lives as long as the iteration. Closing it early cancels the answer: nobody would go
    on with it.
    """

    def __init__(self, visitor: Visitor, prepared: Prepared) -> None:
        self.state = AnswerState()
        self._visitor = visitor
        self._prepared = prepared
        self._process: Process | None = None
        self._is_cancelled_early = False
        self._shown = self._run()

    async def cancel(self) -> None:
        """Stop the model. Read on for the `Terminal`.

        Raises:
            LiveAIError
        """
        if self._process is None or self.state.stream_id is None:
            self._is_cancelled_early = True  # it is stopped as soon as it has started
            return
        manager, stream_id = self._process.manager, self.state.stream_id
        try:
            await manager.cancel(stream_id, self._visitor.owner, by="owner")
        except Refused as refused:
            raise error_here(refused) from None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        return await anext(self._shown)

    async def aclose(self) -> None:
        """End the process, and the answer with it. Idempotent."""
        await self._shown.aclose()

    async def _run(self) -> AsyncGenerator[Event, None]:
        try:
            self._process = process = await Process.begin()
        except LogUnavailable as error:
            raise error_here(error) from None
        try:
            feed = await self._start(process)
            try:
                async for event in self._events(feed):
                    yield event
            finally:
                if self.state.terminal is None:
                    await self.cancel()
        finally:
            await process.aclose()

    async def _start(self, process: Process) -> Feed:
        new, spec = self._prepared.new, self._prepared.spec
        is_streaming = self._prepared.is_streaming
        try:
            started = await process.manager.start(
                self._visitor, new, spec, is_streaming=is_streaming
            )
        except (Refused, LogUnavailable) as error:
            raise error_here(error) from None
        return started.feed

    async def _events(self, feed: Feed) -> AsyncIterator[Event]:
        viewer, bell = Viewer(feed.window, -1), Bell()
        frames = [viewer.open()]
        with feed.watched(bell):
            while self.state.terminal is None:
                for frame in frames:
                    if event := self.state.apply(frame.event.to_dict()):
                        yield event
                if self._is_cancelled_early:
                    self._is_cancelled_early = False
                    await self.cancel()
                frames = viewer.take()
                if not frames and self.state.terminal is None:
                    if feed.is_gone:
                        raise LiveAIError("not_found", "The answer was deleted.", status=404)
                    await bell.wait()
