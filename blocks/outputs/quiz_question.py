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
from blocks.outputs.option_labels import is_of_the_above, names_others, without_prefixes
from blocks.outputs.quiz_answer import Options, right_place
from blocks.outputs.sameness import are_different, sameness
from blocks.outputs.shown_text import fit

OPTIONS = 4

OWN_NAMES = frozenset(
    {"question", "questiontext", "q", "stem", "frage", "pregunta", "domanda", "pergunta", "вопрос"}
    | {"問題", "问题", "質問", "질문", "السؤال", "سؤال"}
)
"""Names that only a question has."""

QUESTION_NAMES = OWN_NAMES | {"text", "prompt", "query", "statement"}

_OPTIONS_NAMES = frozenset(
    {"options", "choices", "answers", "alternatives", "possibleanswers", "answeroptions"}
    | {"answerchoices", "optionslist", "mcqoptions", "variants"}
)
_RIGHT_NAMES = frozenset(
    {"answer", "correct", "correctanswer", "correctoption", "correctchoice", "correctindex"}
    | {"correctoptionindex", "correctanswerindex", "correctchoiceindex", "answerindex", "right"}
    | {"rightanswer", "correctanswertext", "solution", "answerkey", "correctoptionid", "rightindex"}
    | {"correctletter", "correctanswerletter", "answerletter", "correctoptionletter", "correctid"}
    | {"correctanswernumber", "correctoptionnumber", "answernumber", "correctnumber", "correctkey"}
    | {"correctanswers", "correctoptions", "indexofcorrect", "indexofcorrectanswer", "answerid"}
    | {"correctresponse", "rightoption", "correctanswerid"}
)
_WRONG_NAMES = frozenset(
    {"wrong", "wronganswers", "wrongoptions", "incorrect", "incorrectanswers", "incorrectoptions"}
    | {"distractors", "wrongchoices", "incorrectchoices", "false", "falseanswers", "others"}
    | {"distractor", "wronganswer", "incorrectanswer"}
)
_EXPLANATION_NAMES = frozenset(
    {"explanation", "explain", "rationale", "reason", "reasoning", "why", "because", "feedback"}
    | {"justification", "details", "comment", "explanationtext", "answerexplanation", "note"}
)
_TEXT_NAMES = frozenset(
    {"text", "option", "optiontext", "answer", "answertext", "content", "value", "choice"}
    | {"choicetext", "title", "name", "description", "body"}
)
_LABEL_NAMES = frozenset({"label", "id", "letter", "key", "index", "number"})
_FLAG_NAMES = frozenset({"iscorrect", "correct", "isright", "right", "isanswer", "istrue"})
_LETTERED = ("a", "b", "c", "d", "e", "f", "g", "h")
_MOST_OPTIONS = 8


@dataclass(frozen=True, slots=True)
class Question:
    """A valid question: four options, exactly one of them right."""

    question: str
    options: tuple[str, ...]
    answer: int  # the place of the right option
    explanation: str  # '' if the model gave none
    is_ordered: bool  # the model gave the order of the options


def read_question(value: Any, lengths: Mapping[str, int]) -> Question:
    """Read and judge a question.

    Args:
        lengths: the most characters of `question`, `option` and `explanation`.

    Raises:
        Dropped: schema, not_words, duplicate_options, answer_out_of_range.
    """
    if not isinstance(value, dict):
        raise Dropped("schema")
    for _, inner in members(value, OWN_NAMES):
        if isinstance(inner, dict):
            value = {**value, **inner}
    question = _shown(first_text(value, QUESTION_NAMES), lengths["question"])
    said = first_text(value, _EXPLANATION_NAMES)
    explanation = fit(said, lengths["explanation"]) if isinstance(said, str) else ""
    if explanation is None or not explanation.strip() or not is_words(explanation):
        explanation = ""
    texts, answer, is_ordered = _options(value)
    texts = [_shown(text, lengths["option"]) for text in texts]
    if not is_words(question) or not are_options(texts):
        raise Dropped("not_words")
    if not are_different(texts, f"{question}\n{explanation}"):
        raise Dropped("duplicate_options")
    return Question(question, tuple(texts), answer, explanation, is_ordered)


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
    others = _OPTIONS_NAMES | _WRONG_NAMES | _RIGHT_NAMES | {"optiona"}
    return bool(names & QUESTION_NAMES) and bool(names & others)


def _shown(text: Any, limit: int) -> str:
    if not isinstance(text, str) or not text.strip():
        raise Dropped("schema")
    fitted = fit(text, limit)
    if fitted is None:
        raise Dropped("schema")
    return fitted


# --- the options ---


def _options(value: dict[str, Any]) -> tuple[list[str], int, bool]:
    """Return the options, the place of the right one, and whether the model gave their order."""
    listed = _listed(value)
    if listed is None:
        return _from_wrong(value)
    options, marked = listed
    place = _right_of(value, options) if marked is None else marked
    return *_four(list(options.texts), place), True


def _right_of(value: dict[str, Any], options: Options) -> int:
    problem = Dropped("schema")
    for name, said in members(value, _RIGHT_NAMES):
        try:
            return right_place(said, options, name=name)
        except Dropped as drop:
            problem = drop
    raise problem


def _from_wrong(value: dict[str, Any]) -> tuple[list[str], int, bool]:
    """Read the form that is asked for. The right option comes first, or last where it must."""
    right = next((one for _, one in members(value, _RIGHT_NAMES) if one is not None), None)
    if isinstance(right, list) and len(right) == 1:
        right = right[0]
    wrong = next((one for _, one in members(value, _WRONG_NAMES) if one is not None), None)
    if isinstance(wrong, dict):
        wrong = list(wrong.values())
    if not isinstance(wrong, list):
        raise Dropped("schema")
    right, *wrong = (_option_text(one)[0] for one in [right, *wrong[:_MOST_OPTIONS]])
    key = sameness(right, is_cased=True)
    others = [text for text in wrong if sameness(text, is_cased=True) != key]
    if len(others) < OPTIONS - 1 <= len(wrong):
        raise Dropped("duplicate_options")
    texts, place = _four([right, *others], 0)
    lettered = sorted(texts)
    bare, _ = without_prefixes(lettered)
    if bare != lettered:
        return bare, lettered.index(right), True
    if names_others(right) or is_of_the_above(right):
        return [*texts[1:], texts[0]], OPTIONS - 1, False
    return texts, place, False


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


def _listed(value: dict[str, Any]) -> tuple[Options, int | None] | None:
    """Return the options of a list or an object, and the one that is marked as right."""
    given = next((one for _, one in members(value, _OPTIONS_NAMES) if one is not None), None)
    if given is None:
        return _lettered(value)
    if isinstance(given, dict):
        pairs = [(_option_text(text)[0], name) for name, text in given.items()]
        return _without_prefixes([text for text, _ in pairs], [name for _, name in pairs]), None
    if not isinstance(given, list):
        raise Dropped("schema")
    read = [_option_text(one) for one in given[: _MOST_OPTIONS + 1]]
    marked = [at for at, (_, _, is_right) in enumerate(read) if is_right]
    labels = [label for _, label, _ in read if label]
    options = _without_prefixes([text for text, _, _ in read], labels)
    return options, marked[0] if len(marked) == 1 else None


def _without_prefixes(given: Sequence[str], labels: Sequence[str]) -> Options:
    texts, is_numbered = without_prefixes(given)
    return Options(texts, labels if len(labels) == len(texts) else (), is_numbered)


def _lettered(value: dict[str, Any]) -> tuple[Options, None] | None:
    """Read options that are members of their own: `option_a`, `B`, `choice3`."""
    by_name = {folded(name): member for name, member in value.items()}
    for prefix in ("option", "choice", "answer", ""):
        for labels in (_LETTERED, tuple("12345678")):
            found = [by_name.get(prefix + label) for label in labels]
            texts = found[: found.index(None)] if None in found else found
            if len(texts) >= OPTIONS - 1 and (prefix or labels is _LETTERED):
                read = [_option_text(text)[0] for text in texts]
                return Options(read, labels[: len(read)]), None
    return None


def _option_text(one: Any) -> tuple[str, str, bool]:
    """Return an option's text and label, and whether it is marked as right."""
    label, is_right = "", False
    if isinstance(one, dict):
        is_right = any(member is True for _, member in members(one, _FLAG_NAMES))
        names = [name for name in one if folded(name) not in _FLAG_NAMES]
        text = first_text(one, _TEXT_NAMES)
        said = as_text(first_text(one, _LABEL_NAMES))
        label = said if isinstance(said, str) else ""
        if text is None and len(names) == 1:  # {"A": "Venus"}, {"label": "Venus"}
            text, label = one[names[0]], names[0]
        one = text
    one = as_text(one)
    if not isinstance(one, str):
        raise Dropped("schema")
    return one, label, is_right
