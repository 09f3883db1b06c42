from __future__ import annotations

import pytest

from blocks.outputs.option_labels import (
    is_numbered,
    label_place,
    named_option,
    split_options,
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
        *("ا. |ب. |ت. |ث. ", "الف) |ب) |ج) |د) ", "١) |٢) |٣) |٤) ", "१) |२) |३) |४) "),
        *("अ) |ब) |स) |द) ", "ก. |ข. |ค. |ง. ", "ㄱ. |ㄴ. |ㄷ. |ㄹ. ", "㉠|㉡|㉢|㉣"),
        *("ა) |ბ) |გ) |დ) ", "Ա) |Բ) |Գ) |Դ) ", "Ａ．|Ｂ．|Ｃ．|Ｄ．", "Ⓐ |Ⓑ |Ⓒ |Ⓓ "),
        *("ⅰ) |ⅱ) |ⅲ) |ⅳ) ", "A] |B] |C] |D] ", "- |- |- |- "),
        *("Option A: |Option B: |Option C: |Option D: ", "A.) |B.) |C.) |D.) "),
    ],
)
def test_prefixes_go_if_all_options_have_them_in_order(labels: str) -> None:
    options = [
        label + text
        for label, text in zip(labels.split("|"), ["x", "y z", "u", "d)"], strict=False)
    ]
    texts, _ = without_prefixes(options)
    assert texts == (options if labels.startswith("(c)") else ["x", "y z", "u", "d)"])


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
    assert without_prefixes(options) == (options, [])


def test_the_labels_that_went_are_told() -> None:
    assert without_prefixes(["1) a", "2) b", "3) c", "4) d"])[1] == ["1", "2", "3", "4"]
    assert without_prefixes(["A) a", "(b) b", "C. c", "Ⓓ d"])[1] == ["A", "b", "C", "Ⓓ"]
    assert without_prefixes(["A.Paris", "B.Rome", "C.Oslo", "D.Bern"]) == (
        ["Paris", "Rome", "Oslo", "Bern"],
        ["A", "B", "C", "D"],
    )


def test_labels_may_be_the_numbers_from_1() -> None:
    assert is_numbered("1234")
    assert is_numbered("١٢٣٤")
    assert is_numbered("①②③④")
    assert not is_numbered("0123")
    assert not is_numbered("ABCD")
    assert not is_numbered("")


def test_options_in_one_text_are_split_by_lines_or_labels() -> None:
    assert split_options("A) x y\nB) z\n") == ["A) x y", "B) z"]
    assert split_options("A) x y B) z (C) w") == ["A) x y", "B) z", "(C) w"]
    assert split_options("x, y, z, w") == ["x, y, z, w"]


@pytest.mark.parametrize(
    ("text", "label", "rest"),
    [
        *((text, "B", "") for text in ("B", "(B)", "[B]", " B. ", "**B**", "Option B", "option_B")),
        *((text, "b", "") for text in ("b)", "b,", "Choice b", "the answer is b")),
        *((text, text, "") for text in ("Б", "②", "2", "Ⅱ")),
        ("the correct answer is C", "C", ""),
        ("Answer: D", "D", ""),
        ("D is the right one", "D", ""),
        ("B. Venus", "B", "Venus"),
        ("(b) the second one", "b", "the second one"),
        ("B - Venus", "B", "Venus"),
        ("B (Venus)", "B", "Venus"),
        ("Venus (B)", "B", "Venus"),
        ("1789 (A)", "A", "1789"),
    ],
)
def test_an_option_is_named_by_its_label(text: str, label: str, rest: str) -> None:
    assert named_option(text) == (label, rest)


@pytest.mark.parametrize("text", ["Be", "C++", "A Venus", "Z", "", "B and C", "B is not right"])
def test_other_texts_name_no_option_by_a_label(text: str) -> None:
    assert named_option(text) is None


def test_a_label_has_a_place() -> None:
    assert [label_place(label) for label in ("A", "h", "4", "丁", "٣", "Ⅳ", "Z", "AB", "")] == [
        0,
        7,
        3,
        3,
        2,
        3,
        None,
        None,
        None,
    ]
