import asyncio
import json
from itertools import pairwise
from pathlib import Path

import pytest

from blocks import errors
from blocks.providers.base import ChatRequest, Finish, Message, Thinking, Token
from blocks.providers.config import ProviderConfig
from blocks.providers.script import parse_script
from blocks.providers.scripted import ScriptedProvider, build, load_script
from tests.contracts.provider_contract import (
    REQUEST,
    ProviderContract,
    first_token,
    going_on,
    pieces_of,
    text_of,
)

SCRIPTS_DIR = ProviderConfig().scripts_dir


def playing(*steps: object) -> ScriptedProvider:
    return ScriptedProvider(parse_script({"steps": list(steps)}))


class Theatre:
    """The stage of the contract."""

    request = REQUEST

    def __init__(self) -> None:
        self.provider = playing()

    async def answering(self):
        return playing({"text": "The sky is blue.", "every_ms": 1})

    async def silent(self):
        self.provider = playing({"hang": True})
        return self.provider, REQUEST

    async def endless(self):
        self.provider = playing("The", {"hang": True})
        return self.provider, REQUEST

    async def failing(self):
        return playing({"fail": "provider_unavailable"})

    async def asked(self):
        await self.provider.until(lambda p: p.calls_open == 1)

    async def stopped(self):
        await self.provider.until(lambda p: p.closed_early == 1 and p.calls_open == 0)


class TestContract(ProviderContract):
    @pytest.fixture
    def stage(self) -> Theatre:
        return Theatre()


async def test_a_script_is_played_in_its_order():
    provider = playing(
        {"think": True}, {"text": "abc", "token_chars": 1}, {"finish": "length"}, "never"
    )
    assert await pieces_of(provider, REQUEST) == [
        Thinking(),
        Token("a"),
        Token("b"),
        Token("c"),
        Finish("length", 5, 3),
    ]


async def test_usage_is_what_the_script_says():
    provider = playing({"usage": {"input_tokens": 7, "output_tokens": 8}}, "a")
    assert (await pieces_of(provider, REQUEST))[-1] == Finish("stop", 7, 8)


async def test_a_fault_comes_after_what_was_said_before_it():
    stream = playing("a", {"fail": "provider_interrupted", "message": "Cut."}).stream(REQUEST)
    assert await anext(stream) == Token("a")
    with pytest.raises(errors.ProviderInterrupted, match="Cut"):
        await anext(stream)


async def test_a_script_that_says_nothing_is_an_empty_answer():
    with pytest.raises(errors.EmptyAnswer):
        await pieces_of(playing({"think": True}), REQUEST)


async def test_requests_are_answered_in_turn_and_the_last_take_stays():
    provider = ScriptedProvider(parse_script({"in_turn": [["first"], ["then"]]}))
    texts = [text_of(await pieces_of(provider, REQUEST)) for _ in range(3)]
    assert texts == ["first", "then", "then"]
    assert provider.calls_started == 3
    assert list(provider.requests) == [REQUEST] * 3


async def test_from_a_text_it_plays_on_at_its_own_pace_and_counts_what_it_says():
    provider = playing({"text": "abcdef", "token_chars": 2, "every_ms": 20}, {"finish": "length"})
    loop = asyncio.get_running_loop()
    began = loop.time()
    pieces = await pieces_of(provider, going_on(REQUEST, "abc"))
    assert pieces == [Token("d"), Token("ef"), Finish("length", 5, 2)]
    assert loop.time() - began >= 0.04


async def test_with_nothing_left_to_say_the_end_comes_alone():
    pieces = await pieces_of(playing("abc"), going_on(REQUEST, "abc"))
    assert pieces == [Finish("stop", 5, 0)]


async def test_a_request_that_goes_on_counts_in_turn_and_may_have_a_take_of_its_own():
    script = parse_script({"in_turn": [["The sky", {"hang": True}], [" is blue."]]})
    provider = ScriptedProvider(script)
    stream = provider.stream(REQUEST)
    so_far = (await first_token(stream)).text
    await stream.aclose()
    assert text_of(await pieces_of(provider, going_on(REQUEST, so_far))) == " is blue."


async def test_the_prompt_chooses_the_reply_that_is_gone_on_with():
    replies = [
        {"when": {"prompt_has": "sea"}, "steps": ["The sea"]},
        {"when": {"prompt_has": "sky"}, "steps": ["The sky"]},
    ]
    provider = ScriptedProvider(parse_script({"replies": replies}))
    assert text_of(await pieces_of(provider, going_on(REQUEST, "The s"))) == "ky"


async def test_a_request_that_no_reply_fits_is_rejected():
    provider = ScriptedProvider(parse_script({"when": {"prompt_has": "sea"}, "steps": ["a"]}))
    with pytest.raises(errors.ProviderRejected):
        await pieces_of(provider, REQUEST)


async def test_time_that_a_reader_loses_is_caught_up_and_nothing_drifts():
    loop = asyncio.get_running_loop()
    began = loop.time()
    stream = playing({"repeat": 100, "steps": [{"tokens": ["x"], "every_ms": 20}]}).stream(REQUEST)
    await first_token(stream)
    await asyncio.sleep(1)  # the point: a late reader
    await first_token(stream)
    late = loop.time()
    for _ in range(40):
        await first_token(stream)
    assert loop.time() - late < 0.5  # these were due: at their own pace they take 0.8 s
    async for _ in stream:
        pass
    assert 2 <= loop.time() - began < 2.9  # not a second late


async def test_clock_tokens_say_when_they_were_due():
    loop = asyncio.get_running_loop()
    began = loop.time()
    text = text_of(await pieces_of(playing({"clock": 3, "every_ms": 2}), REQUEST))
    dues = [int(token) / 1e9 for token in text.split()]
    assert [due - dues[0] for due in dues] == pytest.approx([0, 0.002, 0.004])
    assert began <= dues[0] - 0.002 < began + 0.1
    assert dues[-1] <= loop.time()


async def test_a_clock_with_a_turn_speaks_in_it_alone_and_keeps_its_pace():
    step = {"clock": 12, "every_ms": 5, "turn_ms": [30, 50, 60]}
    dues = [int(token) / 1e6 for token in text_of(await pieces_of(playing(step), REQUEST)).split()]
    assert all(30 <= due % 60 < 50 for due in dues)
    gaps = [after - before for before, after in pairwise(dues)]
    assert [gap / 5 for gap in gaps] == pytest.approx([round(gap / 5) for gap in gaps], abs=1e-3)
    assert sorted(gaps)[0] == pytest.approx(5)  # within a turn
    assert sorted(gaps)[-1] == pytest.approx(45)  # between two turns


async def test_a_flood_of_tokens_gives_way_to_others():
    provider = playing({"repeat": 10_000, "steps": ["x"]})
    task = asyncio.create_task(pieces_of(provider, REQUEST))
    await provider.until(lambda p: p.calls_open == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert provider.closed_early == 1


async def test_a_regular_end_and_a_fault_are_not_closed_early():
    provider = ScriptedProvider(parse_script({"in_turn": [["a"], [{"fail": "empty_answer"}]]}))
    await pieces_of(provider, REQUEST)
    with pytest.raises(errors.EmptyAnswer):
        await pieces_of(provider, REQUEST)
    assert (provider.calls_started, provider.calls_open, provider.closed_early) == (2, 0, 0)


@pytest.mark.parametrize("name", ["../demo", "a/b", "", ".", "demo.json", "a\0b", "C:\\x", "é"])
def test_a_name_that_leads_elsewhere_is_refused(name, tmp_path: Path):
    (tmp_path / "demo.json").write_text('{"steps": ["a"]}')
    with pytest.raises(errors.ProviderRejected, match="name"):
        load_script(name, tmp_path)


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"steps": [1]}', "\ud800"])
def test_a_file_that_is_missing_or_no_script_is_rejected_in_words(content, tmp_path: Path):
    if content is not None:
        (tmp_path / "mine.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(errors.ProviderRejected, match="mine"):
        load_script("mine", tmp_path)


def demo_request(prompt: str, *properties: str, most: int = 10) -> ChatRequest:
    schema = {"type": "object", "properties": {name: {"maxItems": most} for name in properties}}
    return ChatRequest((Message("user", prompt),), 0.4, 9, schema if properties else None)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Play without waiting."""

    async def sleep(seconds: float) -> None:
        pass

    monkeypatch.setattr("blocks.providers.scripted.asyncio.sleep", sleep)


@pytest.mark.usefixtures("at_once")
class TestDemo:
    async def test_it_has_a_quiz(self):
        demo = build("demo", ProviderConfig())
        quiz = json.loads(
            text_of(await pieces_of(demo, demo_request("planets", "title", "questions", most=7)))
        )
        assert quiz["title"]
        assert len(quiz["questions"]) == 7
        for question in quiz["questions"]:
            assert set(question) == {"question", "correct", "wrong", "explanation"}
            assert len({question["correct"], *question["wrong"]}) == 4

    async def test_it_has_a_diagram_whose_edges_join_its_nodes(self):
        demo = build("demo", ProviderConfig())
        nodes, edges = [
            json.loads(text_of(await pieces_of(demo, demo_request("water", *properties))))
            for properties in (("title", "nodes"), ("edges",))
        ]
        ids = range(1, len(nodes["nodes"]) + 1)
        assert nodes["title"]
        for edge in edges["edges"]:
            assert edge["from"] in ids and edge["to"] in ids and edge["from"] != edge["to"]

    async def test_it_has_text(self):
        text = text_of(await pieces_of(build("demo", ProviderConfig()), demo_request("sky")))
        assert "**" in text and "written script" in text
