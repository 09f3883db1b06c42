from __future__ import annotations

import random

import pytest

from blocks.runtime.repetition import VERSE_TIMES, Repetition

A = "The model says the same thing again."
B = "Nobody has asked for that at all."
LONG = "A sentence that is alone on its line, and longer than any line of a poem would ever be."


def kept(text: str, size: int = 1) -> str | None:
    """Return the text that is kept if it ends as a loop, when it comes in pieces of this size."""
    loop = Repetition()
    for at in range(0, len(text), size):
        count = loop.feed(text[at : at + size])
        if count is not None:
            return text[: at + count]
    return None


LOOPS = {
    "on one line": f"{A} {B} {A} It goes on. {A} {B}",
    "in paragraphs": f"{A}\n\n{A}\n\n{A}\n\n{A}\n",
    "long paragraphs": f"{LONG}\n\n{LONG}\n\n{LONG}\n\nEnd",
    "the same line on end": f"{A}\n" * 5,
    "items of a list": "".join(f"{n}. Drink a glass of warm water\n" for n in range(1, 9)),
    "bullets without an end mark": "- Drink a glass of warm water\n" * 4,
    "case and emphasis apart": f"{A} **{A}** {A.upper()} Next",
    "questions": "Who was the first king of France? " * 4,
    "in quotes": f"> {LONG}\n>\n> {LONG}\n>\n> {LONG}\n> ",
    "quoted speech": 'He said "this is not what I want!" ' * 4,
    "Chinese": "我们今天一起去公园散步看花。" * 4,
    "Japanese": "今日はみんなで公園に行きました。" * 4,
    "Arabic": "هل تعرف أين يقع هذا البلد؟ " * 4 + " x",
    "Hindi": "हम सब आज बाग़ में घूमने जाते हैं। " * 4,
    "Thai": "วันนี้เราไปเดินเล่นที่สวนสาธารณะ\n\n" * 4,
    "Russian": "Это предложение из шести простых слов. " * 4,
    "after a fence": f"```\ncode\n```\n{LONG}\n\n{LONG}\n\n{LONG}\n",
    "words that lead nowhere": "Here is how to do it:\n\n" * 40,
    "headings without a text": "## What you need to know first\n\n" * 40,
    "bold sentences": f"**{A}**\n\n" * 4,
    "a code span": f"`a` {LONG} `a` {LONG} `a` {LONG} `a`",
    "after code in a list": f"- ```sh\n  ls\n  ```\n{LONG}\n\n{LONG}\n\n{LONG}\n",
    "before code": f"{A}\n```\ncode\n```\n" * 4,
    "bars that are no table": "The absolute value |x| is its distance from zero. " * 4,
    "a bar in a formula": "So P(A|B) is not the same as P(B|A) here. " * 4,
    "paragraphs after verse": "A line of a poem here\nAnd one more line here\n\n" + f"{A}\n\n" * 4,
    "a blank where a line becomes long": f"{'x' * 22} {A} " * 4,
    "Mr. and Dr.": "Then Mr. Smith saw Dr. Jones in the old town. " * 4,
}

FAIR = {
    "twice": f"{A} {B} {A} {B} And then something else happened.",
    "short sentences": "I like you. " * 20,
    "code": f"```python\n{(LONG + chr(10)) * 5}```\n",
    "open code": f"~~~\n{(LONG + chr(10)) * 5}",
    "code with a shorter fence in it": f"````\n```\n{(LONG + chr(10)) * 5}",
    "indented code": f"    print('{LONG}')\n" * 5,
    "a table": f"| {A} | {B} |\n" * 5,
    "a table without outer pipes": f"{A} | {B} and more words than a line has\n" * 5,
    "a refrain": "".join(
        f"Verse number {n} tells of another sea\nRow the boat along the silver stream\n"
        "Sing with me until the morning comes\n\n"
        for n in range(8)
    ),
    "a line that begins each stanza": "".join(
        f"This is the song that never really ends,\nIt goes on to number {n}\n\n" for n in range(8)
    ),
    "a line thrice, then another": "We all live in a small house\n" * 3 + "And the band begins\n",
    "a line three times in a chorus": "".join(
        f"What shall we do with sailor number {n}\n" * 3
        + "Early in the morning!\n\n"
        + "Way hay and up she rises,\n" * 3
        + "Early in the morning!\n\n"
        for n in range(6)
    ),
    "a chorus of one line": "".join(
        f"{n} birds are sitting on a wall\nAnd one of them begins to fall\n\n"
        "Oh what a merry life it is\n\n"
        for n in range(6)
    ),
    "a chorus of two equal lines": "".join(
        f"{n} birds are sitting on a wall\nAnd one of them begins to fall\n\n"
        + "Oh what a merry life it is\n" * 2
        + "\n"
        for n in range(6)
    ),
    "verse under headings": "".join(
        f"## Verse {n}\nNumber {n} is sitting on a wall\nAnd now begins to fall\n\n## Chorus\n"
        "Oh what a merry life it is\n\n"
        for n in range(6)
    ),
    "headings": "".join(
        f"## City {n}\n\n### What you need to know first\n\nIt has {n} parks.\n\n" for n in range(6)
    ),
    "headings in bold": "".join(
        f"**City {n}**\n\n**What you need to know first**\n\nIt has {n} parks.\n\n"
        for n in range(6)
    ),
    "an equation": "".join(
        f"$$a x^2 + b x + c = 0$$\n\nStep {n} is here.\n\n\\[ a + b + c + d = {n % 2} \\]\n\n"
        for n in range(8)
    ),
    "long lines of verse": "".join(
        f"She'll be driving {n} white horses when she comes (when she comes),\n"
        "She'll be coming round the mountain when she comes (when she comes).\n\n"
        for n in range(6)
    ),
    "words that lead to code": "".join(
        f"Here is how to do it:\n\n```\n{n}\n```\n\n" for n in range(6)
    ),
    "words that lead to a list": "".join(
        f"This is the plan for number {n}, which is not the one above it.  **These are the things"
        f" that you need:**\n\n- {n} nails\n\n"
        for n in range(6)
    ),
    "code in a list": "".join(f"{n}. ```sh\n   {LONG}\n   ```\n" for n in range(6)),
    "names after an abbreviation": "".join(
        f"Number {n} met Dr. Smith of the old town. And {n} knew George W. Bush of the new town. "
        for n in range(6)
    ),
    "numbers that differ": "".join(f"{n} times seven is {7 * n} in all. " for n in range(30)),
    "steps that differ": "".join(f"- Turn the handle to the mark {n}\n" for n in range(30)),
    "short Chinese": "我不知道。" * 10,
    "decimals": "3.14 is 3.14 and 2.71 is 2.71 and so on, " * 2,
}


@pytest.mark.parametrize("text", LOOPS.values(), ids=LOOPS)
def test_a_sentence_that_comes_a_third_time_ends_the_text(text: str) -> None:
    found = kept(text)
    assert found is not None
    assert found.removesuffix("\n") == found.rstrip()


@pytest.mark.parametrize("text", FAIR.values(), ids=FAIR)
def test_what_repeats_itself_rightly_goes_on(text: str) -> None:
    assert kept(text) is None


@pytest.mark.parametrize("text", [*LOOPS.values(), *FAIR.values()], ids=[*LOOPS, *FAIR])
def test_where_the_text_is_cut_into_tokens_changes_nothing(text: str) -> None:
    whole = kept(text)
    draw = random.Random(text)
    for size in (2, 3, 5, 7, len(text)):
        assert kept(text, size) == whole
    for _ in range(20):
        loop, at = Repetition(), 0
        found = None
        while at < len(text) and found is None:
            token = text[at : at + draw.randint(1, 12)]
            count = loop.feed(token)
            found = None if count is None else text[: at + count]
            at += len(token)
        assert found == whole


def test_the_third_sentence_is_kept_to_its_end() -> None:
    assert kept(f"{A} {B} {A} {A} {B} {A}") == f"{A} {B} {A} {A}"


def test_verse_without_end_is_a_loop_too() -> None:
    stanza = "Round and round the garden we go\nLike a teddy bear in the snow\n\n"
    assert kept(stanza * (VERSE_TIMES - 1)) is None
    found = kept(stanza * 200)
    assert found is not None
    assert len(found) < len(stanza) * (VERSE_TIMES + 1)


def test_the_cost_grows_with_the_length_and_no_faster() -> None:
    loop = Repetition()
    assert loop.feed("word " * 100_000) is None
    assert loop.feed("x" * 200_000) is None
    assert loop.feed("".join(f"{n} is a number that comes once. " for n in range(10_000))) is None
    assert loop.feed("ha\n" * 50_000) is None


def test_what_a_text_adds_to_counts() -> None:
    loop = Repetition(f"{A} {B} {A} {B} The mod")
    assert loop.feed(f"el is {A} {B} {A}") == len(f"el is {A} {B}")


def test_a_loop_before_the_text_ends_it_at_its_next_turn() -> None:
    loop = Repetition(f"{A} " * 5)
    assert loop.feed(f"Now something else. {A} {A}") == len(f"Now something else. {A}")
