"""Reads the letters and numbers that models put before options, and name options by."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SEQUENCES = (
    "ABCDEFGH",
    "АБВГДЕЖЗ",
    "ΑΒΓΔΕΖΗΘ",
    "אבגדהוזח",
    "ابجدهوزح",
    "أبتثجحخد",
    "أبجدهوزح",
    "कखगघङचछज",
    "アイウエオカキク",
    "가나다라마바사아",
    "甲乙丙丁戊己庚辛",
    "①②③④⑤⑥⑦⑧",
    "12345678",
)
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII")
_DIGITS = "12345678"
_CIRCLED = "①②③④⑤⑥⑦⑧"
# A number and a point may begin an ordinal ("1. Mai"), so they need a bracket or a colon.
_PREFIX = re.compile(
    r"\s*[*_`]{0,2}(?:\(\s*(?P<both>\w{1,4})\s*\)|\[\s*(?P<square>\w)\s*\]"
    r"|(?P<one>\w{1,4})\s*(?P<mark>[)、．）：]|[.:](?=[\s*_`])|\s[-–—](?=\s))|(?P<circled>[①-⑧]))"
    r"[*_`]{0,2}\s*(?=\S)"
)
_NAMED = re.compile(
    r"\W*(?:(?:the\s+)?(?:correct|right)?\s*(?:answer|option|choice)\s*(?:is)?[\W_]*)?"
    r"\(?\[?(?P<label>[^\W_]{1,4}|[①-⑧])\]?\)?(?:[\s).:*_\]\"']*|[).:、．）：]\s*(?P<text>.*)|\s+[-–—]\s+(?P<more>.*))",
    re.IGNORECASE | re.DOTALL,
)

_LETTER = r"(?<![A-Za-z])[A-H](?![A-Za-z])"
_NAMING = re.compile(
    rf"{_LETTER}\s*(?:[,/&]|\b(?:and|or|und|oder|et|ou|y|o|e|и|или)\b|和|と|و)\s*\(?{_LETTER}"
    rf"|\b(?i:only|nur|seulement|solo)\s+{_LETTER}|{_LETTER}\s+(?i:only|alone)\b"
    r"|\b(?i:options?|answers?|choices?)\s+[A-H1-4]\b"
)
_OF_THE_ABOVE = re.compile(
    r"\b(?:all|none|any|both|some|neither|each)\s+(?:of\s+)?(?:the|these|those)?\s*"
    r"(?:above|options|answers|choices|others|preceding)\b|\b(?:all|none|both|neither)\s+of\s+"
    r"(?:these|them|those)\b|^\s*(?:all|none|both|neither)\W*$"
    r"|\b(?:alle|keine|beide)[rs]?\s+(?:der\s+|die\s+)?(?:oben\s+)?(?:genannten|antworten|optionen)"
    r"|\b(?:toutes|aucune)\s+(?:de\s+)?(?:l|c)es\s+(?:réponses|propositions|options)"
    r"|\b(?:todas|ninguna|nenhuma|todos|ninguno)\s+(?:de\s+)?(?:las|los|as|das)\s+"
    r"(?:anteriores|opciones|alternativas|respuestas)|\b(?:todas|nenhuma)\s+(?:das|as)\s"
    r"|\b(?:tutte|nessuna)\s+(?:le|delle)\s+(?:precedenti|risposte|opzioni)"
    r"|(?:вс[её]|ничего|ни один)\s.*перечисленн"
    r"|上述|以上(?:都|皆|全|均|所有)|上記の|위의\s*모두|모두\s*(?:맞|정답)"
    r"|(?:كل|جميع|لا شيء م)\S*\s*(?:ما|مما)\s+(?:سبق|ذكر)|उपरोक्त|उपर्युक्त",
    re.IGNORECASE,
)


def label_place(label: str) -> int | None:
    """Return the place that a letter or number stands for, from 0; None if it stands for none."""
    label = label.strip().upper()
    if len(label) == 1:
        for sequence in _SEQUENCES:
            if label in sequence:
                return sequence.index(label)
    return None


def named_place(text: str) -> tuple[int, str] | None:
    """Read "B", "b)", "(B)", "Option B", "B. Venus": the place, and the text that follows."""
    found = _NAMED.fullmatch(text)
    place = label_place(found["label"]) if found else None
    if found is None or place is None:
        return None
    return place, (found["text"] or found["more"] or "").strip()


def without_prefixes(options: Sequence[str]) -> tuple[list[str], bool]:
    """Take "A) ", "B. ", "(c) " away if all options have them, in order.

    Returns:
        The texts, and whether the prefixes were numbers.
    """
    found = [_PREFIX.match(option) for option in options]
    labels = [
        (one["both"] or one["square"] or one["one"] or one["circled"]).upper() if one else ""
        for one in found
    ]
    roman = list(_ROMAN[: len(options)])
    letters = "".join(labels) if all(len(label) == 1 for label in labels) else ""
    is_numbered = letters == _DIGITS[: len(options)]
    has_points = any(one and one["mark"] in (".", "．") for one in found)
    in_order = labels == roman or any(
        letters == sequence[: len(options)] for sequence in _SEQUENCES if letters
    )
    if not in_order or (is_numbered and has_points):
        return list(options), False
    texts = [
        option[one.end() :] if one else option for option, one in zip(options, found, strict=True)
    ]
    if not all(text.strip() for text in texts):
        return list(options), False
    return texts, is_numbered or letters == _CIRCLED[: len(options)]


def names_others(text: str) -> bool:
    """Whether an option names others by their letters: "both A and B"."""
    return _NAMING.search(text) is not None


def is_of_the_above(text: str) -> bool:
    """Whether an option is about the ones before it: "all of the above"."""
    return _OF_THE_ABOVE.search(text) is not None
