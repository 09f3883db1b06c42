from __future__ import annotations

import pytest

from blocks.outputs.demo.wording import is_cut, is_label, without_unfinished, wording_key


@pytest.mark.parametrize(
    "texts",
    [
        ("Volcano", "A volcano", "Volcanoes", "the Volcano."),
        ("Supply market", "Market supply"),
        ("Train", "Train train"),
        ("Valve", "Valves"),
        ("Which game is the oldest?", "Which is the oldest game?"),
        ("Die Flüsse", "die flüsse"),
        ("是", "是。"),
    ],
)
def test_the_same_words_have_one_key(texts: tuple[str, ...]) -> None:
    assert len({wording_key(text) for text in texts}) == 1


@pytest.mark.parametrize(
    "texts",
    [
        ("C", "C++", "C#"),
        ("1", "-1", "+1"),
        ("10%", "10"),
        ("A", "An", "The"),
        ("Rain", "Train"),
        ("World War I", "World War II"),
        ("水", "火"),
        ("نعم", "لا"),
    ],
)
def test_other_words_and_marks_that_count_have_other_keys(texts: tuple[str, ...]) -> None:
    assert len({wording_key(text) for text in texts}) == len(texts)


@pytest.mark.parametrize(
    "text", ["The Battle of", "Sea with", "Born in the", "one two three four five six", "w" * 19]
)
def test_a_text_without_its_end_is_cut(text: str) -> None:
    assert is_cut(text)


@pytest.mark.parametrize("text", ["The Battle of Hastings", "Sea", "To be", "1066", "水", ""])
def test_a_text_with_its_end_is_not_cut(text: str) -> None:
    assert not is_cut(text)


@pytest.mark.parametrize(
    ("text", "rest"), [("Sea with the ", "Sea"), ("the", ""), ("Into the sea", "Into the sea")]
)
def test_words_that_need_another_one_are_cut_off(text: str, rest: str) -> None:
    assert without_unfinished(text) == rest


@pytest.mark.parametrize(
    "text", ["Mix 1-2-3", "水", "Rain falls", "Mississippi", "Couscous", "2 to 2", "أ"]
)
def test_words_are_a_label(text: str) -> None:
    assert is_label(text)


@pytest.mark.parametrize("text", ["1-2-3", "X 4", "Train train", "The sea, sea", "Mouthmouth", ""])
def test_figures_alone_and_a_word_twice_on_end_are_none(text: str) -> None:
    assert not is_label(text)
