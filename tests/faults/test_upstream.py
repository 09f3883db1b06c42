"""The provider of the fault tests answers as planned, queried by our own provider."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from blocks.errors import GenerationError
from blocks.providers.base import ChatRequest, Finish, Message, Token
from blocks.providers.chat.patience import TimeLimits
from blocks.providers.openai_compatible import OpenAICompatibleProvider
from tests.support.faults.plan import FAULTS, Plan
from tests.support.faults.upstream_server import UpstreamServer, running_upstream
from tests.support.servers.harness import eventually

LIMITS = TimeLimits(connect=10, first_token=2, idle=2)


@pytest_asyncio.fixture
async def provider(upstream: UpstreamServer) -> AsyncIterator[OpenAICompatibleProvider]:
    provider = OpenAICompatibleProvider(
        "planned", base_url=upstream.base_url, limits=LIMITS, retries=0
    )
    yield provider
    await provider.aclose()


def ask(plan: Plan, said: str = "") -> ChatRequest:
    messages = [Message("system", "Be brief."), Message("user", f"Well: {plan.prompt}, please.")]
    if said:
        messages.append(Message("assistant", said))
    return ChatRequest(tuple(messages), temperature=0.5, max_tokens=1_000)


async def answer(
    provider: OpenAICompatibleProvider, plan: Plan, said: str = "", into: list[str] | None = None
) -> str:
    """Return the text of an answer; `into` keeps the partial text of a failed one."""
    texts = [] if into is None else into
    async for piece in provider.stream(ask(plan, said)):
        if isinstance(piece, Token):
            texts.append(piece.text)
    assert isinstance(piece, Finish)
    return "".join(texts)


# --- plans -------------------------------------------------------------------------


def test_a_plan_is_read_as_it_was_written() -> None:
    for plan in (
        Plan("a"),
        Plan("b-2", tokens=0, every_ms=1.5, wait_ms=3.0, seed=9, finish="length"),
        Plan("c", fault="429", times=2, retry_after=1, after=0, hold=1),
    ):
        assert Plan.found_in(f"Explain this: {plan.prompt}. Thanks") == plan
    with pytest.raises(ValueError, match="no plan"):
        Plan.found_in("Why is the sky blue?")


def test_a_text_is_its_seeds_and_no_other() -> None:
    assert Plan("a", seed=1).text == Plan("b", seed=1).text != Plan("a", seed=2).text
    assert Plan("a", tokens=40).text.startswith(Plan("a", tokens=20).text)


@pytest.mark.parametrize("is_quiz", [False, True])
def test_an_answer_goes_on_from_any_character(is_quiz: bool) -> None:
    plan = Plan("a", quiz=1) if is_quiz else Plan("a", tokens=12, seed=3)
    for place in range(len(plan.text) + 1):
        assert plan.text[:place] + "".join(plan.tokens_from(plan.text[:place])) == plan.text
    for stranger in ("x", plan.text + "more", plan.text[:20] + "X"):
        with pytest.raises(ValueError, match=r"instead of|longer than"):
            list(plan.tokens_from(stranger))


# --- answers -----------------------------------------------------------------------


async def test_it_says_what_was_planned(
    provider: OpenAICompatibleProvider, upstream: UpstreamServer
) -> None:
    plan = Plan("whole", tokens=40, every_ms=1, wait_ms=20, seed=5)
    assert await answer(provider, plan) == plan.text
    assert await answer(provider, Plan("at-once", tokens=3_000, every_ms=0)) != ""
    stats = upstream.stats_of("whole")
    assert (stats.calls, stats.finished, stats.open, stats.closed_early) == (1, 1, 0, 0)
    assert upstream.stats_of("nobody asked").calls == 0


async def test_it_goes_on_where_the_assistant_stopped(
    provider: OpenAICompatibleProvider, upstream: UpstreamServer
) -> None:
    plan = Plan("goes-on", tokens=20, seed=6)
    said = plan.text[:37]
    assert said + await answer(provider, plan, said) == plan.text
    with pytest.raises(GenerationError):
        await answer(provider, plan, "What was never said")
    stats = upstream.stats_of("goes-on")
    assert (stats.calls, stats.continued_at, stats.strangers) == (2, [37, 19], 1)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("silent", "provider_timeout"),
        ("stall", "provider_timeout"),
        ("cut", "provider_interrupted"),
        ("reset", "provider_interrupted"),
        ("malformed", "provider_malformed"),
        ("empty", "empty_answer"),
        ("429", "provider_rate_limited"),
        ("500", "provider_unavailable"),
        ("401", "provider_rejected"),
    ],
)
async def test_each_fault_is_what_it_is_called(
    provider: OpenAICompatibleProvider, upstream: UpstreamServer, fault: str, code: str
) -> None:
    assert fault in FAULTS
    plan = Plan(f"fault-{fault}", fault=fault, after=3, times=1, every_ms=1)
    said: list[str] = []
    with pytest.raises(GenerationError) as error:
        await answer(provider, plan, into=said)
    assert error.value.code == code
    has_words = fault in ("stall", "cut", "reset", "malformed")
    assert said == (list(map(plan.token, range(3))) if has_words else [])
    assert await answer(provider, plan) == plan.text  # `times`: the second call has no fault
    await eventually(lambda: upstream.stats_of(plan.key).open == 0)
    assert upstream.stats_of(plan.key).calls == 2


async def test_a_caller_who_leaves_an_endless_answer_is_counted(
    provider: OpenAICompatibleProvider, upstream: UpstreamServer
) -> None:
    pieces = provider.stream(ask(Plan("endless", tokens=0, every_ms=1)))
    for _ in range(50):
        await anext(pieces)
    assert upstream.stats_of("endless").open == 1
    await pieces.aclose()
    await eventually(lambda: upstream.stats_of("endless").open == 0)
    stats = upstream.stats_of("endless")
    assert (stats.closed_early, stats.finished) == (1, 0)


async def test_what_is_held_back_comes_when_it_is_released(
    provider: OpenAICompatibleProvider, upstream: UpstreamServer
) -> None:
    plan = Plan("held", tokens=10, after=4, hold=1, every_ms=1)
    pieces = provider.stream(ask(plan))
    said = ""
    while said != "".join(map(plan.token, range(4))):
        piece = await anext(pieces)
        said += piece.text if isinstance(piece, Token) else ""
    following = asyncio.ensure_future(anext(pieces))
    done, _ = await asyncio.wait([following], timeout=0.2)
    assert not done
    upstream.release("held")
    piece = await following
    said += piece.text if isinstance(piece, Token) else ""
    async for piece in pieces:
        said += piece.text if isinstance(piece, Token) else ""
    assert said == plan.text
    assert await answer(provider, plan) == plan.text  # released permanently


async def test_killed_it_comes_back_at_the_same_port() -> None:
    with running_upstream() as server:
        port = server.port
        server.kill()
        with pytest.raises(OSError, match="refused"):
            server.stats()
        server.start()
        assert server.port == port and server.stats() == {}
