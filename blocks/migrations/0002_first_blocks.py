"""The four blocks that a new installation begins with.

A row of that slug that is there already is left as it is, so running it again changes nothing.
Going back removes only rows that nobody has edited since.
"""

from __future__ import annotations

import json
from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_QUIZ_EXAMPLE = {
    "title": "The Solar System",
    "questions": [
        {
            "question": "Which planet is closest to the Sun?",
            "correct": "Mercury",
            "wrong": ["Venus", "Mars", "Jupiter"],
            "explanation": "Mercury moves around the Sun in only 88 days.",
        },
        {
            "question": "What makes Saturn easy to recognise?",
            "correct": "Its wide rings",
            "wrong": ["Its red dust", "Its blue oceans", "Its single moon"],
            "explanation": "The rings are made of countless pieces of ice and rock.",
        },
        {
            "question": "Why does the Moon shine?",
            "correct": "It reflects sunlight",
            "wrong": ["It is on fire", "It is full of lava", "It stores starlight"],
            "explanation": "The Moon makes no light of its own.",
        },
    ],
}

_DIAGRAM_EXAMPLE = {
    "title": "Life of a Butterfly",
    "nodes": ["Egg", "Caterpillar", "Chrysalis", "Butterfly"],
    "edges": [
        {"from": 1, "to": 2, "label": "hatches"},
        {"from": 2, "to": 3, "label": "wraps up"},
        {"from": 3, "to": 4, "label": "emerges"},
        {"from": 4, "to": 1, "label": "lays"},
    ],
}

BLOCKS: list[dict[str, Any]] = [
    {
        "slug": "ask-question",
        "title": "Ask a question",
        "description": "Ask anything and watch the answer being written.",
        "output": "markdown",
        "order": 10,
        "system_prompt": "You are a helpful assistant. Answer the question clearly and to the"
        " point, in a few short paragraphs. If you are not sure, say so.",
        "prompt_template": "$prompt",
        "temperature": 0.4,
        "max_tokens": 600,
    },
    {
        "slug": "explain-eli10",
        "title": "Explain it like I'm 10",
        "description": "Any subject, explained in words that a ten-year-old knows.",
        "output": "markdown",
        "order": 20,
        "system_prompt": "You explain things to a curious ten-year-old. Use short sentences, simple"
        " words and one comparison with something from everyday life. No jargon.",
        "prompt_template": "Explain this to me like I am ten years old: $prompt",
        "example_prompt": "Why does the Moon change its shape?",
        "example_answer": "The Moon does not really change its shape. It is always a ball, like a"
        " football!\n\nImagine a dark room with one lamp. Hold the ball up and walk in a circle"
        " around yourself. Sometimes you see the whole bright side, and sometimes only a thin"
        " slice of it. The lamp is the Sun, and the ball is the Moon.\n\nSo the Moon only *looks*"
        " different, because we see more or less of its sunny side.",
        "temperature": 0.5,
        "max_tokens": 500,
    },
    {
        "slug": "quiz",
        "title": "Quiz",
        "description": "A multiple-choice quiz on the subject of your choice.",
        "output": "quiz",
        "order": 30,
        "system_prompt": "You write multiple-choice quizzes as JSON. Each question is about the"
        " subject, short and clear, and different from the others. It has one correct answer,"
        " three wrong answers that differ from each other, and a one-sentence explanation.",
        "prompt_template": "Write a quiz with $questions different questions about: $prompt."
        " Difficulty: $difficulty.",
        "example_prompt": "The solar system",
        "example_answer": json.dumps(_QUIZ_EXAMPLE, indent=1, ensure_ascii=False),
        "options_schema": {
            "type": "object",
            "properties": {
                "questions": {
                    "type": "integer",
                    "title": "Questions",
                    "description": "How many questions to ask.",
                    "minimum": 1,
                    "maximum": 10,
                    "default": 3,
                },
                "difficulty": {
                    "type": "string",
                    "title": "Difficulty",
                    "enum": ["easy", "medium", "hard"],
                    "default": "medium",
                },
            },
            "additionalProperties": False,
        },
        "temperature": 0.6,
        "max_tokens": 2_000,
        "prompt_limit": 2_000,
    },
    {
        "slug": "diagram",
        "title": "Diagram",
        "description": "A process or a system, drawn as boxes and arrows.",
        "output": "diagram",
        "order": 40,
        "system_prompt": "You draw diagrams as JSON: first the parts, in one to four words each,"
        " then the arrows that show which part leads to which.",
        "prompt_template": "Draw a diagram of: $prompt",
        "example_prompt": "The life of a butterfly",
        "example_answer": json.dumps(_DIAGRAM_EXAMPLE, indent=1, ensure_ascii=False),
        "temperature": 0.4,
        "max_tokens": 600,
        "prompt_limit": 2_000,
    },
]


def add_blocks(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    rows = apps.get_model("blocks", "BlockType").objects.using(schema_editor.connection.alias)
    for block in BLOCKS:
        rows.get_or_create(slug=block["slug"], defaults=block)


def remove_untouched_blocks(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    rows = apps.get_model("blocks", "BlockType").objects.using(schema_editor.connection.alias)
    for block in BLOCKS:
        row = rows.filter(slug=block["slug"]).first()
        if row is not None and all(getattr(row, name) == value for name, value in block.items()):
            row.delete()


class Migration(migrations.Migration):
    dependencies = [("blocks", "0001_initial")]

    operations = [migrations.RunPython(add_blocks, remove_untouched_blocks)]
