"""The providers of previews: the site's own, or one for this preview alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from blocks.providers.registry import ProviderConfig, ProviderPool

from ..process import Process


@asynccontextmanager
async def providers_for(
    process: Process, model: str, kept: Collection[str]
) -> AsyncIterator[ProviderPool]:
    """Give the pool that has a model.

    Args:
        kept: the models that the site keeps; `blocks.catalog.models_in_use`. Others are closed
            every few seconds, so a preview of one has a pool of its own, which ends with it.
    """
    if model in kept:
        yield process.providers
        return
    pool = ProviderPool(ProviderConfig.from_settings())
    try:
        yield pool
    finally:
        await pool.aclose()
