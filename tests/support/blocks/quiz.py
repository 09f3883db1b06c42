"""A complete quiz, as a model writes it."""

from __future__ import annotations

from typing import Any

QUIZ: dict[str, Any] = {
    "title": "Sky",
    "questions": [
        {
            "question": f"Question {number}?",
            "correct": "Blue",
            "wrong": ["Red", "Green", "Black"],
            "explanation": "It scatters.",
        }
        for number in range(3)
    ],
}
