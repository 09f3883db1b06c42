from __future__ import annotations

import pytest

from blocks.outputs.judge import are_options, has_meaning, is_loop, is_words

KEPT = [
    *("<div>", '<a href="x">', "</p>", 'dict["key"]', "{1, 2, 3}", "[0, 1)", "]0 ; 1[", "(a, b]"),
    *("[0,1) ∪ (1,2]", "]0;1[ ∪ ]2;3[", "a[i] = b[j]", "x < 5", "a <b", 'print("Hello, world!")'),
    *("5' 11\"", 'a 27", 4K screen', "Title: The Odyssey", "Answer: 42", "½", "C++", "x² + y²"),
    *("是", "نعم", "हाँ", "ใช่", "はい", "🌊", "∅", "→", "№ 3", "1", "0 1 0 1 0 1 0 1", "x x x"),
    *('"," and ";"', '"Hi", she said.', 'He said: "no"', 'x = "a"', '{"name": "x"}', "} else {"),
    *("for (i = 0; i < 3; i++) {", "int a[] = {1, 2", "std::vector<int>", "#include <stdio.h>"),
    *(r"\frac{1}{2}", "$x^2$", "if (a < b && c > d)", "a) one b) two c) three d) four", "question"),
    *("What is 3 + 4?", "The rain, the rain and the rain", "谢谢谢谢", "It's `x = 1`, **so**"),
]
VOID = [
    *(
        "",
        " ",
        ", ",
        "...",
        '"',
        "?!",
        "\ufffd\ufffd",
        ", x",
        ": x",
        "]: x",
        "}] x",
        '"}],',
        '": "Mars',
    ),
    *(
        "explanation]:",
        "explanation:",
        '"correct":',
        "Answer :",
        '"correct": x',
        'Mars "correct": 1',
    ),
    *('id="x', "src=3", "class='a", "<img src=", '<img src="a" alt=', "see <div", "the href="),
    *("a [[[ b", "]}]}].{", 'x"]', 'Mars"}', "x, [", '"foo: ", bar"', 'Mars", "wrong": ["a'),
    *("no no no no", "The rain. The rain, the rain; the RAIN", "a b c d " * 4, "蒸发蒸发蒸发蒸发"),
]


@pytest.mark.parametrize("text", KEPT)
def test_words_of_every_script_mathematics_and_code_are_kept(text: str) -> None:
    assert is_words(text)


@pytest.mark.parametrize("text", VOID)
def test_marks_pieces_of_form_and_loops_are_void(text: str) -> None:
    assert not is_words(text)


@pytest.mark.parametrize(
    ("texts", "are_good"),
    [
        (["==", "!=", "<", ">"], True),
        (["+", "−", "×", "÷"], True),
        (["Mars", ", ", "Venus", "Earth"], False),
        (["Mars", "==", "Venus", "Earth"], False),
        (["1", "2", "½", "π"], True),
        (["a", "b", "c", "]: d"], False),
        (["😀", "😂", "A", "B"], True),
        (["==", "=", "is", "equals"], True),
        (["&&", "&", "and", "AND"], True),
        (["[]", "{}", "()", "list[]"], True),
        (["$", "#", "@", "var"], True),
        (["Mars", ", ", '"},', "Earth"], False),
        (["Mars", "]", "}", "Earth"], False),
        (["Mars", "...", "...", "Earth"], False),
    ],
)
def test_options_have_letters_in_all_or_in_none(texts: list[str], are_good: bool) -> None:
    assert are_options(texts) is are_good


def test_a_loop_is_one_to_four_words_four_times_on_end() -> None:
    assert not is_loop("go go go")
    assert is_loop("so: go go go go!")
    assert not is_loop("a b c d e " * 4)
    assert not is_loop("1 1 1 1 1")


def test_meaning_is_a_letter_a_digit_or_a_symbol_beyond_ascii() -> None:
    assert [has_meaning(text) for text in ("é", "٣", "∞", "+", "$", "_")] == [True] * 3 + [
        False
    ] * 3
