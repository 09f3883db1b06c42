from __future__ import annotations

import pytest

from blocks.outputs.worked_example import WorkedExample, share_a_word


def example(prompt: str, about: str = "The life of a butterfly") -> WorkedExample:
    return WorkedExample(["Egg", "Caterpillar"], about=about, prompt=prompt)


def test_a_copy_is_known_by_what_a_reader_calls_the_same() -> None:
    copies = example("Rivers")
    assert copies.has("egg.")
    assert copies.has("CATERPILLAR")
    assert not copies.has("Eggs")


def test_what_the_prompt_holds_is_no_copy() -> None:
    copies = example("How an egg hatches")
    assert not copies.has("Egg")
    assert copies.has("Caterpillar")


@pytest.mark.parametrize("prompt", ["Butterflies", "Why do butterflies fly?", "BUTTERFLY"])
def test_a_prompt_about_the_same_subject_may_have_the_same_texts(prompt: str) -> None:
    assert not example(prompt).has("Egg")


def test_without_its_own_prompt_an_example_is_not_shown_so_nothing_is_copied() -> None:
    assert not example("Rivers", about=" ").has("Egg")


def test_a_subject_without_long_words_is_never_the_same() -> None:
    assert example("Rivers", about="Tea").has("Egg")


@pytest.mark.parametrize(
    ("text", "is_shared"),
    [
        ("Planets!", True),
        ("The planet's rings", True),
        ("Which planes fly?", False),
        ("Which one?", False),
        ("Sun", False),
        ("", False),
    ],
)
def test_two_texts_share_a_long_word_in_any_number(text: str, is_shared: bool) -> None:
    assert share_a_word(text, ["Why?", "Which planet is near the Sun?"]) is is_shared


def test_a_subject_that_the_prompt_shares_is_the_same_subject() -> None:
    copies = WorkedExample(["Egg"], about="Butterfly", prompt="Insects", subject=["An insect?"])
    assert not copies.has("Egg")
