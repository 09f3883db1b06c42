"""The HTTP client of the OpenAI chat-completions API, around `AnswerReader`.

`openai_compatible` and `local` both use it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any, cast

import httpx

from blocks.errors import (
    GenerationError,
    ProviderInterrupted,
    ProviderRateLimited,
    ProviderTimeout,
    ProviderUnavailable,
)
from blocks.providers.base import Alive, ChatRequest, Finish, Piece, Thinking
from blocks.providers.chat.adapting import MAX_CHANGES, next_dialect
from blocks.providers.chat.answer import AnswerReader, OutOfTokens
from blocks.providers.chat.chunk import NO_USAGE, Usage
from blocks.providers.chat.connection import Connection, Unreachable, describe_failure
from blocks.providers.chat.error import UpstreamError, decode_error
from blocks.providers.chat.failure import (
    failure_of,
    retry_after_seconds,
    retry_delay_seconds,
)
from blocks.providers.chat.loggable import loggable
from blocks.providers.chat.patience import Patience, TimeLimits
from blocks.providers.chat.request import Dialect, build_body, token_limit

MAX_ERROR_BYTES = 65_536

# Transient failures, after which the same request may succeed.
_RETRYABLE = (ProviderInterrupted, ProviderRateLimited, ProviderUnavailable)


class _AttemptFailed(Exception):
    """One call failed. `status` and `refusal` are the service's reply in place of an answer."""

    def __init__(
        self,
        error: GenerationError,
        *,
        can_retry: bool,
        after: float | None = None,
        status: int | None = None,
        refusal: UpstreamError | None = None,
    ) -> None:
        self.error = error
        self.can_retry = can_retry
        self.after = after
        self.status = status
        self.refusal = refusal


class ChatCompletions:
    """One model at one server.

    Args:
        base_url: see `address.completions_urls`.
        api_key: sent as a bearer token; empty sends none.
        retries: further attempts before the first token.
        reasoning_tokens: room for reasoning on top of a request's own tokens, for models that
            reason. 0: none.
        transport: replaces TCP, e.g. with a Unix socket.
        sleep, jitter: clock and randomness, replaced in tests.

    It remembers what the server refused and whether the model reasons (`Dialect`), and asks
    accordingly from then on.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        model: str,
        limits: TimeLimits,
        retries: int = 0,
        reasoning_tokens: int = 0,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.dialect = Dialect()
        self._connection = Connection(
            base_url, api_key=api_key, connect_seconds=limits.connect, transport=transport
        )
        self._model = model
        self._limits = limits
        self._retries = retries
        self._reasoning_tokens = reasoning_tokens
        self._sleep = sleep
        self._jitter = jitter

    async def stream(
        self, request: ChatRequest, extra: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[Piece, None]:
        """As `Provider.stream`; `extra` holds product-specific members of the request."""
        begun = dialect = self.dialect
        attempt = changes = 0
        spent = NO_USAGE  # by a call whose tokens did not suffice
        while True:
            try:
                async with aclosing(self._attempt(request, dialect, extra)) as pieces:
                    kind: type[Piece] | None = None
                    async for piece in pieces:
                        if type(piece) is not kind:
                            kind = type(piece)
                            self._learn(begun, dialect, kind)
                        yield _with_usage(piece, spent) if isinstance(piece, Finish) else piece
                return
            except _AttemptFailed as failed:
                failure = failed
            # Raised outside of the handler, so that the error carries no context: httpx's errors
            # hold the request.
            adapted = self._adapted(request, dialect, failure) if changes < MAX_CHANGES else None
            if adapted is not None:
                dialect = adapted
                changes += 1
                continue
            if isinstance(failure.error, OutOfTokens) and spent is NO_USAGE:
                spent = failure.error.usage + Usage(0, 0)
                larger = self._with_more_room(request, dialect)
                if larger is not None:
                    dialect = larger
                    continue
            delay = retry_delay_seconds(attempt, failure.after, jitter=self._jitter())
            if not failure.can_retry or attempt >= self._retries or delay is None:
                raise failure.error
            attempt += 1
            await self._sleep(delay)

    async def aclose(self) -> None:
        await self._connection.aclose()

    def _learn(self, begun: Dialect, dialect: Dialect, kind: type[Piece]) -> None:
        """Remember what had to change to obtain an answer, and that its model reasons.

        Args:
            begun: the dialect at the beginning. An answer beside this one may have learned since.
        """
        if kind is Alive:
            return
        room = max(dialect.room, self.dialect.room, int(kind is Thinking))
        self.dialect = replace(self.dialect, **dialect.lasting.changes_from(begun) | {"room": room})

    def _adapted(
        self, request: ChatRequest, dialect: Dialect, failure: _AttemptFailed
    ) -> Dialect | None:
        if failure.refusal is None:
            return None
        return next_dialect(
            dialect,
            failure.refusal,
            status=failure.status,
            request=request,
            reasoning_tokens=self._reasoning_tokens,
        )

    def _with_more_room(self, request: ChatRequest, dialect: Dialect) -> Dialect | None:
        if not dialect.has_more_room:
            return None
        larger = replace(dialect, room=dialect.room + 1)
        had, has = (token_limit(request, d, self._reasoning_tokens) for d in (dialect, larger))
        return larger if has > had else None

    async def _attempt(
        self, request: ChatRequest, dialect: Dialect, extra: Mapping[str, Any] | None
    ) -> AsyncGenerator[Piece, None]:
        loop = asyncio.get_running_loop()
        patience = Patience(self._limits, loop.time(), is_whole=not dialect.is_streaming)
        body = build_body(
            self._model, request, dialect, extra, reasoning_tokens=self._reasoning_tokens
        )
        url, response = await self._open(body, request, patience.deadline)
        reader = AnswerReader(is_continued=bool(request.so_far))
        try:
            is_cut = False
            received = cast(AsyncGenerator[bytes, None], response.aiter_bytes())
            async with aclosing(received):
                while not reader.is_done:
                    try:
                        async with asyncio.timeout_at(patience.deadline):
                            data = await anext(received, None)
                    except httpx.HTTPError:
                        is_cut = True
                        break
                    except TimeoutError:
                        if not reader.ending.word:
                            raise
                        break
                    if data is None:
                        break
                    for piece in reader.feed(data):
                        yield piece
                    patience.heard(reader.ending, reader.progress, loop.time())
            for last in reader.end(is_cut=is_cut):
                yield last
        except TimeoutError:
            raise _AttemptFailed(ProviderTimeout(), can_retry=False) from None
        except GenerationError as error:
            is_before = not reader.has_begun
            if is_before and reader.error is not None:
                self._add_words(error, reader.error, request)
            raise _AttemptFailed(
                error,
                can_retry=is_before and isinstance(error, _RETRYABLE),
                after=retry_after_seconds(response.headers),
                status=reader.error.status if reader.error else None,
                refusal=reader.error if is_before else None,
            ) from None
        finally:
            if reader.has_begun:
                self._connection.keep(url)
            await response.aclose()

    async def _open(
        self, body: Mapping[str, Any], request: ChatRequest, deadline: float
    ) -> tuple[str, httpx.Response]:
        """Return the response of a service that answers, and its address."""
        try:
            urls = self._connection.urls
            async with asyncio.timeout_at(deadline):
                for url in urls:
                    response = await self._connection.post(url, body)
                    if response.is_success:
                        return url, response
                    try:
                        text = await _read_up_to(response, MAX_ERROR_BYTES)
                    finally:
                        await response.aclose()
                    if response.status_code not in (404, 405):
                        break
        except TimeoutError:
            raise _AttemptFailed(ProviderTimeout(), can_retry=False) from None
        except httpx.ConnectTimeout:
            raise _AttemptFailed(ProviderTimeout(), can_retry=True) from None
        except Unreachable as unreachable:
            raise _AttemptFailed(unreachable.error, can_retry=False) from None
        except httpx.HTTPError as error:
            unavailable = ProviderUnavailable(detail=describe_failure(error))
            raise _AttemptFailed(unavailable, can_retry=True) from None
        status, refusal = response.status_code, decode_error(text)
        failure = failure_of(status, refusal)
        self._add_words(failure, refusal, request)
        raise _AttemptFailed(
            failure,
            can_retry=isinstance(failure, (*_RETRYABLE, ProviderTimeout)),
            after=retry_after_seconds(response.headers),
            status=status,
            refusal=refusal,
        )

    def _add_words(
        self, failure: GenerationError, refusal: UpstreamError, request: ChatRequest
    ) -> None:
        """Add the service's own words to what the operator's log says."""
        redact = self._connection.redact
        words = [loggable(redact(word), request) for word in (refusal.code, refusal.param) if word]
        if words:
            failure.detail += f" It says: {' '.join(words)}."


def _with_usage(finish: Finish, spent: Usage) -> Finish:
    if spent is NO_USAGE:
        return finish
    used = Usage(finish.input_tokens, finish.output_tokens) + spent
    return Finish(finish.reason, used.input_tokens, used.output_tokens)


async def _read_up_to(response: httpx.Response, max_bytes: int) -> bytes:
    """Return the body as far as it can be read: the status counts, whatever happens to it."""
    body = bytearray()
    with suppress(httpx.HTTPError):
        async for data in response.aiter_bytes():
            body += data
            if len(body) >= max_bytes:
                break
    return bytes(body[:max_bytes])
