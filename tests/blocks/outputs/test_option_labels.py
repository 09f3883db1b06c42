from __future__ import annotations

import pytest

from blocks.outputs.option_labels import (
    is_of_the_above,
    label_place,
    named_place,
    names_others,
    without_prefixes,
)


@pytest.mark.parametrize(
    "labels",
    [
        *("A) |B) |C) |D) ", "a. |b. |c. |d. ", "(c) |(d) |(e) |(f) ", "(a) |(b) |(c) |(d) "),
        *(
            "A: |B: |C: |D: ",
            "A - |B - |C - |D - ",
            "[A] |[B] |[C] |[D] ",
            "**A)** |**B)** |**C)** |**D)** ",
        ),
        *("1) |2) |3) |4) ", "(1) |(2) |(3) |(4) ", "I. |II. |III. |IV. ", "①|②|③|④"),
        *("А) |Б) |В) |Г) ", "أ) |ب) |ج) |د) ", "A、|B、|C、|D、", "甲、|乙、|丙、|丁、"),
    ],
)
def test_prefixes_go_if_all_options_have_them_in_order(labels: str) -> None:
    options = [
        label + text
        for label, text in zip(labels.split("|"), ["x", "y z", "1", "d)"], strict=False)
    ]
    texts, _ = without_prefixes(options)
    assert texts == (options if labels.startswith("(c)") else ["x", "y z", "1", "d)"])


@pytest.mark.parametrize(
    "options",
    [
        ["B) x", "A) y", "C) z", "D) w"],
        ["A) x", "B) y", "C) z", "w"],
        ["A", "B", "C", "D"],
        ["A)", "B)", "C)", "D)"],
        ["1. Mai", "2. Mai", "3. Mai", "4. Mai"],
        ["1:1", "2:1", "3:1", "4:1"],
        ["a.b", "b.c", "c.d", "d.e"],
        ["A-B", "B-C", "C-D", "D-E"],
        ["C) x", "D) y", "E) z", "F) w"],
    ],
)
def test_what_only_looks_like_a_prefix_stays(options: list[str]) -> None:
    assert without_prefixes(options) == (options, False)


def test_prefixes_that_are_numbers_are_told() -> None:
    assert without_prefixes(["1) a", "2) b", "3) c", "4) d"])[1]
    assert not without_prefixes(["A) a", "B) b", "C) c", "D) d"])[1]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        *(
            (text, (1, ""))
            for text in ("B", "b)", "(B)", "[B]", " B. ", "**B**", "Option B", "Б", "②", "2")
        ),
        ("the correct answer is C", (2, "")),
        ("Answer: D", (3, "")),
        ("B. Venus", (1, "Venus")),
        ("(b) the second one", (1, "the second one")),
        ("B - Venus", (1, "Venus")),
        ("Be", None),
        ("C++", None),
        ("A Venus", None),
        ("Z", None),
        ("", None),
    ],
)
def test_an_option_is_named_by_its_letter(text: str, place: tuple[int, str] | None) -> None:
    assert named_place(text) == place


def test_a_label_has_a_place() -> None:
    assert [label_place(label) for label in ("A", "h", "4", "丁", "Z", "AB", "")] == [
        0,
        7,
        3,
        3,
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Both A and B",
        "A and C",
        "A & B",
        "a is wrong, B or C",
        "Only A",
        "B only",
        "Options A",
        "A et B",
        "A和B",
    ],
)
def test_an_option_may_name_others(text: str) -> None:
    assert names_others(text)
    assert not is_of_the_above(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "All of the above",
            "none of the above.",
            "None of these",
            "Both of the above",
            "All",
            "Neither",
        ),
        *("Alle genannten", "Keine der Antworten", "Toutes les réponses", "Aucune de ces réponses"),
        *("Todas las anteriores", "Nenhuma das anteriores", "Nessuna delle precedenti"),
        *(
            "Ничего из перечисленного",
            "以上都是",
            "以上皆非",
            "上記のすべて",
            "위의 모두",
            "كل ما سبق",
            "उपरोक्त सभी",
        ),
    ],
)
def test_an_option_may_be_about_the_ones_above(text: str) -> None:
    assert is_of_the_above(text)


@pytest.mark.parametrize(
    "text",
    [
        "All the planets",
        "Vitamin C",
        "The sky above",
        "A cat and a dog",
        "Both hands",
        "None of it",
    ],
)
def test_other_options_are_about_themselves(text: str) -> None:
    assert not names_others(text)
    assert not is_of_the_above(text)
