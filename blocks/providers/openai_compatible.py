"""Any service that implements the OpenAI chat-completions API.

`docs/providers.md` lists the services and quirks that it is tested against.
If a service refuses a feature, the request is rewritten without it, and later requests follow suit
(`chat.request.Dialect`).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import ClassVar
from urllib.parse import urlsplit

from blocks.providers.base import ChatRequest, Piece
from blocks.providers.chat.address import address_problem
from blocks.providers.chat.completions import ChatCompletions
from blocks.providers.chat.patience import TimeLimits
from blocks.providers.config import ProviderConfig


class OpenAICompatibleProvider:
    """One model of one service.

    Args:
        model: the service's name for it.
        base_url: e.g. `http://127.0.0.1:11434/v1`; see `chat.address.completions_urls`.
        api_key: empty for services that need none; never shown.
        can_continue: whether the service can; the API offers no way to ask.
        retries: further attempts before the first token, after transient failures.
        reasoning_tokens: room for reasoning on top of a request's own tokens; 0: none.
        sleep, jitter: clock and randomness, replaced in tests.

    Usage is the service's own; None where it reports none.
    """

    is_demo: ClassVar[bool] = False

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        api_key: str = "",
        limits: TimeLimits,
        retries: int = 2,
        reasoning_tokens: int = 0,
        can_continue: bool = False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.model = model
        self.can_continue = can_continue
        self._chat = ChatCompletions(
            base_url=base_url,
            api_key=api_key,
            model=model,
            limits=limits,
            retries=retries,
            reasoning_tokens=reasoning_tokens,
            sleep=sleep,
            jitter=jitter,
        )

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        async with aclosing(self._chat.stream(request)) as pieces:
            async for piece in pieces:
                yield piece

    async def warm(self) -> None:
        """Does nothing: a service needs no preparation."""

    async def aclose(self) -> None:
        await self._chat.aclose()


def build(name: str, config: ProviderConfig) -> OpenAICompatibleProvider:
    return OpenAICompatibleProvider(
        name,
        base_url=config.base_url,
        api_key=config.api_key,
        limits=TimeLimits(config.connect_seconds, config.first_token_seconds, config.idle_seconds),
        retries=config.retries,
        reasoning_tokens=config.reasoning_tokens,
        can_continue=config.can_continue,
    )


def problem(name: str, config: ProviderConfig) -> str:
    """Describe why a model can't work; empty if nothing is known to prevent it."""
    if any(character.isspace() for character in name):
        return "A model's name at an API can't contain spaces."
    if described := address_problem(config.base_url):
        return f"{described} No model of an API can be used."
    if urlsplit(config.base_url).hostname == "api.openai.com" and not config.api_key.strip():
        return "AI_API_KEY is empty, and OpenAI's own service requires one."
    return ""
