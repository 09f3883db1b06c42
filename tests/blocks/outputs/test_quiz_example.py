from __future__ import annotations

import json
from typing import Any

import pytest

from blocks.outputs.quiz import QuizOutput
from tests.blocks.outputs.test_quiz import feed, question
from tests.support.blocks.example_spec import spec_of

EXAMPLE = {
    "title": "The Solar System",
    "questions": [
        question(
            "Which planet is closest to the Sun?",
            correct="Mercury",
            wrong=["Venus", "Mars", "Jupiter"],
        ),
        question(
            "Why does Mars look red?",
            correct="Its red dust",
            wrong=["Its lava", "Its ice", "Its clouds"],
        ),
    ],
}
PLANETS = [
    question(
        "Which planet is called the Red Planet?", correct="Mars", wrong=["Venus", "Jupiter", "x"]
    ),
    question("On which planet do we live?", correct="Earth", wrong=["Venus", "Mars", "Jupiter"]),
    question("Which planet is the largest?", correct="Jupiter", wrong=["Mercury", "Mars", "Venus"]),
]
RIVER = question("Which river is longest?", correct="Nile", wrong=["Its red dust", "Mars", "Venus"])
GOD = question("Which Roman god led armies?", correct="Mars", wrong=["Venus", "Jupiter", "Mercury"])
COPY = question("Which planet goes first?", correct="Mercury", wrong=["Jupiter", "Mars", "Venus"])


@pytest.mark.parametrize(
    ("prompt", "model", "asked", "kept"),
    [
        ("Astronomy", "fake:model", PLANETS, 3),
        ("Astronomy", "local:small", PLANETS, 3),
        ("Planets", "fake:model", [*PLANETS, question("Which planet is closest to the Sun?")], 4),
        ("Roman gods", "fake:model", [GOD], 1),
        ("Roman gods", "local:small", [GOD], 0),
        ("Rivers", "fake:model", [RIVER | {"question": "What is longest?"}], 0),
        ("Rivers", "local:small", [RIVER], 0),
        ("Astronomy", "fake:model", [COPY], 0),
    ],
)
def test_a_fair_question_may_have_options_of_the_worked_example(
    prompt: str, model: str, asked: list[Any], kept: int
) -> None:
    spec = spec_of(
        "quiz",
        model=model,
        example_prompt="The solar system",
        example_answer=json.dumps(EXAMPLE),
    )
    answer = QuizOutput().begin(spec, prompt, {"questions": len(asked)}, seed="s", repair=False)
    feed(answer, *asked)
    assert len(answer.result["questions"]) == kept
    assert answer.dropped == ({} if kept else {"copied_example": 1})
