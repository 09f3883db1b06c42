"""Judges a structured answer of a small model by its form.

It shares nothing with the code that made the answer. The rules: a kept part has no markup and no
mark of its own form, no text ends in the middle, nothing is a copy of a worked example, and nothing
comes twice. Facts are not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

_FORM = re.compile(
    r"[<>{}\[\]|`~^_@\\\"]|\b(?:src|href|class|id)\s*=|^\W|"
    r"^(?:question(?: \d+)?|right|wrong|because|answer|explanation|label)\s*:",
    re.IGNORECASE,
)
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_OPEN_WORDS = frozenset(
    "a an the of to in is are by with and that it or for from on at as its their into your".split()
)
_END = re.compile(r"[.!?…]$")
_LOOP_WORDS, _LOOP_TIMES, _RUN = 4, 4, 4


def words_of(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text.casefold())


def text_faults(text: str, *, is_sentence: bool = False) -> Iterator[str]:
    """Name what is wrong with the form of one text."""
    words = words_of(text)
    if _FORM.search(text) or not _LETTER_OR_DIGIT.search(text):
        yield "markup"
    if is_sentence and not _END.search(text):
        yield "cut"
    if not is_sentence and (text != text.strip() or (words and words[-1] in _OPEN_WORDS)):
        yield "cut"
    if any(len(word) > 20 for word in words):
        yield "glued"
    if is_loop(words):
        yield "loop"


def is_loop(words: list[str]) -> bool:
    """Whether the same one to four words come four times on end."""
    for size in range(1, _LOOP_WORDS + 1):
        for at in range(len(words) - size * _LOOP_TIMES + 1):
            run = words[at : at + size * _LOOP_TIMES]
            if run == run[:size] * _LOOP_TIMES:
                return True
    return False


def runs_of(text: str) -> set[tuple[str, ...]]:
    words = words_of(text)
    return {tuple(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1)}


def quiz_faults(result: dict[str, Any], examples: Iterable[str]) -> list[str]:
    """Name the faults of a quiz, one entry for each faulty question.

    Args:
        examples: the texts of the worked examples.
    """
    shown = {" ".join(words_of(text)) for text in examples}
    shown_runs = set().union(*(runs_of(text) for text in examples))
    faults, asked = [], set()
    for question in result["questions"]:
        key = " ".join(words_of(question["question"]))
        options = [" ".join(sorted(words_of(option))) for option in question["options"]]
        found = set(text_faults(question["question"], is_sentence=True))
        for option in question["options"]:
            found |= set(text_faults(option))
        if question["explanation"]:
            found |= set(text_faults(question["explanation"], is_sentence=True))
        if key in asked or len(set(options)) < len(options):
            found.add("duplicate")
        copied = sum(" ".join(words_of(option)) in shown for option in question["options"])
        runs = runs_of(question["question"]) | runs_of(question["explanation"])
        if key in shown or copied > 1 or runs & shown_runs:
            found.add("copied")
        asked.add(key)
        if found:
            faults.append(f"{', '.join(sorted(found))}: {question}")
    return faults


def diagram_faults(result: dict[str, Any], examples: Iterable[str]) -> list[str]:
    """Name the faults of a diagram, one entry for each faulty node or arrow."""
    shown = {" ".join(words_of(text)) for text in examples}
    faults, seen = [], set()
    for node in result["nodes"]:
        key = " ".join(words_of(node["label"]))
        found = set(text_faults(node["label"]))
        if key in seen:
            found.add("duplicate")
        if key in shown:
            found.add("copied")
        seen.add(key)
        if found:
            faults.append(f"{', '.join(sorted(found))}: {node['label']}")
    for edge in result["edges"]:
        if "label" in edge and (found := set(text_faults(edge["label"]))):
            faults.append(f"{', '.join(sorted(found))}: {edge['label']}")
    return faults
