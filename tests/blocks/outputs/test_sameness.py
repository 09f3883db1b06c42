from __future__ import annotations

import pytest

from blocks.outputs.sameness import are_different, sameness


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Paris", " paris. "),
        ("Paris", "“Paris!”"),
        ("two  words", "Two\nwords?"),
        ("Ｐａｒｉｓ", "Paris"),
        ("是", "是。"),
        ("نعم؟", "نعم"),
        ("¿Qué?", "qué"),
        ("- a bullet", "a bullet"),
        ("straße", "STRASSE"),
        ("e\u0301t\u00e9", "\u00e9te\u0301"),
    ],
)
def test_texts_that_a_reader_calls_the_same_have_one_key(one: str, other: str) -> None:
    assert sameness(one) == sameness(other)


@pytest.mark.parametrize(
    "texts",
    [
        ("C", "C++", "C#"),
        ("1", "−1", "-1", "+1", ".1"),
        ("10²", "102", "10"),
        ("n", "n!", "n'"),
        ("5", '"5"', "5!"),
        ("True", '"True"'),
        ("[0, 1)", "(0, 1)", "[0, 1]"),
        ("f", "f()"),
        ("==", "!=", "<", ">"),
        (".", "!", "?"),
        ("}", "};", ")"),
    ],
)
def test_marks_that_mean_something_count(texts: tuple[str, ...]) -> None:
    assert len({sameness(text) for text in texts}) == len(texts)


def test_case_counts_on_demand() -> None:
    assert sameness("Aa.", is_cased=True) != sameness("aa", is_cased=True)
    assert sameness("Aa.", is_cased=True) == sameness("Aa", is_cased=True)


def test_texts_that_differ_by_case_alone_are_different_where_case_is_the_point() -> None:
    texts = ["Aa", "aa", "AA", "B"]
    assert are_different(texts, "Is it Aa, aa or AA?")
    assert not are_different(texts, "Is it Aa or aa?")
    assert not are_different(["Aa", "Aa.", "b"], "Aa or Aa.")
    assert are_different(["MAX_SIZE", "max_size", "maxSize", "MaxSize"], "")
    assert are_different(["JavaScript", "Javascript", "javascript"], "")
    assert are_different(["mW", "MW", "kW", "W"], "")
    assert not are_different(["maxSize", "maxSize.", "b"], "")
    assert not are_different(["The Sun", "the sun", "b"], "")
    assert are_different(["a", "b"], "")
