"""Starts answers from a site's own Python code.

    from liveai import api

    answer = await api.astart("quiz", "The Moon", user=request.user)
    async for event in answer.events(): ...

    answer = api.start("quiz", "The Moon", user=request.user)
    result = answer.wait()["result"]

It is the same start as over HTTP, with the user's limits, in the user's history, and shown on the
user's other devices. A refusal is `Refused`, with a `code` of the contract.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, TypeVar

from streaming import process as processes
from streaming.access.owners import user_owner
from streaming.access.visitor import Visitor
from streaming.errors import Refused
from streaming.http.request_threads import serving_loop
from streaming.loop.bell import Bell
from streaming.process import Process
from streaming.protocol.viewer import Viewer
from streaming.refusals import refusal_of
from streaming.start_request import prepare_start

__all__ = ["Answer", "AsyncAnswer", "Refused", "astart", "start"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AsyncAnswer:
    """An answer that was started, for code on an event loop."""

    id: str
    """The stream's id: 22 URL-safe characters."""
    owner: str = field(repr=False)

    async def events(self, *, after: int = -1) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the events as the contract has them, from `start` to the terminal event.

        Args:
            after: the last `seq` already held; -1: from the beginning.

        Raises:
            Refused: `not_found`: the answer was deleted; `shutting_down`: the process ends, and the
                answer goes on elsewhere; `store_unavailable`; `invalid_cursor`.

        Leaving it stops nothing: the answer goes on.
        """
        async with _refusing() as process:
            feed = await process.manager.watch(self.id, self.owner)
            viewer, bell = Viewer(feed.window, after), Bell()
            with feed.watched(bell):
                yield viewer.open().event.to_dict()
                while not viewer.is_done:
                    for frame in viewer.take():
                        yield frame.event.to_dict()
                    if feed.is_gone:
                        raise Refused("not_found", "This stream was deleted.")
                    if not (viewer.is_done or viewer.has_more):
                        await process.connections.until_dismissed(bell.wait())

    async def wait(self) -> dict[str, Any]:
        """Wait for the end; return the document of `GET /api/streams/{id}`.

        A failed answer has ended, too: see `status` and `error`.

        Raises:
            Refused: as `events`.

        Cancelling stops the wait alone.
        """
        async with _refusing() as process:
            feed = await process.manager.watch(self.id, self.owner)
            await process.connections.until_dismissed(feed.ended())
            return await process.manager.finder.describe(feed)

    async def cancel(self) -> dict[str, Any]:
        """Stop the model; return the document when the end is logged. Idempotent.

        Raises:
            Refused: `not_found`; `store_unavailable`: the end was not seen within 5 s.
        """
        async with _refusing() as process:
            feed = await process.manager.cancel(self.id, self.owner, by="owner")
            return await process.manager.finder.describe(feed)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was started, for synchronous code. Its methods block."""

    id: str
    _answer: AsyncAnswer = field(repr=False)

    def events(self, *, after: int = -1) -> Iterator[dict[str, Any]]:
        """As `AsyncAnswer.events`."""
        events = self._answer.events(after=after)

        async def take() -> dict[str, Any] | None:
            return await anext(events, None)

        try:
            while (event := _run(take())) is not None:
                yield event
        finally:
            _run(events.aclose())

    def wait(self) -> dict[str, Any]:
        """As `AsyncAnswer.wait`."""
        return _run(self._answer.wait())

    def cancel(self) -> dict[str, Any]:
        """As `AsyncAnswer.cancel`."""
        return _run(self._answer.cancel())


async def astart(
    block: str,
    prompt: str,
    *,
    user: Any,
    options: Mapping[str, Any] | None = None,
    request_id: str | None = None,
) -> AsyncAnswer:
    """Start an answer for a user, as `POST /api/stream/ai-block/{block}` does.

    Args:
        block: the slug of a block type.
        user: of the site's user model; the answer is theirs.
        request_id: a UUID; a second start of the user with it returns the same answer.

    Raises:
        Refused: with the contract's `code`, e.g. `unknown_block`, `invalid_input`,
            `prompt_too_long`, `rate_limited`, `over_capacity`, `shutting_down`.

    Cancelling stops the wait; the start itself is still carried out.
    """
    async with _refusing() as process:
        if not getattr(user, "is_active", False):
            raise Refused("not_authenticated", "The answer needs an active user.")
        visitor = Visitor(user_owner(user.pk), user.pk, None)
        prepare = partial(prepare_start, prompt=prompt, options=options, request_id=request_id)
        prepared = await process.asking.query(prepare, visitor, block)
        started = await process.manager.start(
            visitor, prepared.new, prepared.spec, is_streaming=prepared.is_streaming
        )
        return AsyncAnswer(started.feed.stream_id, visitor.owner)


def start(
    block: str,
    prompt: str,
    *,
    user: Any,
    options: Mapping[str, Any] | None = None,
    request_id: str | None = None,
) -> Answer:
    """Do as `astart`, from synchronous code: a view, a command, a task of a queue.

    Under an ASGI server the answer is generated on the server's loop. Elsewhere it is on a loop of
    this process's own, and ends with the process: wait for it.
    """
    answer = _run(astart(block, prompt, user=user, options=options, request_id=request_id))
    return Answer(answer.id, answer)


@asynccontextmanager
async def _refusing() -> AsyncIterator[Process]:
    """Provide the loop's process, and turn expected errors into refusals."""
    try:
        yield await processes.ensure_started()
    except Exception as error:
        refused = refusal_of(error)
        if refused.code == "internal" or refused is error:
            raise
        raise refused from error


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run work on the server's loop if this thread serves one of its requests, else on ours."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run_coroutine_threadsafe(work, serving_loop() or _own_loop()).result()
    work.close()
    raise RuntimeError("This would block the event loop: use liveai.api.astart there.")


@cache
def _own_loop() -> asyncio.AbstractEventLoop:
    """Return a loop that runs as long as the process: one that ends with a call ends the answer."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="liveai-api", daemon=True).start()
    return loop
