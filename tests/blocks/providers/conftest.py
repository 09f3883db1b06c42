"""A bench for tests of a provider and its service."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.blocks.provider_bench import Bench
from tests.support.blocks.upstream import Upstream


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    async with Upstream() as upstream:
        bench = Bench(upstream)
        yield bench
        for provider in bench.made:
            await provider.aclose()
