"""Finds the right one of a question's options in what a model says about it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from blocks.outputs.base import Dropped
from blocks.outputs.known_names import as_text, first_text, folded
from blocks.outputs.option_labels import (
    is_numbered,
    label_place,
    named_option,
    place_among,
    without_introduction,
)
from blocks.outputs.sameness import sameness

_VALUE_NAMES = frozenset(
    {"label", "id", "letter", "key", "index", "value", "text", "option", "correct", "answer"}
)
_MAX_DIGITS = 4  # of a number that can name an option
_MAX_NAMING = 400  # characters of a letter and the text behind it
_COUNTS_FROM_1 = ("number", "no", "num", "position")
_ORDINAL = re.compile(r"\b(?:option|choice)[\W_]*\d", re.IGNORECASE)  # "Option 2"
_DENIAL = re.compile(r"\b(?:not|except|but|or|and|isn't)\b", re.IGNORECASE)
_INDEX = ("index", "idx", "indices")

Base = Literal[0, 1]
"""The number that a model gives to the first option."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options as a model wrote them."""

    texts: Sequence[str]
    labels: Sequence[str]  # the model's own name of each, such as "A"; empty if it gave none
    are_numbers: bool = False  # JSON numbers, not texts

    def place_of(self, text: str) -> int | None:
        """Return the place of the one option that is this text, or has this label."""
        for candidates in (self.texts, self.labels):
            wanted = sameness(text)
            places = [at for at, one in enumerate(candidates) if sameness(one) == wanted]
            if len(places) > 1:  # options may differ by case alone
                places = [at for at in places if candidates[at].strip() == text.strip()]
            if len(places) == 1:
                return places[0]
        return None


@dataclass(frozen=True, slots=True)
class Right:
    """Where the right option is, from 0."""

    place: int
    base: Base | None = None  # what the answer shows about the model's counting
    place_from_1: int | None = None  # the place if the model counts from 1; None: it is certain


def right_place(said: Any, options: Options, *, name: str, base: Base | None = None) -> Right:
    """Return the place of the right option.

    A number counts from 0 or from 1. The labels of the options decide, or the name of the member:
    0 counts from 0, and the number of options counts from 1. Otherwise `place_from_1` is set.

    Args:
        said: the value of the member that names the right option.
        name: that member's folded name.
        base: from where the other questions of the quiz count; None: not known.

    Raises:
        Dropped: schema, answer_out_of_range.
    """
    while isinstance(said, list) and len(said) == 1:
        said = said[0]
    if isinstance(said, Mapping):
        said = first_text(dict(said), _VALUE_NAMES)
    right: Right | None = None
    if isinstance(said, bool):
        right = _certain(options.place_of(str(said)))
    elif isinstance(said, int | float):
        right = _counted(said, options, folded(name), base)
    elif isinstance(said, str) and said.strip():
        right = _named(said, options, folded(name), base)
    else:
        raise Dropped("schema")
    if right is None and not isinstance(said, bool):
        right = _certain(_spoken_of(str(as_text(said)), options.texts))
    if right is None:
        raise Dropped("answer_out_of_range")
    return right


def place_in(explanation: str, texts: Sequence[str], places: tuple[int, int]) -> int | None:
    """Return the one of two places whose option an explanation speaks of; None if not just one."""
    spoken = [at for at in places if _speaks_of(explanation, texts[at])]
    return spoken[0] if len(spoken) == 1 else None


def _spoken_of(said: str, texts: Sequence[str]) -> int | None:
    """Return the place of the only option in a sentence, or of the only one with a word in it."""
    if len(said) > _MAX_NAMING or _DENIAL.search(said):
        return None
    places = [at for at, one in enumerate(texts) if _speaks_of(said, one) or _speaks_of(one, said)]
    return places[0] if len(places) == 1 else None


def _speaks_of(explanation: str, option: str) -> bool:
    wanted = sameness(option)
    begin, end = (
        (r"(?<!\w)" if wanted[:1].isascii() else ""),
        (r"(?!\w)" if wanted.isascii() else ""),
    )
    return re.search(begin + re.escape(wanted) + end, sameness(explanation)) is not None


def _certain(place: int | None) -> Right | None:
    return None if place is None else Right(place)


def _named(said: str, options: Options, name: str, base: Base | None) -> Right | None:
    if len(said) > _MAX_NAMING:
        return _certain(options.place_of(said))
    bare = without_introduction(said)
    for text in (said, bare):
        if (place := options.place_of(text)) is not None:
            return Right(place)
    digits = bare.strip("#()[]. ")
    if digits.isdecimal() and len(digits) < _MAX_DIGITS and not _ORDINAL.search(said):
        return _counted(int(digits), options, name, base)
    named = named_option(said)
    if named is None:
        return None
    label, text = named
    place = place_among(label, options.labels)
    if text:
        by_text = options.place_of(text)
        if label_place(text) is not None and by_text != place:  # "A. B": two letters
            return None
        place = place if by_text is None else by_text
    return Right(place) if place is not None and place < len(options.texts) else None


def _counted(said: float, options: Options, name: str, base: Base | None) -> Right | None:
    number, count = int(said), len(options.texts)
    if str(number) in options.labels:
        return Right(list(options.labels).index(str(number)))
    by_text = options.place_of(str(as_text(said)))
    is_index = name.endswith(_INDEX)
    is_value = options.are_numbers and by_text is not None and not is_index
    if number != said or not 0 <= number <= count or is_value:
        return _certain(by_text)
    if is_numbered(options.labels) or name.endswith(_COUNTS_FROM_1):
        return Right(number - 1) if number else None
    if number == count and by_text is not None:
        return Right(by_text)
    if number in (0, count):
        shown: Base = 1 if number else 0
        return Right(number - shown, shown) if base in (None, shown) else None
    if base is not None:
        return Right(number - base)
    return Right(number, place_from_1=number - 1)
