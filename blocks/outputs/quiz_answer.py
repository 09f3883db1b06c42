"""Finds the right one of a question's options in what a model says about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blocks.outputs.base import Dropped
from blocks.outputs.known_names import as_text, first_text, folded
from blocks.outputs.option_labels import named_place
from blocks.outputs.sameness import sameness

_VALUE_NAMES = frozenset({"label", "id", "letter", "key", "index", "value", "text", "option"})
_MAX_DIGITS = 4  # of a number that can name an option
_MAX_NAMING = 400  # characters of a letter and the text behind it
_COUNTING = frozenset({"number", "no", "num", "position"})


@dataclass(frozen=True, slots=True)
class Options:
    """The options as a model wrote them."""

    texts: Sequence[str]
    labels: Sequence[str]  # the model's own name of each, such as "A"; empty if it gave none
    is_numbered: bool = False  # the labels count from 1

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


def right_place(said: Any, options: Options, *, name: str) -> int:
    """Return the place of the right option, from 0.

    A number counts from 0 as the schema says, unless the options are numbered, the name of the
    member says otherwise, or it is the number of options.

    Args:
        said: the value of the member that names the right option.
        name: that member's folded name.

    Raises:
        Dropped: schema, answer_out_of_range.
    """
    if isinstance(said, list) and len(said) == 1:
        said = said[0]
    if isinstance(said, Mapping):
        said = first_text(dict(said), _VALUE_NAMES)
    if isinstance(said, bool):
        place = options.place_of(str(said))
    elif isinstance(said, int | float):
        place = _counted(said, options, name)
    elif isinstance(said, str) and said.strip():
        place = _named(said, options, name)
    else:
        raise Dropped("schema")
    if place is None:
        raise Dropped("answer_out_of_range")
    return place


def _named(said: str, options: Options, name: str) -> int | None:
    place = options.place_of(said)
    if place is not None:
        return place
    digits = said.strip("#()[]. ")
    if digits.isdecimal() and len(digits) < _MAX_DIGITS:
        return _counted(int(digits), options, name)
    named = named_place(said) if len(said) <= _MAX_NAMING else None
    if named is None:
        return None
    letter, text = named
    place = options.place_of(text) if text else None
    if place is not None:
        return place
    return letter if letter < len(options.texts) else None


def _counted(said: float, options: Options, name: str) -> int | None:
    number = int(said)
    count = len(options.texts)
    label = options.labels and str(number) in options.labels
    if label:
        return list(options.labels).index(str(number))
    if number != said or not 0 <= number < count:
        place = options.place_of(str(as_text(said)))
        return count - 1 if place is None and number == said == count else place
    counts_from_1 = options.is_numbered or any(folded(name).endswith(word) for word in _COUNTING)
    if counts_from_1:
        return number - 1 if number > 0 else None
    return number
