from __future__ import annotations

import json
from typing import Any

import pytest

from blocks.delta import Delta, Item, Text
from blocks.outputs.base import Dropped
from blocks.outputs.part_value import Path
from blocks.outputs.titled import TitledAnswer


class Words(TitledAnswer):
    """A title and a list of words with `is`."""

    lists = {"words": frozenset({"words", "list"})}
    part_names = frozenset({"is"})
    wrappers = frozenset({"box"})
    default_title = "Words"

    def __init__(self) -> None:
        super().__init__("Rivers", {"title": 20})
        self.words: list[str] = []

    def next_ask(self) -> None:
        return None

    @property
    def unnamed_list(self) -> str:
        return "words"

    def list_of(self, value: Any) -> str | None:
        return "words" if "is" in value else None

    def list_place(self, name: str) -> Path | None:
        return None if self.is_second_version else (name, len(self.words))

    def grown_path(self, place: Path, inner: Path) -> Path | None:
        return place if place == ("title",) else None

    def accept_part(self, name: str, value: Any) -> Any:
        if not isinstance(value, dict):
            raise Dropped("schema")
        self.words.append(value["is"])
        return value["is"]


def play(text: str) -> tuple[Words, list[Delta]]:
    answer = Words()
    deltas = [delta for char in text for delta in answer.feed(char)]
    return answer, deltas + answer.close("stop")


PARTS = [{"is": "x"}, {"is": "y"}]


@pytest.mark.parametrize(
    "value",
    [
        {"title": "T", "words": PARTS},
        {"Title": "T", "List": PARTS},
        {"name": "T", "words": PARTS},
        {"topic": "T", "words": PARTS},
        {"words": PARTS, "title": "T"},
        {"box": {"title": "T", "words": PARTS}},
        {"box": {"id": 1, "title": "T", "words": PARTS}},
        {"other": {"deep": {"title": "T", "words": PARTS}}},
        {"title": "T", "words": json.dumps(PARTS)},
        {"title": "T", "words": {"1": PARTS[0], "2": PARTS[1]}},
        {"title": "T", "first": PARTS[0], "second": PARTS[1]},
        [{"title": "T", "words": PARTS}],
        [{"title": "T"}, {"words": PARTS}],
    ],
)
def test_the_title_and_the_parts_are_found_wherever_they_are(value: Any) -> None:
    answer, deltas = play(json.dumps(value))
    assert answer.words == ["x", "y"]
    assert sorted(
        (d.path, d.value) for d in deltas if isinstance(d, Item) and d.value is not None
    ) == [("/title", "T"), ("/words/0", "x"), ("/words/1", "y")]
    assert not answer.dropped


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        (5, "schema"),
        (" ", "schema"),
        ("x" * 21, "schema"),
        (", x", "not_words"),
        ("title:", "not_words"),
    ],
)
def test_a_title_that_is_no_title_is_replaced(title: Any, reason: str) -> None:
    answer, deltas = play(json.dumps({"title": title, "words": PARTS}))
    assert answer.dropped == {reason: 1}
    assert deltas[-1] == Item("/title", "Words")


def test_a_long_title_ends_with_a_whole_word_and_grows_as_it_ends() -> None:
    _, deltas = play(json.dumps({"title": "one two three four five six", "words": PARTS}))
    assert Item("/title", "one two three four…") in deltas
    told = [d.token for d in deltas if isinstance(d, Text)]
    assert "".join(told) == "one two three four…"


def test_a_second_version_of_the_whole_is_ignored() -> None:
    first = json.dumps({"title": "T", "words": PARTS})
    answer, deltas = play(f"{first} Or: {json.dumps({'title': 'U', 'words': [{'is': 'z'}]})}")
    assert answer.words == ["x", "y"]
    assert [d.value for d in deltas if isinstance(d, Item) and d.path == "/title"] == ["T"]
    assert not answer.dropped


def test_parts_one_after_the_other_are_one_list() -> None:
    answer, _ = play('{"is": "x"}\n{"is": "y"}\n{"id": 3, "is": "z"}')
    assert answer.words == ["x", "y", "z"]


def test_what_is_found_late_is_bounded_in_depth() -> None:
    value: Any = PARTS
    for _ in range(40):
        value = {"other": value}
    answer, _ = play(json.dumps(value))
    assert answer.words == []
