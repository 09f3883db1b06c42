"""Continuing a partial answer."""

from __future__ import annotations

from typing import Any

import pytest

from blocks.delta import Done, Text, Usage
from blocks.errors import EmptyAnswer, ProviderRejected, ProviderTimeout
from blocks.providers.base import Message
from blocks.providers.script import parse_script
from blocks.providers.scripted import ScriptedProvider
from blocks.runtime.engine import can_continue, run
from tests.blocks.runtime.test_engine import collect
from tests.support.blocks.example_spec import spec_of
from tests.support.blocks.fake_provider import FakeProvider

SO_FAR = "Down they \n "
ENDS: list[Any] = [[""], EmptyAnswer()]  # two forms of an empty continuation


class NoPool:
    def get(self, model: str) -> Any:
        raise ProviderRejected


class Scripted:
    """A pool of one script."""

    def __init__(self, *steps: object) -> None:
        self.provider = ScriptedProvider(parse_script({"steps": list(steps)}))

    def get(self, model: str) -> ScriptedProvider:
        return self.provider


def begins_anew() -> FakeProvider:
    provider = FakeProvider("x")
    provider.can_continue = False
    return provider


async def test_only_what_follows_is_yielded() -> None:
    found, error = await collect(spec_of("markdown"), FakeProvider("go on"), so_far=SO_FAR)
    assert error is None
    assert found == [Text("go o"), Text("n"), Usage(10, 5), Done("stop", None, {})]


async def test_gathered_only_what_follows_is_one_text() -> None:
    found, error = await collect(
        spec_of("markdown"), FakeProvider("go on"), so_far=SO_FAR, streaming=False
    )
    assert error is None
    assert found == [Text("go on"), Usage(10, 5), Done("stop", None, {})]


async def test_the_request_ends_with_the_text_to_its_last_blank() -> None:
    provider = FakeProvider("go on")
    example = {"example_prompt": "Hills", "example_answer": "Up they go"}
    await collect(spec_of("markdown", **example), provider, so_far=SO_FAR)
    (request,) = provider.requests
    assert [message.role for message in request.messages] == [
        "system",
        "user",
        "assistant",
        "user",
        "assistant",
    ]
    assert request.messages[-1] == Message("assistant", SO_FAR)


@pytest.mark.parametrize("cut", range(1, 14))
async def test_cut_anywhere_what_was_there_and_what_follows_are_the_whole(cut: int) -> None:
    whole = "Down they go."
    pool = Scripted({"text": whole, "token_chars": 3})
    found, error = await collect(spec_of("markdown"), pool, so_far=whole[:cut])
    assert error is None
    assert whole[:cut] + "".join(d.token for d in found if isinstance(d, Text)) == whole
    assert found[-1] == Done("stop", None, {})


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("end", ENDS)
async def test_with_nothing_left_to_say_the_answer_is_whole(end: Any, streaming: bool) -> None:
    found, error = await collect(
        spec_of("markdown"), FakeProvider(end), so_far="Down.", streaming=streaming
    )
    assert error is None
    assert not [delta for delta in found if isinstance(delta, Text)]
    assert found[-1] == Done("stop", None, {})


async def test_with_nothing_left_to_say_for_want_of_tokens_it_was_cut() -> None:
    found, error = await collect(
        spec_of("markdown"), FakeProvider([""], finish="length"), so_far="Down"
    )
    assert error is None
    assert found == [Usage(10, 5), Done("length", None, {})]


@pytest.mark.parametrize("end", [*ENDS, " \n"])
async def test_blanks_and_then_nothing_are_an_empty_answer_still(end: Any) -> None:
    found, error = await collect(spec_of("markdown"), FakeProvider(end), so_far=" \n ")
    assert isinstance(error, EmptyAnswer)
    assert not [delta for delta in found if isinstance(delta, Done)]


async def test_blanks_that_are_gone_on_with_are_an_answer() -> None:
    found, error = await collect(spec_of("markdown"), FakeProvider("Down"), so_far=" \n ")
    assert error is None
    assert isinstance(found[-1], Done)


async def test_a_failure_on_the_way_is_a_failure() -> None:
    provider = FakeProvider(["go", ProviderTimeout()])
    found, error = await collect(spec_of("markdown"), provider, so_far=SO_FAR)
    assert isinstance(error, ProviderTimeout)
    assert found == [Text("go")]


@pytest.mark.parametrize(
    ("output", "providers", "can"),
    [
        ("markdown", FakeProvider(), True),
        ("markdown", begins_anew(), False),
        ("markdown", NoPool(), False),
        ("quiz", FakeProvider(), False),
        ("diagram", FakeProvider(), False),
        ("json", FakeProvider(), False),
        ("no-such-output", FakeProvider(), False),
    ],
)
def test_plain_text_can_be_gone_on_with_where_the_provider_can(
    output: str, providers: Any, can: bool
) -> None:
    assert can_continue(spec_of(output), providers) is can


@pytest.mark.parametrize(
    ("output", "providers"), [("quiz", FakeProvider()), ("markdown", begins_anew())]
)
def test_what_can_not_be_gone_on_with_is_refused_at_the_call(output: str, providers: Any) -> None:
    with pytest.raises(ValueError, match="continue a partial answer"):
        run(spec_of(output), "Rivers", {}, providers=providers, seed="s", so_far="Down")
