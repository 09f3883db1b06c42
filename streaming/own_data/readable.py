"""Structured results as texts that a person can read. Pure.

Source: spec.md, "Rules", 9 (the public form of `result`).
"""

from __future__ import annotations

import json
from typing import Any

LETTERS = "ABCD"


def readable_result(result: dict[str, Any]) -> tuple[str, str]:
    """Return a result's text, and its language if it is code.

    A quiz becomes Markdown, a diagram its Mermaid source, anything else JSON.
    """
    if _is_quiz(result):
        return _quiz(result), ""
    if isinstance(result.get("source"), str) and {"nodes", "edges"} <= result.keys():
        return result["source"], "mermaid"
    return json.dumps(result, ensure_ascii=False, indent=2), "json"


def _is_quiz(result: dict[str, Any]) -> bool:
    questions = result.get("questions")
    return isinstance(questions, list) and all(
        isinstance(each, dict)
        and isinstance(each.get("options"), list)
        and len(each["options"]) == len(LETTERS)
        and each.get("answer") in range(len(LETTERS))
        and {"question", "explanation"} <= each.keys()
        for each in questions
    )


def _quiz(result: dict[str, Any]) -> str:
    parts = [f"**{result['title']}**"] if result.get("title") else []
    for number, each in enumerate(result["questions"], start=1):
        lettered = zip(LETTERS, each["options"], strict=True)
        options = [f"   - {letter}. {text}" for letter, text in lettered]
        answer = f"   Answer: {LETTERS[each['answer']]}. {each['explanation']}".rstrip()
        parts.append("\n".join([f"{number}. {each['question']}", *options, "", answer]))
    return "\n\n".join(parts)
