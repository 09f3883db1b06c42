"""Completeness and quality of forty quizzes and forty diagrams from the real model.

The promised figures (see BOUNDS) apply to the model that the project ships. The JSON Schemas below
validate the parts; they share nothing with the code that emitted them.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import platform
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django
from jsonschema import Draft202012Validator

RESULTS = Path(__file__).parent / "results" / "structured.json"

BOUNDS = {"complete": 0.95, "items_valid": 1.0, "questions_kept": 0.85}

TOPICS = """\
The water cycle|Volcanoes|The French Revolution|Photosynthesis|How a bicycle works|Ancient Egypt
The human heart|Coffee, from bean to cup|Football|The Internet|Bees and pollination|Jazz
The Roman Empire|How airplanes fly|Renewable energy|The immune system|Chess|Making bread
The Great Wall of China|Electric cars|Dinosaurs|How a bill becomes law|The Moon landing|Recycling
Photography|Supply and demand|The food chain|Shakespeare|How vaccines work|Earthquakes
The digestive system|Computer programming|Mount Everest|The Olympic Games|Cheese|Climate change
Space telescopes|The life of a frog|Trains|How e-mail is delivered""".replace("\n", "|").split("|")


def _obj(**properties: Any) -> dict[str, Any]:
    optional = {name for name in properties if name.endswith("_")}
    return {
        "type": "object",
        "properties": {name.rstrip("_"): schema for name, schema in properties.items()},
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


_TEXT = {"type": "string", "pattern": r"\S"}
_NODE = {"type": "string", "pattern": "^n[1-9][0-9]?$"}
ITEMS = {
    "title": _TEXT,
    "questions": _obj(
        question=_TEXT,
        options={
            "type": "array",
            "items": _TEXT,
            "minItems": 4,
            "maxItems": 4,
            "uniqueItems": True,
        },
        answer={"type": "integer", "minimum": 0, "maximum": 3},
        explanation=_TEXT,
    ),
    "nodes": _obj(id=_NODE, label=_TEXT),
    "edges": {
        "type": "object",
        "properties": {"from": _NODE, "to": _NODE, "label": {"type": "string"}},
        "required": ["from", "to"],
        "additionalProperties": False,
    },
}


@dataclass
class Run:
    """One answer, as a client would receive it."""

    block: str
    topic: str
    asked: int = 0  # number of questions
    end: str = "complete"  # or the error code
    items: dict[str, Any] = field(default_factory=dict)  # path → value
    result: dict[str, Any] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    retried: bool = False
    first_seconds: float = 0.0  # time to the first chunk or item
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def judge(self) -> None:
        for path, value in self.items.items():
            kind = path.split("/")[1]
            self.problems += [
                f"{path}: {error.message}"
                for error in Draft202012Validator(ITEMS[kind]).iter_errors(value)
            ]
        ids = [value["id"] for path, value in self.items.items() if path.startswith("/nodes")]
        edges = [value for path, value in self.items.items() if path.startswith("/edges")]
        for edge in edges:
            if edge["from"] not in ids or edge["to"] not in ids or edge["from"] == edge["to"]:
                self.problems.append(f"an edge to nowhere: {edge}")
        questions = [v["question"] for p, v in self.items.items() if p.startswith("/questions")]
        if len(set(questions)) < len(questions):
            self.problems.append("a question twice")
        if self.end == "complete":
            listed = {"/title": self.result.get("title")} | {
                f"/{kind}/{index}": value
                for kind in ("questions", "nodes", "edges")
                for index, value in enumerate(self.result.get(kind, []))
            }
            if listed != self.items:
                self.problems.append("the result is not the sum of the items")


async def answer(spec: Any, topic: str, options: dict[str, Any], pool: Any, seed: str) -> Run:
    from blocks.delta import Done, Item, Reset, Text
    from blocks.errors import GenerationError
    from blocks.runtime.engine import run

    outcome = Run(spec.slug, topic, asked=options.get("questions", 0))
    began = time.perf_counter()
    try:
        async for delta in run(spec, topic, options, providers=pool, seed=seed):
            if isinstance(delta, Text | Item) and not outcome.first_seconds:
                outcome.first_seconds = time.perf_counter() - began
            match delta:
                case Item(path, value):
                    outcome.items.pop(path, None)
                    if value is not None:
                        outcome.items[path] = value
                case Reset():
                    outcome.items.clear()
                    outcome.retried = True
                case Done(_, result, dropped):
                    outcome.result, outcome.dropped = dict(result or {}), dict(dropped)
    except GenerationError as error:
        outcome.end = error.code
    outcome.seconds = time.perf_counter() - began
    outcome.judge()
    return outcome


async def run_all(model: str, *, count: int, parallel: int, questions: int) -> list[Run]:
    from blocks.models import BlockType
    from blocks.providers.config import ProviderConfig
    from blocks.providers.registry import ProviderPool

    # The blocks as shipped, regardless of changes in this installation's admin.
    rows = importlib.import_module("blocks.migrations.0002_first_blocks").BLOCKS
    blocks = {row["slug"]: BlockType(**row, model=model) for row in rows}
    pool = ProviderPool(ProviderConfig.from_settings())
    gate = asyncio.Semaphore(parallel)

    async def one(slug: str, topic: str) -> Run:
        options = {"questions": questions, "difficulty": "medium"} if slug == "quiz" else {}
        async with gate:
            outcome = await answer(blocks[slug].spec(), topic, options, pool, f"{slug}-{topic}")
        left_out = " ".join(f"{reason}:{n}" for reason, n in outcome.dropped.items())
        print(
            f"  {outcome.seconds:5.1f} s  {slug:8} {outcome.end:10} {topic}  {left_out}", flush=True
        )
        return outcome

    try:
        await pool.warm(model)
        return await asyncio.gather(
            *(one(slug, topic) for slug in ("quiz", "diagram") for topic in TOPICS[:count])
        )
    finally:
        await pool.aclose()


def summary(runs: list[Run]) -> dict[str, Any]:
    quizzes = [run for run in runs if run.block == "quiz"]
    diagrams = [run for run in runs if run.block == "diagram"]
    complete = [run for run in runs if run.end == "complete"]
    items = sum(len(run.items) for run in runs)
    asked = sum(run.asked for run in quizzes)
    kept = sum(len(run.result.get("questions", [])) for run in quizzes)
    edges = sum(len(run.result.get("edges", [])) for run in diagrams)
    lost = sum((Counter(run.dropped) for run in diagrams), Counter())
    return {
        "runs": len(runs),
        "complete": len(complete) / len(runs),
        "items": items,
        "items_valid": 1.0 - sum(bool(run.problems) for run in runs) / len(runs),
        "questions_asked": asked,
        "questions_in_result": kept,
        "questions_kept": kept / asked,
        "nodes_in_result": sum(len(run.result.get("nodes", [])) for run in diagrams),
        "edges_in_result": edges,
        "dropped_quiz": dict(sum((Counter(run.dropped) for run in quizzes), Counter())),
        "dropped_diagram": dict(lost),
        "retried": sum(run.retried for run in runs),
        "errors": dict(Counter(run.end for run in runs if run.end != "complete")),
        "first_seconds_median": statistics.median(run.first_seconds for run in runs),
        "quiz_seconds_median": statistics.median(run.seconds for run in quizzes),
        "diagram_seconds_median": statistics.median(run.seconds for run in diagrams),
    }


def failures(runs: list[Run]) -> list[dict[str, Any]]:
    """Describe the runs that failed or are invalid: what was asked, the end, and the problems."""
    return [
        {"block": run.block, "topic": run.topic, "end": run.end, "problems": run.problems}
        for run in runs
        if run.end != "complete" or run.problems
    ]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench structured", description=__doc__)
    parser.add_argument("--count", type=int, default=len(TOPICS), help="topics, at most 40")
    parser.add_argument("--parallel", type=int, default=2, help="concurrent answers")
    parser.add_argument("--questions", type=int, default=3, help="questions per quiz")
    parser.add_argument("--model", default="local:smollm2-135m")
    given = parser.parse_args(argv)

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liveai.settings")
    django.setup()
    print(f"{given.count} quizzes and {given.count} diagrams from {given.model}:")
    began = time.perf_counter()
    runs = asyncio.run(
        run_all(given.model, count=given.count, parallel=given.parallel, questions=given.questions)
    )
    figures = summary(runs)
    figures["wall_seconds"] = time.perf_counter() - began
    print()
    for name, value in figures.items():
        print(f"  {name:24} {f'{value:.3f}' if isinstance(value, float) else value}")
    for run in runs:
        for problem in run.problems:
            print(f"  INVALID {run.block} on {run.topic}: {problem}")
    RESULTS.parent.mkdir(exist_ok=True)
    report = {
        "model": given.model,
        "parallel": given.parallel,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "bounds": BOUNDS,
        "figures": figures,
        "failures": failures(runs),
    }
    RESULTS.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    short = [name for name, bound in BOUNDS.items() if figures[name] < bound]
    for name in short:
        print(f"  GOAL MISSED: {name} is {figures[name]:.3f}; the goal is at least {BOUNDS[name]}")
    return 1 if short else 0
