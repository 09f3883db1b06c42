from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from blocks.outputs.base import Turn
from blocks.outputs.demo import diagram, quiz
from blocks.outputs.demo.diagram_examples import DIAGRAM_EXAMPLES
from blocks.outputs.demo.prose import RECIPES
from blocks.outputs.demo.quiz_examples import QUIZ_EXAMPLES
from blocks.outputs.demo.recipe import example_key
from blocks.outputs.diagram import DiagramOutput
from blocks.outputs.quiz import QuizOutput
from blocks.outputs.registry import OUTPUTS
from tests.blocks.outputs.demo.playing import demo_spec, play
from tests.support.blocks.example_spec import SHIPPED

FIRST = {row["slug"]: row for row in import_module("blocks.migrations.0002_first_blocks").BLOCKS}


def key_of(row: dict[str, Any]) -> str:
    return example_key(row.get("example_prompt", ""), row.get("example_answer", ""))


def turns_of(output: str, **changes: Any) -> tuple[Turn, ...]:
    spec = demo_spec(output, **changes)
    ask = OUTPUTS[output].begin(spec, "Rivers", {}, seed="s", repair=False).next_ask()
    assert ask is not None
    return ask.turns


@pytest.mark.parametrize(
    ("slug", "word"), [("quiz", "lens"), ("diagram", "primer"), ("explain-eli10", "football")]
)
def test_an_answer_that_an_admin_wrote_to_the_shipped_prompt_is_shown_to_the_model(
    slug: str, word: str
) -> None:
    output = slug if slug in OUTPUTS else "markdown"
    names = ("system_prompt", "prompt_template", "example_prompt", "example_answer")
    shipped = {name: SHIPPED[slug][name] for name in names}
    mine = shipped["example_answer"].replace(word, "telescope")
    form = shipped["example_answer"].replace("\n", "\r\n") + " "
    recipes = turns_of(output, **shipped)
    assert turns_of(output, **shipped | {"example_answer": form}) == recipes
    own = turns_of(output, **shipped | {"example_answer": mine})
    assert len(own) == 4 and "telescope" in own[2].content


def test_a_recipe_replaces_the_texts_that_are_shipped() -> None:
    for slug, recipe in (("quiz", quiz.RECIPE), ("diagram", diagram.RECIPE)):
        assert recipe.shipped_system == SHIPPED[slug]["system_prompt"]
        assert recipe.shipped_template == SHIPPED[slug]["prompt_template"]
    for slug, module in (("quiz", quiz), ("diagram", diagram)):
        keys = {key_of(row[slug]) for row in (FIRST, SHIPPED)}
        assert {"", *keys} == set(module.SHIPPED_EXAMPLES)
    for slug, prose in zip(("ask-question", "explain-eli10"), RECIPES, strict=True):
        shipped = SHIPPED[slug]
        assert prose.prompts.shipped_system == shipped["system_prompt"]
        assert prose.prompts.shipped_template == shipped["prompt_template"]
        assert prose.shipped_example == key_of(shipped)
        assert prose.shipped_temperature == shipped["temperature"]
        assert prose.shipped_max_tokens == shipped["max_tokens"]


@pytest.mark.parametrize(("subject", "text"), QUIZ_EXAMPLES)
def test_a_quiz_example_would_be_kept_if_it_were_asked_for(subject: str, text: str) -> None:
    blocks = [f"Question{rest}" for rest in text.split("Question")[1:]]
    answer = QuizOutput().begin(demo_spec("quiz"), subject, {}, seed="s", repair=False)
    outcome, _ = play(answer, *blocks)
    assert not outcome.dropped or set(outcome.dropped) == {"copied_example"}


@pytest.mark.parametrize(("subject", "text"), DIAGRAM_EXAMPLES)
def test_a_diagram_example_is_kept_if_it_is_asked_for(subject: str, text: str) -> None:
    answer = DiagramOutput().begin(demo_spec("diagram"), subject, {}, seed="s", repair=False)
    outcome, _ = play(answer, text)
    assert not outcome.dropped
    assert 4 <= len(outcome.result["nodes"]) <= 6  # type: ignore[index]
