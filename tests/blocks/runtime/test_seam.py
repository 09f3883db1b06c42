"""Joins texts and their continuations, by models that continue and by models that are asked."""

from __future__ import annotations

import pytest

from blocks.runtime.seam import MAX_REPETITION, Seam, tail_of

TEXTS = {
    "english": "The sky is blue because air scatters light.\n\nSunlight looks white, but it is a"
    " mix of all colours. Blue light is scattered more, and again and again it is scattered.\n\n"
    "- One thing\n    - nested (see below)\n\nThe end, e.g. 3.14 or U.S. law: “quoted” text.",
    "german": "Der Himmel ist blau. Straßenbahnhaltestellen, immer und immer wieder.\nÄpfel und"
    " Öl.",
    "chinese": "天空是蓝色的，因为空气散射阳光。\n\n因此我们看到蓝色的天空，一步一步地走。",
    "arabic": "السماء زرقاء لأن الهواء يشتت ضوء الشمس. الضوء الأزرق يتشتت أكثر من الأحمر.",
    "hindi": "आकाश नीला है क्योंकि हवा प्रकाश को बिखेरती है। धीरे धीरे।",
    "thai": "ท้องฟ้าเป็นสีฟ้าเพราะอากาศกระจายแสงอาทิตย์",
    "code": "Here it is:\n\n```python\ndef f(x):\n    if x:\n        return None\n    return None\n"
    "```\n\nThat is all.",
    # What repeats itself rightly.
    "matrix": "0 0 0 0\n" * 30,
    "table": "| a b | c d |\n|---|---|\n" + "| 1 2 | 3 4 |\n" * 12,
    "refrain": "Row, row, row your boat\n" * 12,
    "syllables": "la la la la, " * 20,
    "lines of code": "```\n" + "x = f(a, b, c, d)\n" * 12 + "```\n",
    "laughter": "哈哈哈" * 40,
    "speech": "“No,” he said. “No,” he said again and again. " * 6,
}
CUTS = [(whole, cut) for whole in TEXTS.values() for cut in range(1, len(whole))]


def joined(text: str, reply: str, *, is_asked: bool, size: int = 3, prompt: str = "Why?") -> str:
    seam = Seam(text, prompt, is_asked=is_asked)
    tokens = [reply[at : at + size] for at in range(0, len(reply), size)]
    return text + "".join(map(seam.feed, tokens)) + seam.close()


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_cut_anywhere_the_text_and_what_a_model_continues_are_the_whole(size: int) -> None:
    for whole, cut in CUTS:
        got = joined(whole[:cut], whole[cut:], is_asked=False, size=size)
        assert got == whole, (whole[:cut], whole[cut:])


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_cut_anywhere_the_last_words_of_a_text_show_an_asked_model_where_it_goes_on(
    size: int,
) -> None:
    for whole, cut in CUTS:
        text = whole[:cut]
        reply = tail_of(text) + whole[len(text.rstrip()) :]
        assert joined(text, reply, is_asked=True, size=size) == whole, (text, reply)


@pytest.mark.parametrize(
    ("text", "reply", "whole"),
    [
        # more than the last words
        ("The sky is bl", "The sky is blue.", "The sky is blue."),
        ("The sun is a ball of", "a ball of gas", "The sun is a ball of gas"),
        ("The sun is a ball of", "…a ball of gas", "The sun is a ball of gas"),
        ("The sun is a ball of ", "\n a ball of gas", "The sun is a ball of gas"),
        ("天空是蓝色的，因为空", "蓝色的，因为空气", "天空是蓝色的，因为空气"),
        # a cut word that is begun anew
        ("It lives by photosyn", "photosynthesis.", "It lives by photosynthesis."),
        ("It lives by photosyn", " photosynthesis.", "It lives by photosynthesis."),
        # nothing is repeated: in mid-word
        ("It lives by photosyn", "thesis of it", "It lives by photosynthesis of it"),
        ("After the rain a rainbow. A rain", "bow", "After the rain a rainbow. A rainbow"),
        ("It is 3.", "14 metres", "It is 3.14 metres"),
        ("A **bold", "** word", "A **bold** word"),
        ("天空是蓝色的，因为空", "气散射", "天空是蓝色的，因为空气散射"),
        ("```\nx = Sys", "Tem", "```\nx = SysTem"),
        # nothing is repeated: a new word
        ("The sun is a ball of", "gas", "The sun is a ball of gas"),
        ("The sun is a ball of", "… gas", "The sun is a ball of gas"),
        ("A ball is round. The ball", "rolls", "A ball is round. The ball rolls"),
        ("Made of helium", "and dust", "Made of helium and dust"),
        ("We go to Mount", "Everest", "We go to Mount Everest"),
        ("The sun is hot.", "It is big.", "The sun is hot. It is big."),
        ("Hot,", "but far", "Hot, but far"),
        # blanks
        ("The sun is ", " hot", "The sun is hot"),
        ("The sun is", " hot", "The sun is hot"),
        ("The sun is ", "hot", "The sun is hot"),
        ("The end.\n\n", "\n\nMore", "The end.\n\nMore"),
        ("The end.\n", "\n\nMore", "The end.\n\nMore"),
        ("```\nif x:\n    ", "    return", "```\nif x:\n    return"),
        # what may be meant stays
        ("We can", "cancel it", "We can cancel it"),
        ("It had", "had enough", "It had had enough"),
        ("The end.", "", "The end."),
    ],
)
def test_an_asked_model_that_writes_otherwise_is_joined_rightly_too(
    text: str, reply: str, whole: str
) -> None:
    for size in (1, 4, 100):
        assert joined(text, reply, is_asked=True, size=size) == whole


@pytest.mark.parametrize(
    ("text", "reply", "whole"),
    [
        ("one two three four", "one two three four five", "one two three four five"),
        (
            "So one two three four",
            " one two three four",
            "So one two three four one two three four",
        ),
        ("It grew more and", " more and more", "It grew more and more and more"),
        ("The sun is ", " hot", "The sun is hot"),
        ("x = [\n", "\n    1", "x = [\n\n    1"),
        ("```\nx ", " = 1", "```\nx  = 1"),
        ("Yes", "terday", "Yesterday"),
    ],
)
def test_of_a_model_that_continues_only_a_whole_repetition_and_doubled_blanks_are_cut(
    text: str, reply: str, whole: str
) -> None:
    assert joined(text, reply, is_asked=False) == whole


def test_words_are_held_back_only_while_they_may_be_a_repetition() -> None:
    seam = Seam("The sky is blue.", "Why?", is_asked=False)
    assert seam.feed("The sky") == ""
    assert seam.feed(" was") == "The sky was"
    assert seam.feed("The") == "The"
    assert seam.close() == ""


def test_a_repetition_without_an_end_is_let_go() -> None:
    text = "ha " * MAX_REPETITION
    seam = Seam(text, "Laugh", is_asked=False)
    got = sum(len(seam.feed("ha " * 100)) for _ in range(MAX_REPETITION // 100))
    assert got > MAX_REPETITION
