"""The HTTP client of the OpenAI chat-completions API, around `AnswerReader`.

`openai_compatible` and `local` both use it.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

import httpx

from blocks.errors import (
    GenerationError,
    ProviderInterrupted,
    ProviderMalformed,
    ProviderRateLimited,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from blocks.providers.base import ChatRequest, Piece
from blocks.providers.chat_answer import AnswerReader
from blocks.providers.chat_decoder import decode_error
from blocks.providers.chat_failure import (
    failure_of,
    retry_after_seconds,
    retry_delay_seconds,
)
from blocks.providers.chat_request import Dialect, build_body, next_dialect
from blocks.providers.key_redaction import KeyRedaction

TAIL_SECONDS = 2.0  # limit for `[DONE]`, once the service has sent its finish reason and usage
MAYBE_OVER_IDLES = 4  # limit, in idle limits, while comments prolong a finishing answer
MAX_ERROR_BYTES = 65_536

# Transient failures, after which the same request may succeed.
_RETRYABLE = (ProviderInterrupted, ProviderRateLimited, ProviderUnavailable)


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """In seconds."""

    connect: float
    first_token: float  # silence before the first text or reasoning
    idle: float  # silence after it; comments and empty deltas end the silence


class _AttemptFailed(Exception):
    def __init__(self, error: GenerationError, *, can_retry: bool, after: float | None = None):
        self.error = error
        self.can_retry = can_retry
        self.after = after


class ChatCompletions:
    """One model at one server.

    Args:
        base_url: up to and without `/chat/completions`.
        api_key: sent as a bearer token; empty sends none.
        retries: further attempts before the first token.
        transport: replaces TCP, e.g. with a Unix socket.
        sleep, jitter: clock and randomness, replaced in tests.

    It remembers the features that the server refused (`Dialect`), and no longer sends them.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        model: str,
        limits: TimeLimits,
        retries: int = 0,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.dialect = Dialect()
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._api_key = api_key.strip()
        self._model = model
        self._limits = limits
        self._retries = retries
        self._transport = transport
        self._sleep = sleep
        self._jitter = jitter
        self._redaction = KeyRedaction(self._api_key)
        self._client: httpx.AsyncClient | None = None

    async def stream(
        self, request: ChatRequest, extra: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[Piece, None]:
        """As `Provider.stream`; `extra` holds product-specific members of the request."""
        attempt = 0
        while True:
            try:
                async with aclosing(self._attempt(request, extra)) as pieces:
                    async for piece in pieces:
                        yield piece
                return
            except _AttemptFailed as failed:
                failure = failed
            # Raised outside of the handler, so that the error carries no context: httpx's errors
            # hold the request.
            delay = retry_delay_seconds(attempt, failure.after, jitter=self._jitter())
            if not failure.can_retry or attempt >= self._retries or delay is None:
                raise failure.error
            attempt += 1
            await self._sleep(delay)

    async def aclose(self) -> None:
        client, self._client = self._client, None
        self._redaction.remove()
        if client is not None:
            await client.aclose()

    async def _attempt(
        self, request: ChatRequest, extra: Mapping[str, Any] | None
    ) -> AsyncGenerator[Piece, None]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._limits.first_token
        response, dialect = await self._open(request, extra, deadline)
        reader = AnswerReader(
            seeks_json=request.schema is not None and not dialect.has_response_format,
            may_be_empty=bool(request.so_far),
        )
        try:
            content_type = response.headers.get("content-type", "").lower()
            if content_type.startswith("text/html"):
                raise ProviderMalformed(
                    detail="AI_BASE_URL leads to a web page, not to a model's service."
                )
            is_cut = False
            patience_ends = deadline
            received = cast(AsyncGenerator[bytes, None], response.aiter_bytes())
            async with aclosing(received):
                while not reader.is_done:
                    try:
                        async with asyncio.timeout_at(deadline):
                            data = await anext(received, None)
                    except httpx.HTTPError:
                        is_cut = True
                        break
                    except TimeoutError:
                        if not reader.is_finishing:
                            raise
                        break
                    if data is None:
                        break
                    was_finishing, was_final = reader.is_finishing, reader.is_final
                    for piece in reader.feed(data):
                        yield piece
                    # Deadlines start here, so that the consumer's own time does not count against
                    # the service. Comments and empty deltas count as life. After a final finish
                    # reason only the end counts. If the finish reason may not be final, comments
                    # still count for a limited time.
                    now, limits = loop.time(), self._limits
                    if not (was_final and reader.is_final):
                        deadline = now + (limits.idle if reader.has_begun else limits.first_token)
                    if reader.is_finishing:
                        if not was_finishing:
                            patience_ends = now + MAYBE_OVER_IDLES * limits.idle
                        deadline = min(deadline, patience_ends)
                    if reader.is_summed_up:
                        deadline = min(deadline, now + TAIL_SECONDS)
            for last in reader.end(is_cut=is_cut):
                yield last
        except TimeoutError:
            raise _AttemptFailed(ProviderTimeout(), can_retry=False) from None
        except httpx.HTTPError:
            raise _AttemptFailed(ProviderInterrupted(), can_retry=True) from None
        except GenerationError as error:
            can_retry = isinstance(error, _RETRYABLE) and not reader.has_begun
            raise _AttemptFailed(error, can_retry=can_retry) from None
        finally:
            await response.aclose()

    async def _open(
        self, request: ChatRequest, extra: Mapping[str, Any] | None, deadline: float
    ) -> tuple[httpx.Response, Dialect]:
        """Return the response with status 200, and the dialect that obtained it."""
        dialect = self.dialect
        while True:
            body = build_body(self._model, request, dialect, extra)
            try:
                async with asyncio.timeout_at(deadline):
                    response = await self._send(body)
                    if response.status_code == 200:
                        self.dialect = dialect
                        return response, dialect
                    try:
                        text = await _read_up_to(response, MAX_ERROR_BYTES)
                    finally:
                        await response.aclose()
            except httpx.ConnectTimeout:
                raise _AttemptFailed(ProviderTimeout(), can_retry=True) from None
            except TimeoutError:
                raise _AttemptFailed(ProviderTimeout(), can_retry=False) from None
            except (httpx.UnsupportedProtocol, httpx.InvalidURL):
                rejected = ProviderRejected(
                    detail="AI_BASE_URL is not an address that can be used."
                )
                raise _AttemptFailed(rejected, can_retry=False) from None
            except httpx.HTTPError as error:
                name = type(error).__name__
                unavailable = ProviderUnavailable(detail=f"The server is unreachable ({name}).")
                raise _AttemptFailed(unavailable, can_retry=True) from None
            status, refusal = response.status_code, decode_error(text)
            adapted = next_dialect(
                dialect, refusal, status=status, has_schema=request.schema is not None
            )
            if adapted is None:
                failure = failure_of(status, refusal)
                words = [self._loggable(word) for word in (refusal.code, refusal.param) if word]
                if words:
                    failure.detail += f" It says: {' '.join(words)}."
                raise _AttemptFailed(
                    failure,
                    can_retry=isinstance(failure, (*_RETRYABLE, ProviderTimeout)),
                    after=retry_after_seconds(response.headers),
                )
            dialect = adapted

    async def _send(self, body: Mapping[str, Any]) -> httpx.Response:
        if self._client is None:
            self._client = self._connect()
        request = self._client.build_request("POST", self._url, json=body)
        return await self._client.send(request, stream=True)

    def _connect(self) -> httpx.AsyncClient:
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
        if self._api_key:
            if not (self._api_key.isascii() and self._api_key.isprintable()):
                error = ProviderRejected(detail="AI_API_KEY has a character that no key has.")
                raise _AttemptFailed(error, can_retry=False)
            headers["Authorization"] = f"Bearer {self._api_key}"
        self._redaction.install()
        return httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(None, connect=self._limits.connect),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
            transport=self._transport,
            trust_env=self._transport is None,  # a proxy is for outgoing connections only
            follow_redirects=False,  # the key stays with the configured server
        )

    def _loggable(self, word: str) -> str:
        """Strip a service's error word of anything it may echo: our key, a prompt, line ends."""
        return re.sub(r"[^\w.\[\]-]", "", self._redaction.redact(word))[:60] or "-"


async def _read_up_to(response: httpx.Response, max_bytes: int) -> bytes:
    body = bytearray()
    async for data in response.aiter_bytes():
        body += data
        if len(body) >= max_bytes:
            break
    return bytes(body[:max_bytes])
