"""Reads the letters and numbers that models put before options, and name options by."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence


def _plain(label: str) -> str:
    """Return a label without width, circle and case: Ｂ, Ⓑ and b are the same."""
    plain = unicodedata.normalize("NFKC", label).strip().casefold()
    return plain.replace("أ", "ا").replace("الف", "ا")


_SEQUENCES = tuple(
    tuple(map(_plain, labels))
    for labels in (
        ("I", "II", "III", "IV", "V", "VI", "VII", "VIII"),
        *("ABCDEFGH", "АБВГДЕЖЗ", "ΑΒΓΔΕΖΗΘ", "ԱԲԳԴԵԶԷԸ", "აბგდევზთ"),
        *("אבגדהוזח", "ابجدهوزح", "ابتثجحخد"),
        *("अबसद", "कखगघङचछज", "কখগঘঙচছজ", "அஆஇஈஉஊஎஏ", "กขคงจฉชซ"),
        *("アイウエオカキク", "가나다라마바사아", "ㄱㄴㄷㄹㅁㅂㅅㅇ", "甲乙丙丁戊己庚辛"),
    )
)
_DIGITS = tuple("12345678")
# Letters of two scripts that look the same: a model writes one for the other.
_TWINS = str.maketrans("авсеabce", "abceавсе")

_CIRCLED = "①-⑧Ⓐ-Ⓗⓐ-ⓗ㉠-㉧㉮-㉵"
_LABEL = r"[^\W_]\w{0,3}"
# A number and a point may begin an ordinal ("1. Mai"), so they need a bracket or a colon.
_PREFIX = re.compile(
    rf"\s*(?:[*_`]{{0,2}}|(?i:option|choice|answer)\s+)(?:\(\s*(?P<both>{_LABEL})\s*\)"
    rf"|\[\s*(?P<square>{_LABEL})\s*\]|【\s*(?P<thick>{_LABEL})\s*】"
    rf"|(?P<one>{_LABEL})\s*(?P<mark>\.?[)\]、．）：]|[.:](?=[\s*_`])|\s[-–—|](?=\s)"
    rf"|(?<=[A-Z])\.(?=[^\W\da-z]|\d))|\(?(?P<circled>[{_CIRCLED}])[).．、]?)[*_`]{{0,2}}\s*(?=\S)"
)
_BULLET = re.compile(r"\s*[-*•–]\s+(?=[^\W\d])")
_BEGUN_OPTION = re.compile(r"\n+|\s+(?=\(?[B-Hb-h][).]\s)")

_WRAPPING = re.compile(r"\\boxed|\\text|[*_`$\"{}【】“”«»✅✓✔]+")
_INTRODUCTION = re.compile(
    r"\W*(?:(?:the|correct|right|true|answer|option|choice|letter|is|index)\b[\W_]*)+|option(?=[A-H1-8]$)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    rf"\(?\[?(?P<label>{_LABEL}|[{_CIRCLED}])\]?\)?(?:[\s).,;:\]']*"
    r"|\s*[).:、．）：|]\s*(?P<text>.*)|\s+[-–—|]\s+(?P<more>.*)|\s*\((?P<inside>.*)\)\W*"
    r"|\s+is\s+(?:the\s+)?(?:correct|right)\b.*)",
    re.DOTALL,
)
_LAST = re.compile(rf"(?P<text>.*\S)\s*[(\[](?P<label>{_LABEL})[)\]]\W*", re.DOTALL)


def label_place(label: str) -> int | None:
    """Return the place that a letter or number stands for, from 0; None if it stands for none."""
    plain = _plain(label)
    if len(plain) == 1 and plain.isdecimal():
        number = unicodedata.decimal(plain)
        return number - 1 if 0 < number <= len(_DIGITS) else None
    for sequence in _SEQUENCES:
        if plain in sequence:
            return sequence.index(plain)
    return None


def place_among(label: str, labels: Sequence[str]) -> int | None:
    """Return the place of a label among the labels that the options have, or might have.

    Letters that look the same in two scripts mean the one that the options have. None if it is
    uncertain.
    """
    known = [_plain(one) for one in labels]
    plain = _plain(label)
    if plain in known:
        return known.index(plain)
    place = label_place(label)
    twin = plain.translate(_TWINS)
    if twin != plain and twin in known:
        return known.index(twin) if place == known.index(twin) or twin.isascii() else None
    return place


def named_option(text: str) -> tuple[str, str] | None:
    """Read "B", "b)", "(B)", "Option B", "B. Venus", "Venus (B)": the label, and the option's text.

    None if the text names no option by a label.
    """
    text = without_introduction(text)
    for form in (_NAMED, _LAST):
        found = form.fullmatch(text)
        if found is not None and label_place(found["label"]) is not None:
            groups = found.groupdict()
            rest = groups["text"] or groups.get("more") or groups.get("inside") or ""
            return found["label"], rest.strip()
    return None


def without_introduction(text: str) -> str:
    """Return an answer without markup and without "The correct answer is" before it."""
    plain = _WRAPPING.sub("", text).strip(" \n'‘’")
    introduced = _INTRODUCTION.match(plain)
    return plain[introduced.end() :] if introduced and introduced.end() < len(plain) else plain


def without_prefixes(options: Sequence[str]) -> tuple[list[str], list[str]]:
    """Take "A) ", "B. ", "(c) ", "- " away if all options have them, in order.

    Returns:
        The texts, and the labels that went; [] if none did.
    """
    if all(map(_BULLET.match, options)):
        options = [_BULLET.sub("", option, count=1) for option in options]
    found = [_PREFIX.match(option) for option in options]
    labels = [
        one["both"] or one["square"] or one["thick"] or one["one"] or one["circled"] if one else ""
        for one in found
    ]
    plain = [_plain(label) for label in labels]
    has_points = any(one and one["mark"] in (".", "．") for one in found)
    in_order = is_numbered(labels) and not has_points
    if not in_order and not any(tuple(plain) == one[: len(plain)] for one in _SEQUENCES):
        return list(options), []
    texts = [
        option[one.end() :] if one else option for option, one in zip(options, found, strict=True)
    ]
    return (texts, labels) if all(text.strip() for text in texts) else (list(options), [])


def is_numbered(labels: Sequence[str]) -> bool:
    """Whether the labels are the numbers from 1, in any digits."""
    places = [label_place(label) if _plain(label).isdecimal() else None for label in labels]
    return bool(places) and places == list(range(len(places)))


def split_options(text: str) -> list[str]:
    """Split options that came as one text: a line each, or "A) x B) y"."""
    return [part for part in _BEGUN_OPTION.split(text) if part.strip()]
