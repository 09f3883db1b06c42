from __future__ import annotations

import pytest

from blocks.outputs.demo import diagram, quiz
from blocks.outputs.demo.diagram_examples import DIAGRAM_EXAMPLES
from blocks.outputs.demo.prose import RECIPES
from blocks.outputs.demo.quiz_examples import QUIZ_EXAMPLES
from blocks.outputs.diagram import DiagramOutput
from blocks.outputs.quiz import QuizOutput
from tests.blocks.outputs.demo.playing import demo_spec, play
from tests.support.blocks.example_spec import SHIPPED


def test_a_recipe_replaces_the_texts_that_are_shipped() -> None:
    for slug, recipe in (("quiz", quiz.RECIPE), ("diagram", diagram.RECIPE)):
        assert recipe.shipped_system == SHIPPED[slug]["system_prompt"]
        assert recipe.shipped_template == SHIPPED[slug]["prompt_template"]
    for slug, module in (("quiz", quiz), ("diagram", diagram)):
        assert SHIPPED[slug]["example_prompt"] in module.SHIPPED_EXAMPLES
    for slug, prose in zip(("ask-question", "explain-eli10"), RECIPES, strict=True):
        shipped = SHIPPED[slug]
        assert prose.prompts.shipped_system == shipped["system_prompt"]
        assert prose.prompts.shipped_template == shipped["prompt_template"]
        assert prose.shipped_example == shipped.get("example_prompt", "")
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
