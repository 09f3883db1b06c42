"""The asynchronous client: takes the steps of the core with httpx. `sync.py` is its twin."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import closing
from typing import Any, Self, TypeVar

import httpx
from httpx_sse import EventSource

from . import calls
from .backoff import PATIENCE, Patience
from .core import Core, Held
from .events import Event, Terminal
from .following import Following
from .http import (
    access_of,
    arguments_of,
    data_of,
    is_event_stream,
    reply_of,
    require_stream_id,
    settings_of,
)
from .steps import (
    LOST,
    OPENED,
    Call,
    Emit,
    GetToken,
    HangUp,
    Lost,
    Next,
    NoToken,
    Open,
    Reply,
    Request,
    Step,
    Steps,
    Wait,
)

T = TypeVar("T")


class AsyncClient:
    """Asks the blocks of one site, on one event loop. Close it at the end.

    Args: as `Client` has them; `get_token` may be a coroutine function.

    Raises:
        ValueError: an argument can't be used.
    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        get_token: Callable[[], str | Awaitable[str]] | None = None,
        timeout: float = 45.0,
        *,
        patience: Patience = PATIENCE,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        access = access_of(base_url, token, has_get_token=get_token is not None)
        self._core = Core(access, patience)
        self._get_token = get_token
        self._http = httpx.AsyncClient(**settings_of(base_url, timeout), transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections. Answers go on at the server. Idempotent."""
        await self._http.aclose()

    def ask(
        self,
        block: str,
        prompt: str | None = None,
        options: Mapping[str, Any] | None = None,
        *,
        request_id: str | None = None,
        continues: str | None = None,
        sample: str | None = None,
    ) -> AsyncAnswer:
        """Return an answer, which starts when its first event is read.

        Args:
            request_id: a UUID: the same one with the same input is the same answer. Default: a new
                one, which repeats of a start whose response was lost share.
            continues: the id of an ended answer that is continued.
            sample: the name of a sample answer, instead of a prompt.
        """
        rest = {"request_id": request_id, "continues": continues, "sample": sample}
        return AsyncAnswer(self, self._core.start(block, prompt, options=options, **rest))

    def stream(self, stream_id: str, *, after: int = -1) -> AsyncAnswer:
        """Return an answer that exists, from its beginning or after the event with a number.

        Raises:
            ValueError: this is no id of a stream.
        """
        return AsyncAnswer(self, self._core.join(require_stream_id(stream_id), after))

    async def cancel(self, stream_id: str) -> None:
        """Stop a stream's model; return when it has ended. Idempotent.

        Raises:
            LiveAIError
            ValueError: this is no id of a stream.
        """
        await self._call(calls.cancel_by_id(require_stream_id(stream_id)))

    async def blocks(self) -> list[dict[str, Any]]:
        """Return the blocks that can be asked, each with the JSON Schema of its options.

        Raises:
            LiveAIError
        """
        return list((await self._call(calls.BLOCKS))["results"])

    async def history(
        self, *, status: str | None = None, block_type: str | None = None, q: str | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield one's answers, newest first. Reads a page at a time, as far as it is iterated.

        Raises:
            LiveAIError
        """
        filters = {"status": status, "block_type": block_type, "q": q}
        cursor: str | None = ""
        while cursor is not None:
            page = await self._call(calls.history_page(filters, cursor))
            for each in page["results"]:
                yield each
            cursor = page["next"]

    # --- steps ---------------------------------------------------------------------

    async def _call(self, request: Request) -> Any:
        return await self._run(self._core.call(request))

    async def _run(self, steps: Steps[T]) -> T:
        outcome: Any = None
        with closing(steps):  # an exception's traceback would keep them, and what they hold
            while True:
                try:
                    step = steps.send(outcome)
                except StopIteration as end:
                    result: T = end.value
                    return result
                outcome = await self._take(step)

    async def _take(self, step: Step) -> Any:
        """Take a step that needs no open line; return its outcome."""
        match step:
            case Wait(seconds):
                await asyncio.sleep(seconds)
            case GetToken():
                assert self._get_token is not None
                try:
                    token = self._get_token()
                    return (await token if inspect.isawaitable(token) else token).strip()
                except Exception as error:  # the caller's function
                    return NoToken(error)
            case Call(request):
                try:
                    return reply_of(await self._http.request(**arguments_of(request)))
                except httpx.RequestError:
                    return LOST
        return None

    async def _open(self, request: Request) -> _Line | Reply | Lost:
        try:
            sent = self._http.build_request(**arguments_of(request))
            response = await self._http.send(sent, stream=True)
            if is_event_stream(response):
                return _Line(response)
            try:
                await response.aread()
            finally:
                await response.aclose()
        except httpx.RequestError:
            return LOST
        return reply_of(response, is_stream=True)


class _Line:
    """An open event stream."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._messages = EventSource(response).aiter_sse()

    async def next(self) -> dict[str, Any] | Lost:
        try:
            async for message in self._messages:
                if (data := data_of(message.data)) is not None:
                    return data
        except (httpx.RequestError, httpx.StreamError):
            pass
        return LOST

    async def aclose(self) -> None:
        await self._messages.aclose()
        await self._response.aclose()


class AsyncAnswer(Held):
    """An answer as an asynchronous iterator of its events; see `Answer`.

    Iterate in one task; `cancel` may be called from any. Cancelling the task leaves the answer
    running.

    Raises, while it is iterated:
        LiveAIError: the start was refused, or the server was not reached for too long.
    """

    def __init__(self, client: AsyncClient, following: Following) -> None:
        super().__init__(following)
        self._client = client
        self._events = self._follow()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        return await anext(self._events)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def read(self) -> Terminal:
        """Read to the end, and return it.

        Raises:
            LiveAIError: the answer failed, too.
        """
        async for _ in self:
            pass
        return self._end()

    async def cancel(self) -> None:
        """Stop the model itself, even before the server has answered. Read on for the `Terminal`.

        Raises:
            LiveAIError: the server refused, or was not reached.
        """
        await self._client._run(self._client._core.cancel(self._following))

    async def aclose(self) -> None:
        """Stop following; the answer goes on at the server. Idempotent."""
        await self._events.aclose()

    async def _follow(self) -> AsyncGenerator[Event, None]:
        steps = self._following.steps()
        line: _Line | None = None
        outcome: Any = None
        try:
            while True:
                try:
                    step = steps.send(outcome)
                except StopIteration:
                    return
                outcome = None
                match step:
                    case Emit(event):
                        yield event
                    case Open(request):
                        outcome = await self._client._open(request)
                        if isinstance(outcome, _Line):
                            line, outcome = outcome, OPENED
                    case Next():
                        assert line is not None
                        outcome = await line.next()
                    case HangUp():
                        assert line is not None
                        await line.aclose()
                    case _:
                        outcome = await self._client._take(step)
        finally:
            steps.close()
            if line is not None:
                await line.aclose()
