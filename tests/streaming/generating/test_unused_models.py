"""A local model that nothing uses any more gives its memory back: its process ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import psutil
import pytest

from blocks.models import BlockType
from blocks.providers.local import LocalProvider
from blocks.providers.registry import ProviderPool
from streaming import process as processes
from streaming.process import Process
from tests.conftest import MODEL, MakeBlock, StartProcess
from tests.support.servers.harness import eventually
from tests.support.streaming.browser import Browser

LOCAL = "local:smollm2-135m"
LOOK_SECONDS = 0.1

MakeBrowser = Callable[..., Awaitable[Browser]]
Change = Callable[[BlockType], Awaitable[Any]]


class Looks:
    """The process's looks for models that nothing uses."""

    def __init__(self) -> None:
        self._has_ended = asyncio.Event()

    def end(self) -> None:
        self._has_ended.set()

    async def next(self) -> None:
        """Wait for the end of a look that begins after this call."""
        async with asyncio.timeout(20):
            for _ in range(2):  # the first one may have begun before
                self._has_ended.clear()
                await self._has_ended.wait()


@pytest.fixture(autouse=True)
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    monkeypatch.setattr(processes, "MODELS_SECONDS", LOOK_SECONDS)
    keep, looks = ProviderPool.keep, Looks()

    async def observed(pool: ProviderPool, models: Collection[str]) -> None:
        await keep(pool, models)
        looks.end()

    monkeypatch.setattr(ProviderPool, "keep", observed)
    return looks


async def loaded(process: Process) -> psutil.Process:
    """The process of the local model, which is started by this."""
    provider = process.providers.get(LOCAL)
    assert isinstance(provider, LocalProvider)
    await provider.warm()
    assert provider.pid is not None
    return psutil.Process(provider.pid)


async def disable(block: BlockType) -> None:
    await BlockType.objects.filter(pk=block.pk).aupdate(enabled=False)


async def delete(block: BlockType) -> None:
    await BlockType.objects.filter(pk=block.pk).adelete()


async def change_model(block: BlockType) -> None:
    await BlockType.objects.filter(pk=block.pk).aupdate(model=MODEL)


@pytest.mark.parametrize("change", [disable, delete, change_model])
async def test_a_model_is_let_go_when_the_last_block_that_names_it_does_so_no_more(
    start_process: StartProcess, make_block: MakeBlock, looks: Looks, change: Change
) -> None:
    first, last = await make_block("first", model=LOCAL), await make_block("last", model=LOCAL)
    process = await start_process()
    child = await loaded(process)
    await change(first)
    await looks.next()
    assert child.is_running()
    await change(last)
    await eventually(lambda: not child.is_running())
    assert LOCAL not in process.providers.models


async def test_a_stream_that_runs_keeps_its_model_until_it_ends(
    start_process: StartProcess, make_block: MakeBlock, make_browser: MakeBrowser, looks: Looks
) -> None:
    block = await make_block(model=LOCAL, max_tokens=2_000)
    process = await start_process()
    child = await loaded(process)
    reader = await (await make_browser()).start(prompt="Tell me a long story about the sea.")
    await reader.until("chunk")
    await change_model(block)
    for _ in range(30):
        await reader.until("chunk")
    await looks.next()
    assert child.is_running()
    assert len(process.generations) == 1
    process.generations.cancel(reader.stream_id, "owner")
    assert (await reader.end())["type"] == "cancelled"
    await eventually(lambda: not child.is_running())


async def test_the_project_s_own_model_is_kept_though_no_block_names_it(
    start_process: StartProcess,
) -> None:
    process = await start_process(AI_MODEL=LOCAL)
    child = await loaded(process)
    process.providers.get("scripted:demo")
    await eventually(lambda: process.providers.models == {LOCAL})
    assert child.is_running()
