"""The synchronous client: takes the steps of the core with httpx. `aio.py` is its twin."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
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


class Client:
    """Asks the blocks of one site. Threads may share it; close it at the end.

    Args:
        base_url: of the site, e.g. `https://ai.example`, with its path if it has one.
        token: an API token. Without one, the client is an anonymous visitor with a session of its
            own, where the site allows that.
        get_token: returns a token, instead of `token`. Called before the first call, and again when
            the site no longer accepts what it returned, in mid-answer too.
        timeout: seconds of silence after which a line counts as lost. The server says something
            every 15 s.
        patience: how it goes on after failures.
        transport: of httpx, e.g. one with certificates of its own.

    Raises:
        ValueError: an argument can't be used.
    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        get_token: Callable[[], str] | None = None,
        timeout: float = 45.0,
        *,
        patience: Patience = PATIENCE,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        access = access_of(base_url, token, has_get_token=get_token is not None)
        self._core = Core(access, patience)
        self._get_token = get_token
        self._http = httpx.Client(**settings_of(base_url, timeout), transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections. Answers go on at the server. Idempotent."""
        self._http.close()

    def ask(
        self,
        block: str,
        prompt: str | None = None,
        options: Mapping[str, Any] | None = None,
        *,
        request_id: str | None = None,
        continues: str | None = None,
        sample: str | None = None,
    ) -> Answer:
        """Return an answer, which starts when its first event is read.

        Args:
            request_id: a UUID: the same one with the same input is the same answer. Default: a new
                one, which repeats of a start whose response was lost share.
            continues: the id of an ended answer that is continued.
            sample: the name of a sample answer, instead of a prompt.
        """
        rest = {"request_id": request_id, "continues": continues, "sample": sample}
        return Answer(self, self._core.start(block, prompt, options=options, **rest))

    def stream(self, stream_id: str, *, after: int = -1) -> Answer:
        """Return an answer that exists, from its beginning or after the event with a number.

        Raises:
            ValueError: this is no id of a stream.
        """
        return Answer(self, self._core.join(require_stream_id(stream_id), after))

    def cancel(self, stream_id: str) -> None:
        """Stop a stream's model; return when it has ended. Idempotent.

        Raises:
            LiveAIError
            ValueError: this is no id of a stream.
        """
        self._call(calls.cancel_by_id(require_stream_id(stream_id)))

    def blocks(self) -> list[dict[str, Any]]:
        """Return the blocks that can be asked, each with the JSON Schema of its options.

        Raises:
            LiveAIError
        """
        return list(self._call(calls.BLOCKS)["results"])

    def history(
        self, *, status: str | None = None, block_type: str | None = None, q: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield one's answers, newest first. Reads a page at a time, as far as it is iterated.

        Raises:
            LiveAIError
        """
        filters = {"status": status, "block_type": block_type, "q": q}
        cursor: str | None = ""
        while cursor is not None:
            page = self._call(calls.history_page(filters, cursor))
            yield from page["results"]
            cursor = page["next"]

    # --- steps ---------------------------------------------------------------------

    def _call(self, request: Request) -> Any:
        return self._run(self._core.call(request))

    def _run(self, steps: Steps[T]) -> T:
        outcome: Any = None
        with closing(steps):  # an exception's traceback would keep them, and what they hold
            while True:
                try:
                    step = steps.send(outcome)
                except StopIteration as end:
                    result: T = end.value
                    return result
                outcome = self._take(step)

    def _take(self, step: Step) -> Any:
        """Take a step that needs no open line; return its outcome."""
        match step:
            case Wait(seconds):
                time.sleep(seconds)
            case GetToken():
                assert self._get_token is not None
                try:
                    return self._get_token().strip()
                except Exception as error:  # the caller's function
                    return NoToken(error)
            case Call(request):
                try:
                    return reply_of(self._http.request(**arguments_of(request)))
                except httpx.RequestError:
                    return LOST
        return None

    def _open(self, request: Request) -> _Line | Reply | Lost:
        try:
            sent = self._http.build_request(**arguments_of(request))
            response = self._http.send(sent, stream=True)
            if is_event_stream(response):
                return _Line(response)
            try:
                response.read()
            finally:
                response.close()
        except httpx.RequestError:
            return LOST
        return reply_of(response, is_stream=True)


class _Line:
    """An open event stream."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._messages = EventSource(response).iter_sse()

    def next(self) -> dict[str, Any] | Lost:
        try:
            for message in self._messages:
                if (data := data_of(message.data)) is not None:
                    return data
        except (httpx.RequestError, httpx.StreamError):
            pass
        return LOST

    def close(self) -> None:
        self._response.close()


class Answer(Held):
    """An answer as an iterator of its events, of which the last is the one `Terminal`.

    A lost line is resumed after the last event, so each event comes once. Iterate in one thread;
    `cancel` may be called from any. Leaving the loop leaves the answer running.

    Raises, while it is iterated:
        LiveAIError: the start was refused, or the server was not reached for too long.
    """

    def __init__(self, client: Client, following: Following) -> None:
        super().__init__(following)
        self._client = client
        self._events = self._follow()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        return next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self) -> Terminal:
        """Read to the end, and return it.

        Raises:
            LiveAIError: the answer failed, too.
        """
        for _ in self:
            pass
        return self._end()

    def cancel(self) -> None:
        """Stop the model itself, even before the server has answered. Read on for the `Terminal`.

        Raises:
            LiveAIError: the server refused, or was not reached.
        """
        self._client._run(self._client._core.cancel(self._following))

    def close(self) -> None:
        """Stop following; the answer goes on at the server. Idempotent."""
        self._events.close()

    def _follow(self) -> Generator[Event, None, None]:
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
                        outcome = self._client._open(request)
                        if isinstance(outcome, _Line):
                            line, outcome = outcome, OPENED
                    case Next():
                        assert line is not None
                        outcome = line.next()
                    case HangUp():
                        assert line is not None
                        line.close()
                    case _:
                        outcome = self._client._take(step)
        finally:
            steps.close()
            if line is not None:
                line.close()
