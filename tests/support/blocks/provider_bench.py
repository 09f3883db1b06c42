"""A provider of OpenAI's chat completions and its service, on one bench."""

from typing import Any

from blocks.providers.chat.patience import TimeLimits
from blocks.providers.openai_compatible import OpenAICompatibleProvider
from tests.contracts.provider_contract import REQUEST
from tests.support.blocks.upstream import Behaviour, Upstream

CANARY = "sk-canary-0123456789abcdef"
LIMITS = TimeLimits(connect=20, first_token=5, idle=5)  # a busy machine may pause for seconds


class Bench:
    """A provider and its service; delays are recorded instead of awaited."""

    request = REQUEST

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.waits: list[float] = []
        self.made: list[OpenAICompatibleProvider] = []

    def provider(self, *, limits: TimeLimits = LIMITS, retries: int = 2, **more: Any):
        async def sleep(seconds: float) -> None:
            self.waits.append(seconds)

        settings: dict[str, Any] = {"base_url": self.upstream.base_url, "api_key": CANARY, **more}
        provider = OpenAICompatibleProvider(
            "test-model",
            limits=limits,
            retries=retries,
            sleep=sleep,
            jitter=lambda: 1.0,
            **settings,
        )
        self.made.append(provider)
        return provider

    # --- the stage of the contract ---

    async def answering(self):
        self.upstream.plan(Behaviour(continues=True))
        return self.provider(can_continue=True)

    async def silent(self):
        self.upstream.plan(Behaviour(fault="silent"))
        return self.provider(), REQUEST

    async def endless(self):
        self.upstream.plan(Behaviour(fault="stall"))
        return self.provider(), REQUEST

    async def failing(self):
        self.upstream.plan(Behaviour(status=401, body=b'{"error": "http://secret/ {key}"}'))
        return self.provider()

    async def asked(self):
        await self.upstream.until(lambda u: u.open_calls == 1)

    async def stopped(self):
        await self.upstream.until(lambda u: u.closed_early == 1 and u.open_calls == 0)
