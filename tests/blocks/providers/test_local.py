"""The real model in a real process: few tests with short answers, because it uses a whole core."""

import asyncio
import os
import signal
import stat
import time
from collections.abc import AsyncIterator

import psutil
import pytest
import pytest_asyncio

from blocks import errors
from blocks.providers.base import Alive, ChatRequest, Message, Token
from blocks.providers.config import ProviderConfig
from blocks.providers.local import DEMO_MODEL, LocalProvider, build
from tests.contracts.provider_contract import (
    REQUEST,
    ProviderContract,
    going_on,
    pieces_of,
    text_of,
)

# All tests share one event loop and one process.
pytestmark = pytest.mark.asyncio(loop_scope="module")

LONG_PROMPT = ChatRequest(
    (Message("user", "The sea is wide and blue. " * 300),), temperature=0.4, max_tokens=200
)
# Without a schema, a model of this size may answer a long prompt with nothing.
SPEECH = {
    "type": "object",
    "properties": {"line": {"type": "string", "minLength": 20, "maxLength": 40}},
    "required": ["line"],
}


def after_reading(sentences: int) -> ChatRequest:
    """Build a request whose prompt has seven tokens a sentence."""
    words = "The sea is wide and blue. " * sentences
    return ChatRequest((Message("user", words),), 0.4, max_tokens=12, schema=SPEECH)


LONG_ANSWER = ChatRequest((Message("user", "Write a long poem."),), 0.4, max_tokens=1500)


def cpu_seconds(pid: int) -> float:
    return sum(psutil.Process(pid).cpu_times()[:2])


async def until_idle(pid: int) -> None:
    """Wait until a process has used no CPU for 80 ms."""
    while True:
        before = cpu_seconds(pid)
        await asyncio.sleep(0.08)
        if cpu_seconds(pid) - before < 0.015:  # one tick of the clock is 0.01 s
            return


async def until_busy(pid: int) -> None:
    before = cpu_seconds(pid)
    while cpu_seconds(pid) - before < 0.1:  # noqa: ASYNC110 - no event tells of another's CPU
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
    pieces = await pieces_of(machine.provider, after_reading(30))
    first_text = next(i for i, piece in enumerate(pieces) if isinstance(piece, Token))
    assert pieces[:first_text].count(Alive()) >= 3
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


async def test_a_grammar_is_obeyed_in_a_new_answer_and_in_one_that_goes_on(machine):
    request = ChatRequest(
        (Message("user", "Name two colours."),),
        0.4,
        60,
        grammar='root ::= "Colour: " ("red" | "green") "\n"',
        sampling={"min_p": 0.05, "dry_multiplier": 1.5, "dry_sequence_breakers": ["\n"]},
    )
    colours = ("Colour: red\n", "Colour: green\n")
    assert text_of(await pieces_of(machine.provider, request)) in colours
    again = going_on(request, "Colour: red\n")
    assert text_of(await pieces_of(machine.provider, again)) in colours


async def test_sampling_that_the_server_does_not_know_of_reaches_it(machine):
    request = ChatRequest(REQUEST.messages, 0.4, 9, sampling={"dry_penalty_last_n": -7})
    with pytest.raises(errors.ProviderRejected):
        await pieces_of(machine.provider, request)


async def test_from_the_middle_of_a_sentence_it_goes_on_with_that_sentence(machine):
    question = ChatRequest((Message("user", "Tell me of capitals."),), 0.0, max_tokens=8)
    so_far = "The capital of Italy is Rome. The capital of France is"
    text = text_of(await pieces_of(machine.provider, going_on(question, so_far)))
    assert text.startswith(" Paris")


async def test_the_blank_that_a_text_ends_with_is_not_written_again(machine):
    question = ChatRequest((Message("user", "Count from 1 to 9."),), 0.0, max_tokens=4)
    text = text_of(await pieces_of(machine.provider, going_on(question, "1, 2, 3, 4, 5, ")))
    assert text.startswith("6")


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
    task = asyncio.create_task(pieces_of(machine.provider, after_reading(20)))
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
