"""Worked examples on subjects that hardly anybody asks about.

A part that copies the worked example is void. With an example about the planets, a fair quiz about
the planets lost questions. A row whose example was edited is left as it is.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_QUIZ_EXAMPLE = {
    "title": "Lighthouses",
    "questions": [
        {
            "question": "What does a lighthouse keeper clean every morning?",
            "correct": "The glass lens",
            "wrong": ["The fishing nets", "The harbour wall", "The anchor chain"],
            "explanation": "Salt and soot on the lens would weaken the light.",
        },
        {
            "question": "Which ancient city had a lighthouse among the seven wonders?",
            "correct": "Alexandria",
            "wrong": ["Carthage", "Syracuse", "Ephesus"],
            "explanation": "The tower on Pharos stood for more than a thousand years.",
        },
        {
            "question": "Why do lighthouses blink in different rhythms?",
            "correct": "To be recognised",
            "wrong": ["To save oil", "To scare gulls", "To dry the lamp"],
            "explanation": "Sailors compare the rhythm with their chart.",
        },
    ],
}

_DIAGRAM_EXAMPLE = {
    "title": "Painting a Fence",
    "nodes": ["Scrape off old paint", "Sand the boards", "Brush on primer", "Paint two coats"],
    "edges": [
        {"from": 1, "to": 2, "label": "once it is bare"},
        {"from": 2, "to": 3, "label": "once it is smooth"},
        {"from": 3, "to": 4, "label": "overnight"},
    ],
}


def _example(prompt: str, answer: Any) -> dict[str, str]:
    return {
        "example_prompt": prompt,
        "example_answer": json.dumps(answer, indent=1, ensure_ascii=False),
    }


EXAMPLES = {
    "quiz": _example("Lighthouses", _QUIZ_EXAMPLE),
    "diagram": _example("Painting a fence", _DIAGRAM_EXAMPLE),
}
"""The changed fields of the shipped blocks, by slug."""

_BEFORE = {
    block["slug"]: {name: block[name] for name in ("example_prompt", "example_answer")}
    for block in import_module("blocks.migrations.0002_first_blocks").BLOCKS
    if block["slug"] in EXAMPLES
}


def change_blocks(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _replace(apps, schema_editor, _BEFORE, EXAMPLES)


def change_blocks_back(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _replace(apps, schema_editor, EXAMPLES, _BEFORE)


def _replace(
    apps: Apps,
    schema_editor: BaseDatabaseSchemaEditor,
    old: dict[str, dict[str, str]],
    new: dict[str, dict[str, str]],
) -> None:
    """Replace the examples of all rows that have an old one, whatever their slug and line breaks."""
    rows = apps.get_model("blocks", "BlockType").objects.using(schema_editor.connection.alias)
    for slug, example in old.items():
        answer = example["example_answer"]
        for form in (answer, answer.replace("\n", "\r\n")):  # browsers send the second one
            rows.filter(**example | {"example_answer": form}).update(**new[slug])


class Migration(migrations.Migration):
    dependencies = [("blocks", "0002_first_blocks")]

    operations = [migrations.RunPython(change_blocks, change_blocks_back)]
