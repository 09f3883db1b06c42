from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from blocks.outputs.loose_json import LooseJson
from blocks.outputs.part_value import PartValue
from tests.contracts.loose_writing import loosely, wrapped


class Documents:
    """Builds the documents that a reader tells it about."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.broken_off = 0
        self._value = PartValue()

    def _after(self) -> None:
        if self._value.is_whole:
            self.values.append(self._value.value)
            self._value = PartValue()

    def begin(self, bracket: str) -> None:
        self._value.begin(bracket)

    def end(self) -> None:
        self._value.end()
        self._after()

    def name(self, name: str) -> None:
        self._value.name(name)

    def text(self, piece: str) -> None:
        assert piece
        self._value.text(piece)

    def text_end(self) -> None:
        self._value.text_end()

    def atom(self, value: Any) -> None:
        self._value.atom(value)

    def unusable(self) -> None:
        self._value.unusable()

    def broken(self) -> None:
        self.broken_off += 1
        self._value = PartValue()


def read(text: str, *, size: int = 10_000, is_whole: bool = True) -> Documents:
    documents = Documents()
    reader = LooseJson(documents)
    for at in range(0, len(text), size):
        reader.feed(text[at : at + size])
    reader.finish(is_whole=is_whole)
    return documents


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('{"a": "x"}', [{"a": "x"}]),
        ('{"a": "x",}', [{"a": "x"}]),
        ("{'a': 'It's so', 'b': 'x'}", [{"a": "It's so", "b": "x"}]),
        ("{“a”: “x”}", [{"a": "x"}]),
        ("{`a`: `x`}", [{"a": "x"}]),
        ('{a: "x", b_2: 1}', [{"a": "x", "b_2": 1}]),
        ('{"a": B, "c": Its rings, "d": 50%}', [{"a": "B", "c": "Its rings", "d": "50%"}]),
        ('{"a": 1 # one\n, "b": .5}', [{"a": 1, "b": ".5"}]),
        ('{"a": He said, "b": 1}', [{"a": "He said", "b": 1}]),
        ('{"a": "He said "hi", then left.", "b": 1}', [{"a": 'He said "hi", then left.', "b": 1}]),
        ('{"a": ["d["key"]", "print("x")"]}', [{"a": ['d["key"]', 'print("x")']}]),
        ('{"a": ["x" "y"\n"z"]}', [{"a": ["x", "y", "z"]}]),
        ('{"a"：“x”，"b": ["y"，"z"]}', [{"a": "x", "b": ["y", "z"]}]),
        ('{"a": "说"好"，然后走"}', [{"a": '说"好"，然后走'}]),
        ('A["x"] and a_["y"]: {"a": 1}', [{"a": 1}]),
        ('{"a": "x" "b": "y"}', [{"a": "x", "b": "y"}]),
        ('{"a": [{"b": 1, {"b": 2}]}', [{"a": [{"b": 1}, {"b": 2}]}]),
        ('{"a": [{"b": 1}}, {"b": 2}}]}', [{"a": [{"b": 1}, {"b": 2}]}]),
        ('{"a": [1, 2}', [{"a": [1, 2]}]),
        ('{"a": [...], "b": …}', [{"a": [], "b": None}]),
        ('{"a": , "b": }', [{"a": None, "b": None}]),
        ('{"a": "x"} and {"b": "y"}', [{"a": "x"}, {"b": "y"}]),
        ('{"a": 1}\n{"b": 2}', [{"a": 1}, {"b": 2}]),
        ('Use {"a", "b"} or {c} or f({}): {"a": 1}', [{}, {"a": 1}]),
        ("It's {so}, isn't it [1]?", []),
        ('{"a" 1} {"b": 2}', [{"b": 2}]),
        ('{"a": 1 /* {"b": 2} */}', [{"a": 1}]),
        ('{"a": "// no comment"}', [{"a": "// no comment"}]),
        ('\ufeff{"a": "\\frac{1}{2}"}', [{"a": "\\frac{1}{2}"}]),
    ],
)
def test_what_is_meant_is_read_at_every_size_of_token(text: str, values: list[Any]) -> None:
    for size in (1, 2, 3, 10_000):
        assert read(text, size=size).values == values


@pytest.mark.parametrize("seed", range(60))
def test_however_a_value_is_written_and_cut_it_is_read(seed: int) -> None:
    random = Random(seed)
    value = {"a": ['It\'s "so", no?', 1, None, {"b": [], "c": "\\times 2\n"}], "d": True, "é": "🌊"}
    text = wrapped(loosely(value, random, quote=random.choice("\"'“")), random)
    documents = read(text, size=random.choice((1, 2, 5, 10_000)))
    found = [one[0] if isinstance(one, list) else one for one in documents.values if one]
    assert found == [value], text


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_text_that_ends_early_is_closed_only_if_the_model_ended_it(is_whole: bool) -> None:
    for text, value in [
        ('{"a": {"b": "x"', {"a": {"b": "x"}}),
        ('{"a": [1, 2', {"a": [1, 2]}),
        ('{"a": 1, ', {"a": 1}),
    ]:
        assert read(text, is_whole=is_whole).values == ([value] if is_whole else [])
    for text in ('{"a": "x', '{"a":', '{"a'):
        assert read(text, is_whole=is_whole).values == []


def test_what_waits_for_a_decision_is_bounded() -> None:
    documents = Documents()
    reader = LooseJson(documents)
    reader.feed('{"a": "x"')
    reader.feed(" " * 5_000)
    reader.feed("}")
    assert documents.values == [{"a": "x"}]


def test_a_name_without_end_breaks_the_document_off() -> None:
    documents = read('{"a": 1, "' + "x" * 5_000 + '": 1} {"b": 2}')
    assert documents.broken_off == 1
    assert documents.values == [{"b": 2}]


def test_prose_ends_where_the_first_document_begins() -> None:
    reader = LooseJson(Documents())
    for piece in ("Here {it} ", "is [1]: ", '{"a"', ": 1} more ", json.dumps({"b": 2})):
        reader.feed(piece)
    assert reader.prose == "Here {it} is [1]: "
