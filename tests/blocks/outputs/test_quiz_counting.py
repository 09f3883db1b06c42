from __future__ import annotations

import json
from typing import Any

import pytest

from blocks.delta import Item, Text
from tests.blocks.outputs.test_quiz import begin


def numbered(*answers: int, **changes: Any) -> list[dict[str, Any]]:
    options = ["w", "x", "y", "z"]
    return [
        {"question": f"{n}?", "options": options, "answer": answer, "explanation": "So."} | changes
        for n, answer in enumerate(answers)
    ]


@pytest.mark.parametrize(
    ("said", "places"),
    [
        ([2, 4, 1], [1, 3, 0]),
        ([4, 2, 1], [3, 1, 0]),
        ([2, 0, 1], [2, 0, 1]),
        ([2, 3, 1], [2, 3, 1]),  # nothing shows it: the first option is 0
        ([2, 0, 4], [2, 0]),
        ([2, 4, 0], [1, 3]),
    ],
)
def test_from_where_the_model_counts_holds_for_the_whole_quiz(
    said: list[int], places: list[int]
) -> None:
    text = json.dumps({"title": "T", "questions": numbered(*said)})
    for size in (1, 10_000):
        answer = begin(3)
        deltas = [d for at in range(0, len(text), size) for d in answer.feed(text[at : at + size])]
        deltas += answer.close("stop")
        assert [one["answer"] for one in answer.result["questions"]] == places
        items = [d.value for d in deltas if isinstance(d, Item) and d.value and d.path != "/title"]
        assert items == answer.result["questions"]
        assert answer.dropped == ({"answer_out_of_range": 1} if len(places) < 3 else {})


def test_a_question_waits_only_until_the_count_shows() -> None:
    answer = begin(4)
    asked = [json.dumps(one) + "," for one in numbered(2, 1, 0, 3)]
    first = answer.feed('{"title": "T", "questions": [' + asked[0])
    assert [d.path for d in first if isinstance(d, Item)] == ["/title"]
    assert [d.token for d in first if isinstance(d, Text)] == ["T", "0?"]
    assert answer.feed(asked[1]) == []
    third = answer.feed(asked[2])
    assert [d.path for d in third if isinstance(d, Item)] == [f"/questions/{n}" for n in range(3)]
    fourth = answer.feed(asked[3])
    assert [d.path for d in fourth if isinstance(d, Item)] == ["/questions/3"]


@pytest.mark.parametrize(
    ("explanations", "said", "places", "waiting"),
    [
        (["It is y.", "So."], [2, 3], [2, 3], 0),
        (["It is x.", "It is y.", "So."], [2, 3, 1], [1, 2, 0], 0),
        (["It is x."], [2], [1], 1),
        (["Unlike x, it floats.", "So."], [2, 0], [2, 0], 0),
        (["Unlike x, it floats.", "It is z."], [2, 3], [2, 3], 0),
        (["It is x or y."], [2], [2], 1),
    ],
)
def test_explanations_show_from_where_the_model_counts(
    explanations: list[str], said: list[int], places: list[int], waiting: int
) -> None:
    answer = begin(len(said))
    asked = [
        one | {"explanation": explanation}
        for one, explanation in zip(numbered(*said), explanations, strict=True)
    ]
    deltas = answer.feed(json.dumps({"questions": asked}))
    assert len([d for d in deltas if isinstance(d, Item)]) == len(said) - waiting
    answer.close("stop")
    assert [one["answer"] for one in answer.result["questions"]] == places


def test_a_right_option_that_is_no_words_breaks_nothing() -> None:
    answer = begin(2)
    first, second = numbered(4, 4)
    answer.feed(
        json.dumps({"questions": [first | {"options": ["v", "w", "x", ", ", "z"]}, second]})
    )
    answer.close("stop")
    assert len(answer.result["questions"]) == 2
