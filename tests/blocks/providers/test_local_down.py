"""A local model tells when its process can't be kept running."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from blocks.errors import ProviderUnavailable
from blocks.providers.chat.patience import TimeLimits
from blocks.providers.config import ProviderConfig
from blocks.providers.local import MAX_DEATHS, LocalProvider
from blocks.providers.registry import ProviderPool
from tests.conftest import scripted

MODEL = "local:a.gguf"


def _find_nothing() -> Path:
    raise ProviderUnavailable("There are no weights.")


@pytest.fixture
def provider() -> LocalProvider:
    return LocalProvider("a", _find_nothing, limits=TimeLimits(1.0, 1.0, 1.0))


async def test_it_is_down_once_a_start_has_failed(provider: LocalProvider) -> None:
    pool = ProviderPool(ProviderConfig())
    pool.use(MODEL, provider)
    assert not pool.is_down(MODEL)  # nobody has asked for it yet
    await pool.warm(MODEL)
    assert pool.is_down(MODEL)


async def test_it_is_down_while_its_process_keeps_dying(provider: LocalProvider) -> None:
    provider._deaths.extend([time.monotonic()] * (MAX_DEATHS - 1))
    assert not provider.is_down
    provider._deaths.append(time.monotonic())
    assert provider.is_down


async def test_a_model_without_a_process_or_without_a_provider_is_not_down() -> None:
    pool = ProviderPool(ProviderConfig())
    pool.use("scripted:x", scripted("a"))
    assert not pool.is_down("scripted:x")
    assert not pool.is_down("openai:never-asked")
    assert pool.models == set()
