"""The available kinds of providers, and the pool of providers that a process uses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from importlib import import_module

from blocks.errors import GenerationError, ProviderRejected
from blocks.providers.base import OwnsProcess, Provider
from blocks.providers.config import ProviderConfig

__all__ = ["KINDS", "ProviderConfig", "ProviderPool", "model_problem", "parse_model"]

logger = logging.getLogger(__name__)

# kind → module, imported on first use. Each module has `build(name, config) -> Provider` and
# `problem(name, config) -> str`, which describes why a model can't work.
KINDS = {
    "local": "blocks.providers.local",
    "openai": "blocks.providers.openai_compatible",
    "scripted": "blocks.providers.scripted",
}


def parse_model(model: str) -> tuple[str, str]:
    """Split `kind:name`, e.g. `openai:gpt-4o-mini`, `openai:llama3.2:3b`.

    Raises:
        ProviderRejected: unknown kind, no name, or characters that no name has.
    """
    kind, _, name = model.partition(":")
    kind, name = kind.strip(), name.strip()
    if kind not in KINDS or not name or not model.isprintable():
        kinds = ", ".join(f"{kind}:NAME" for kind in KINDS)
        raise ProviderRejected(detail=f"The model {model!r} can't be used: write one of {kinds}.")
    return kind, name


def model_problem(model: str, config: ProviderConfig) -> str:
    """Describe to the operator why a model can't work; empty if nothing is known to prevent it.

    Checks files, but sends no request to a service.
    """
    try:
        kind, name = parse_model(model)
    except ProviderRejected as error:
        return error.detail
    problem: str = import_module(KINDS[kind]).problem(name, config)
    return problem


class ProviderPool:
    """One provider per model, created on first request. For one event loop."""

    def __init__(self, config: ProviderConfig) -> None:
        self._config = config
        self._providers: dict[str, Provider] = {}
        self._ready_made: set[str] = set()
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def own_model(self) -> str:
        """The configured model, `AI_MODEL`."""
        return self._config.own_model

    def is_down(self, model: str) -> bool:
        """Whether a model needs a process of its own that can't be kept running.

        False for a model that was not asked for yet, or that needs no process.
        """
        provider = self._providers.get(model)
        return isinstance(provider, OwnsProcess) and provider.is_down

    @property
    def models(self) -> set[str]:
        """The models that have a provider now, except for ready-made ones."""
        return set(self._providers) - self._ready_made

    def get(self, model: str) -> Provider:
        """Return the provider of a model, e.g. `local:smollm2-135m`.

        Raises:
            ProviderRejected: no such kind of provider, or nothing by that name.
        """
        provider = self._providers.get(model)
        if provider is None:
            kind, name = parse_model(model)
            provider = import_module(KINDS[kind]).build(name, self._config)
            self._providers[model] = provider
        return provider

    def use(self, model: str, provider: Provider) -> None:
        """Put a ready-made provider in the place of a model. It stays until the pool is closed."""
        self._providers[model] = provider
        self._ready_made.add(model)

    async def warm(self, model: str) -> None:
        """Prepare a model; if it is unavailable, log that here and let its first request fail."""
        try:
            await self.get(model).warm()
        except GenerationError as error:
            logger.warning("the model %s can't be used: %s", model, error.detail)

    async def keep(self, models: Collection[str]) -> None:
        """Close the providers of all other models; the next `get` of one makes a new provider.

        A call that is cancelled stops waiting; the providers are closed all the same.
        """
        dropped = [self._providers.pop(model) for model in self.models - set(models)]
        tasks = [asyncio.create_task(_close(provider)) for provider in dropped]
        for task in tasks:
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        if tasks:
            await asyncio.wait(tasks)

    async def aclose(self) -> None:
        """Close all providers. Idempotent; the pool may be used again afterwards."""
        providers, self._providers = list(self._providers.values()), {}
        self._ready_made.clear()
        closing = [*self._closing, *(_close(provider) for provider in providers)]
        await asyncio.gather(*closing, return_exceptions=True)


async def _close(provider: Provider) -> None:
    """Close one provider; a failure is logged and keeps no other from being closed."""
    try:
        await provider.aclose()
    except Exception:
        logger.exception("closing the provider of %s failed", provider.model)
