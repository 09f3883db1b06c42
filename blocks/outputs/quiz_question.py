"""Reads one question in the forms in which models write it, and judges it.

The form that is asked for: `{question, correct, wrong[3], explanation}`. Others have the options as
a list or an object, and name the right one by place, letter or text; they use other names.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blocks.outputs.base import Dropped
from blocks.outputs.judge import are_options, is_words
from blocks.outputs.known_names import as_text, first_text, folded, members
from blocks.outputs.of_the_above import is_of_the_above, names_others
from blocks.outputs.option_labels import label_place, split_options, without_prefixes
from blocks.outputs.question_names import (
    EXPLANATION_NAMES,
    FLAG_NAMES,
    LABEL_NAMES,
    LAST_QUESTION_NAMES,
    OPTIONS_NAMES,
    OWN_NAMES,
    QUESTION_NAMES,
    RIGHT_NAMES,
    TEXT_NAMES,
    WRONG_NAMES,
)
from blocks.outputs.quiz_answer import Base, Options, Right, place_in, right_place
from blocks.outputs.sameness import are_different, sameness
from blocks.outputs.shown_text import fit

OPTIONS = 4

_LETTERED = ("a", "b", "c", "d", "e", "f", "g", "h")
_MOST_OPTIONS = 8
_NAMING_ENDS = ("index", "idx", "indices", "letter", "id", "label", "position")
_TRUTHS = frozenset({"true", "yes", "correct", "right", "1"})


@dataclass(frozen=True, slots=True)
class Question:
    """A valid question: four options, exactly one of them right."""

    question: str
    options: tuple[str, ...]
    answer: int  # the place of the right option
    explanation: str  # '' if the model gave none
    is_ordered: bool  # the model gave the order of the options
    base: Base | None = None  # from where it shows that the model counts the options
    is_guess: bool = False  # `answer` is right only if the model counts from 0
    leans_to_1: bool = False  # a guess whose explanation speaks of the option that counts from 1


def read_question(value: Any, lengths: Mapping[str, int], *, base: Base | None = None) -> Question:
    """Read and judge a question.

    Args:
        lengths: the most characters of `question`, `option` and `explanation`.
        base: from where the model counts the options; None: not known.

    Raises:
        Dropped: schema, not_words, duplicate_options, answer_out_of_range.
    """
    if not isinstance(value, dict):
        raise Dropped("schema")
    for _, inner in members(value, OWN_NAMES):
        if isinstance(inner, dict):
            value = {**value, **inner}
    asked = first_text(value, QUESTION_NAMES)
    asked = first_text(value, LAST_QUESTION_NAMES) if asked is None else asked
    question = _shown(asked, lengths["question"])
    said = first_text(value, EXPLANATION_NAMES)
    explanation = fit(said, lengths["explanation"]) if isinstance(said, str) else ""
    if explanation is None or not explanation.strip() or not is_words(explanation):
        explanation = ""
    given, right, is_ordered = _options(value, base)
    guess = right.place_from_1
    spoken = None if guess is None else place_in(explanation, given, (right.place, guess))
    texts, answer = _four(given, right.place)
    texts = [_shown(text, lengths["option"]) for text in texts]
    if not is_words(question) or not are_options(texts):
        raise Dropped("not_words")
    if not are_different(texts, f"{question}\n{explanation}"):
        raise Dropped("duplicate_options")
    return Question(
        question,
        tuple(texts),
        answer,
        explanation,
        is_ordered,
        0 if spoken == right.place else right.base,
        is_guess=guess is not None and spoken != right.place,
        leans_to_1=spoken is not None and spoken == guess,
    )


def public_question(read: Question, draw: random.Random) -> dict[str, Any]:
    """Return a question's public form. The right option gets a drawn place.

    It stays in place if the order has a meaning. "All of the above" stays last, and where options
    name others by letter all stay in place.
    """
    options, answer = list(read.options), read.answer
    if not (read.is_ordered or is_of_the_above(options[answer]) or any(map(names_others, options))):
        right = options.pop(answer)
        options.sort(key=is_of_the_above)
        answer = draw.randrange(OPTIONS - sum(map(is_of_the_above, options)))
        options.insert(answer, right)
    return {
        "question": read.question,
        "options": options,
        "answer": answer,
        "explanation": read.explanation,
    }


def is_question(value: Any) -> bool:
    """Whether a value looks like a question in any of the forms."""
    if not isinstance(value, dict):
        return False
    names = {folded(name) for name in value}
    others = OPTIONS_NAMES | WRONG_NAMES | RIGHT_NAMES | {"optiona"}
    return bool(names & QUESTION_NAMES) and bool(names & others)


def _shown(text: Any, limit: int) -> str:
    if not isinstance(text, str) or not text.strip():
        raise Dropped("schema")
    fitted = fit(text, limit)
    if fitted is None:
        raise Dropped("schema")
    return fitted


# --- the options ---


def _options(value: dict[str, Any], base: Base | None) -> tuple[list[str], Right, bool]:
    """Return the options, the right one, and whether the model gave their order."""
    given = _given_options(value)
    options, marked = _lettered(value) if given is None else _listed(given)
    if options is None:
        return _from_wrong(value)
    texts = list(options.texts)
    if marked is not None:
        return texts, Right(marked), True
    right = _right_of(value, given, options, base)
    return texts, right, True


def _right_of(value: dict[str, Any], given: Any, options: Options, base: Base | None) -> Right:
    problem = Dropped("schema")
    for name, said in members(value, RIGHT_NAMES | {"answers"}):
        if said is given:
            continue
        try:
            return right_place(said, options, name=name, base=base)
        except Dropped as drop:
            problem = drop
    raise problem


def _right_text(value: dict[str, Any]) -> Any:
    """Return the right option itself, rather than a letter or number that names it."""
    found: list[Any] = []
    for name, one in members(value, RIGHT_NAMES):
        if one is not None and not name.endswith(_NAMING_ENDS):
            found.append(one[0] if isinstance(one, list) and len(one) == 1 else one)
    return next((one for one in found if label_place(str(one)) is None), next(iter(found), None))


def _from_wrong(value: dict[str, Any]) -> tuple[list[str], Right, bool]:
    """Read the form that is asked for. The right option comes first, or last where it must."""
    right = _right_text(value)
    wrong = next((one for _, one in members(value, WRONG_NAMES) if one is not None), None)
    if isinstance(wrong, dict):
        wrong = list(wrong.values())
    if not isinstance(wrong, list):
        raise Dropped("schema")
    right, *wrong = (_option(one)[0] for one in [right, *wrong[:_MOST_OPTIONS]])
    key = sameness(right, is_cased=True)
    others = [text for text in wrong if sameness(text, is_cased=True) != key]
    if len(others) < OPTIONS - 1 <= len(wrong):
        raise Dropped("duplicate_options")
    texts, place = _four([right, *others], 0)
    lettered = sorted(texts)
    bare, labels = without_prefixes(lettered)
    if labels:
        return bare, Right(lettered.index(right)), True
    if names_others(right) or is_of_the_above(right):
        return [*texts[1:], texts[0]], Right(OPTIONS - 1), False
    return texts, Right(place), False


def _four(texts: list[str], place: int) -> tuple[list[str], int]:
    """Leave out wrong options beyond four, if none of the others speaks of them."""
    if len(texts) == OPTIONS:
        return texts, place
    if not OPTIONS < len(texts) <= _MOST_OPTIONS or any(map(names_others, texts)):
        raise Dropped("schema")
    seen = {sameness(texts[place])}
    kept: list[int] = []
    for at, text in enumerate(texts):
        if at == place or (
            sameness(text) not in seen and len(kept) - (place in kept) < OPTIONS - 1
        ):
            kept.append(at)
            seen.add(sameness(text))
    if len(kept) < OPTIONS:
        raise Dropped("duplicate_options")
    return [texts[at] for at in kept], kept.index(place)


def _given_options(value: dict[str, Any]) -> Any:
    """Return the list, object or text of the options; None if they are members of their own."""
    found = [one for _, one in members(value, OPTIONS_NAMES) if one is not None]
    many = [one for one in found if isinstance(one, list | dict) and len(one) > 1]
    return next(iter(many or found), None)


def _listed(given: Any) -> tuple[Options, int | None]:
    """Return the options of a list, an object or a text, and the one that is marked as right."""
    if isinstance(given, dict):
        pairs = [(_option(text)[0], name) for name, text in given.items()]
        return _read([text for text, _ in pairs], [_last_letter(name) for _, name in pairs]), None
    if isinstance(given, str):
        given = split_options(given)
    if not isinstance(given, list) or len(given) < 2:
        raise Dropped("schema")
    read = [_option(one) for one in given[: _MOST_OPTIONS + 1]]
    marked = [at for at, (_, _, is_right) in enumerate(read) if is_right]
    labels = [label for _, label, _ in read if label]
    are_numbers = all(isinstance(one, int | float) for one in given)
    options = _read([text for text, _, _ in read], labels, are_numbers=are_numbers)
    return options, marked[0] if len(marked) == 1 else None


def _read(given: Sequence[str], labels: Sequence[str], *, are_numbers: bool = False) -> Options:
    texts, prefixes = without_prefixes(given)
    return Options(texts, labels if len(labels) == len(texts) else prefixes, are_numbers)


def _last_letter(name: str) -> str:
    """Return the label in a name such as `option_a`."""
    return name[-1] if folded(name[:-1]) in ("option", "choice", "answer") else name


def _lettered(value: dict[str, Any]) -> tuple[Options | None, None]:
    """Read options that are members of their own: `option_a`, `B`, `choice3`."""
    by_name = {folded(name): member for name, member in value.items()}
    for prefix in ("option", "choice", "answer", ""):
        for labels in (_LETTERED, tuple("12345678")):
            found = [by_name.get(prefix + label) for label in labels]
            texts = found[: found.index(None)] if None in found else found
            if len(texts) >= OPTIONS - 1 and (prefix or labels is _LETTERED):
                return Options([_option(text)[0] for text in texts], labels[: len(texts)]), None
    return None, None


def _option(one: Any) -> tuple[str, str, bool]:
    """Return an option's text and label, and whether it is marked as right."""
    label, is_right = "", False
    if isinstance(one, list) and len(one) == 2 and label_place(str(one[0])) is not None:
        one = {"label": one[0], "text": one[1]}
    if isinstance(one, dict):
        flags = (as_text(flag) for _, flag in members(one, FLAG_NAMES))
        is_right = any(isinstance(flag, str) and flag.casefold() in _TRUTHS for flag in flags)
        names = [name for name in one if folded(name) not in FLAG_NAMES]
        texts = [text for _, text in members(one, TEXT_NAMES) if text is not None]
        said = as_text(first_text(one, LABEL_NAMES))
        label = said if isinstance(said, str) else ""
        if len(texts) > 1 and not label and label_place(str(texts[0])) is not None:
            label, *texts = map(as_text, texts)  # {"option": "A", "text": "Venus"}
        text = next(
            (text for text in texts if isinstance(text, str) and text), next(iter(texts), None)
        )
        if text is None and len(names) == 1:  # {"A": "Venus"}, {"label": "Venus"}
            text, label = one[names[0]], names[0]
        one = text
    one = as_text(one)
    if not isinstance(one, str):
        raise Dropped("schema")
    return one, label, is_right
