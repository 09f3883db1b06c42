from __future__ import annotations

from typing import Any

import pytest

from blocks.outputs.demo.prose import BYTES_AT_ONCE, DemoProseAnswer
from blocks.outputs.markdown import MarkdownAnswer, MarkdownOutput
from tests.blocks.outputs.demo.playing import demo_spec, play
from tests.support.blocks.example_spec import SHIPPED

PROMPTS = ("system_prompt", "prompt_template", "temperature", "max_tokens")


def begin(slug: str = "", **changes: Any) -> Any:
    shipped = {name: SHIPPED[slug][name] for name in PROMPTS} if slug else {}
    if slug:
        shipped["example_prompt"] = SHIPPED[slug].get("example_prompt", "")
        shipped["example_answer"] = SHIPPED[slug].get("example_answer", "")
    spec = demo_spec("markdown", **(shipped | changes))
    return MarkdownOutput().begin(spec, "Rivers", {}, seed="s", repair=False)


def test_only_the_demo_model_gets_the_recipe() -> None:
    assert isinstance(begin(), DemoProseAnswer)
    assert isinstance(begin(model="local:mine.gguf"), MarkdownAnswer)


def test_the_shipped_blocks_get_prompts_of_their_own() -> None:
    ask, explain = begin("ask-question").next_ask(), begin("explain-eli10").next_ask()
    assert "two to four short sentences" in ask.turns[0].content
    asked = [turn.content for turn in explain.turns if turn.role == "user"]
    assert [text.count("Explain to a ten-year-old: ") for text in asked] == [1, 1, 1]
    assert asked[-1] == "Explain to a ten-year-old: Rivers"
    assert (ask.temperature, explain.temperature) == (0.2, 0.3)
    assert (ask.max_tokens, explain.max_tokens) == (220, 220)
    assert "{0,3}" in ask.grammar and "{0,5}" in explain.grammar


def test_limits_that_an_admin_set_stay() -> None:
    ask = begin("ask-question", temperature=0.9, max_tokens=50).next_ask()
    assert (ask.temperature, ask.max_tokens) == (None, None)


@pytest.mark.parametrize(
    "changes", [{"system_prompt": "Be a poet."}, {"prompt_template": "Sing of $prompt"}]
)
def test_a_block_with_prompts_of_its_own_keeps_all_of_them(changes: dict[str, Any]) -> None:
    ask = begin("explain-eli10", **changes).next_ask()
    contents = [turn.content for turn in ask.turns]
    assert "ten-year-old child in four" not in contents[0]
    assert (ask.temperature, ask.max_tokens, ask.grammar) == (None, None, "")
    assert ask.sampling["dry_multiplier"] == 0.8


LIMIT = 40  # tokens
SHOWN = int(LIMIT * BYTES_AT_ONCE)
LONG = "This is a sentence of some length. " * 5


def texts(answer: Any, text: str, *, finish: str, size: int) -> str:
    return play(answer, text, finish=finish, size=size)[0].text  # type: ignore[arg-type]


CUT = {
    "a sentence": (f"{LONG}And this one is n", LONG.rstrip()),
    "behind a number": (f"{LONG}It is 3.14 and so", LONG.rstrip()),
    "a whole one": (f"{LONG}And that is it.", f"{LONG}And that is it."),
    "quoted": (f'{LONG}"So it is!" And n', f'{LONG}"So it is!"'),
    "an item of a list": (f"{LONG}\n1. One thing\n2. Anoth", f"{LONG}\n1. One thing"),
    "the number of a list": (f"{LONG}\n1. One thing\n2.", f"{LONG}\n1. One thing"),
    "Chinese": ("这是一个句子。" * 12 + "还有一", "这是一个句子。" * 12),
    "Arabic": ("هل هذا سؤال؟ " * 9 + "وهذا", ("هل هذا سؤال؟ " * 9).rstrip()),
    "without an end": ("word " * 60, "word " * 60),
}


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
@pytest.mark.parametrize(("text", "shown"), CUT.values(), ids=CUT)
def test_a_text_that_ends_by_length_loses_its_unfinished_sentence(
    text: str, shown: str, size: int
) -> None:
    assert texts(begin(max_tokens=LIMIT), text, finish="length", size=size) == shown


@pytest.mark.parametrize("size", [0, 1, 2, 3, 5, 8])
@pytest.mark.parametrize("text", [text for text, _ in CUT.values()], ids=CUT)
def test_a_text_that_ends_by_itself_is_whole(text: str, size: int) -> None:
    assert texts(begin(max_tokens=LIMIT), text, finish="stop", size=size) == text
    assert texts(begin(max_tokens=LIMIT), text, finish="repetition", size=size) == text


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_some_text_is_always_shown(limit: int) -> None:
    outcome, _ = play(begin(max_tokens=limit), "A few words", finish="length", size=4)
    assert outcome.is_enough
    assert outcome.text


def test_text_far_from_the_limit_is_shown_at_once() -> None:
    answer = begin(max_tokens=600)
    answer.next_ask()
    for token in ("A", " sentence", " that", " goes"):
        assert [delta.token for delta in answer.feed(token)] == [token]


def test_no_more_than_a_few_thousand_characters_wait() -> None:
    answer = begin(max_tokens=1)
    answer.next_ask()
    shown = sum(len(delta.token) for _ in range(100) for delta in answer.feed("x" * 100))
    assert shown > 9_000
