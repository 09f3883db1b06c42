"""Writes JSON in the ways in which models write it: all mean the same."""

from __future__ import annotations

import json
from random import Random
from typing import Any

_GAPS = ("", "", "", " ", "\n", " // so\n", " /* so, it is */ ", " # so\n", "\r\n\t")
_COMMAS = (",", ", ", ",\n", "\n", ",,", " ,", ", // and\n")
_WORDS = {None: ("null", "None", "NULL"), True: ("true", "True"), False: ("false", "False")}


def loosely(value: Any, random: Random, *, quote: str = '"') -> str:
    """Write a value with odd gaps, commas, comments, words and quotes.

    Args:
        quote: `"`, `'` or `“`, for all strings.
    """

    def gap() -> str:
        return random.choice(_GAPS)

    def joined(parts: list[str]) -> str:
        out = gap()
        for at, part in enumerate(parts):
            out += part + gap() + (random.choice(_COMMAS) if at + 1 < len(parts) else "")
        return out + random.choice(("", ",", ",\n"))

    def written(one: Any) -> str:
        if isinstance(one, str):
            return _quoted(one, quote, random)
        if isinstance(one, dict):
            members = [
                f"{_quoted(name, quote, random)}{gap()}:{gap()}{written(member)}"
                for name, member in one.items()
            ]
            return "{" + joined(members) + "}"
        if isinstance(one, list):
            return "[" + joined([written(element) for element in one]) + "]" if one else "[]"
        if one is None or isinstance(one, bool):
            return random.choice(_WORDS[one])
        return json.dumps(one)

    return written(value)


def wrapped(text: str, random: Random) -> str:
    """Put a document into what models put around one."""
    if random.random() < 0.2 and text.lstrip("{[ \r\n\t").startswith('"'):
        text = json.dumps(text)
    elif random.random() < 0.2:
        text = f"[{text}]"
    around = random.choice(
        (
            "{}",
            "\ufeff{}",
            "```json\n{}\n```",
            "Sure! Here {{it}} is [as JSON]:\n\n{}\n\nEnjoy {{it}} [2]!",
            "I use the form {{name}}, see f({{}}) or [x]: {}",
            "<think>\nIt's like {{this}}, isn't it?\n</think>\n```\n{}\n```\nIt's done.",
        )
    )
    return around.format(text)


_ODD = ['"', "\\", ",", "{", "}", "[", "]", ":", "\n", "&amp;", "\\t", "\\u", "/", "“", "…", "'"]


def damaged(text: str, random: Random) -> str:
    """Delete, insert and repeat pieces of a text."""
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(text))
        change = random.random()
        if change < 0.4:
            text = text[:at] + text[at + random.randint(1, 3) :]
        elif change < 0.8:
            text = text[:at] + random.choice([*_ODD, "x", " " * 70]) + text[at:]
        else:
            text = text[:at] + text[random.randrange(len(text)) :]
    return text


def _quoted(text: str, quote: str, random: Random) -> str:
    plain = json.dumps(text, ensure_ascii=random.random() < 0.3)[1:-1]
    if quote == '"':
        return f'"{plain}"'
    plain = plain.replace('\\"', '"')
    if quote == "'":
        return "'" + plain.replace("'", "\\'") + "'"
    return f"“{plain}”"
