"""Completeness and form of forty quizzes, forty diagrams and twenty texts from the demo model.

The goals (see BOUNDS) apply to the model that the project ships. Facts are not judged: `--show`
prints the answers to read.
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

from benchmarks.load.judging import diagram_faults, quiz_faults
from benchmarks.load.topics import DIAGRAM_TOPICS, QUESTIONS, QUIZ_TOPICS

RESULTS = Path(__file__).parent / "results" / "structured.json"

BOUNDS = {
    "complete": 0.95,
    "items_valid": 1.0,
    "questions_kept": 0.9,
    "nodes_kept": 0.9,
    "clean": 1.0,
    "texts_without_a_limit": 1.0,
}
ASKED_NODES = 4  # of the demo model


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
        explanation={"type": "string"},  # '' if the model gave none that can be shown
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
    finish_reason: str = ""
    text: str = ""
    items: dict[str, Any] = field(default_factory=dict)  # path → value
    result: dict[str, Any] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    retried: bool = False
    first_seconds: float = 0.0  # time to the first chunk or item
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)  # against the contract
    faults: list[str] = field(default_factory=list)  # of form, one for each faulty part

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
        if self.result:
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
                case Text(token, None):
                    outcome.text += token
                case Item(path, value):
                    outcome.items.pop(path, None)
                    if value is not None:
                        outcome.items[path] = value
                case Reset():
                    outcome.items.clear()
                    outcome.retried = True
                case Done(reason, result, dropped):
                    outcome.finish_reason = reason
                    outcome.result, outcome.dropped = dict(result or {}), dict(dropped)
    except GenerationError as error:
        outcome.end = error.code
    outcome.seconds = time.perf_counter() - began
    outcome.judge()
    if outcome.result:
        find = quiz_faults if spec.output == "quiz" else diagram_faults
        outcome.faults = find(outcome.result, example_texts(spec))
    return outcome


def example_texts(spec: Any) -> list[str]:
    """Return the texts of the worked examples that this model is shown."""
    from blocks.outputs.demo.diagram_examples import DIAGRAM_EXAMPLES
    from blocks.outputs.demo.quiz_examples import QUIZ_EXAMPLES

    if not spec.is_demo:
        return [text for text in spec.example_answer.split('"') if len(text.split()) > 1]
    examples = QUIZ_EXAMPLES if spec.output == "quiz" else DIAGRAM_EXAMPLES
    lines = [line for _, answer in examples for line in answer.splitlines()]
    return [line.partition(": " if spec.output == "quiz" else ". ")[2] for line in lines]


def plan(count: int, questions: int) -> list[tuple[str, str, dict[str, Any]]]:
    """Return what is asked: block, prompt, options."""
    quiz = {"questions": questions, "difficulty": "medium"}
    texts = [(slug, asked) for asked in QUESTIONS for slug in ("ask-question", "explain-eli10")]
    return [
        *(("quiz", topic, quiz) for topic in QUIZ_TOPICS[:count]),
        *(("diagram", topic, {}) for topic in DIAGRAM_TOPICS[:count]),
        *((slug, asked, {}) for slug, asked in texts[:count]),
    ]


async def run_all(model: str, *, count: int, parallel: int, questions: int) -> list[Run]:
    from blocks.models import BlockType
    from blocks.providers.config import ProviderConfig
    from blocks.providers.registry import ProviderPool

    # The blocks as shipped, regardless of changes in this installation's admin.
    rows = importlib.import_module("blocks.migrations.0002_first_blocks").BLOCKS
    changes = importlib.import_module("blocks.migrations.0003_unlikely_examples").EXAMPLES
    blocks = {
        row["slug"]: BlockType(**(row | changes.get(row["slug"], {})), model=model) for row in rows
    }
    pool = ProviderPool(ProviderConfig.from_settings())
    gate = asyncio.Semaphore(parallel)

    async def one(slug: str, topic: str, options: dict[str, Any]) -> Run:
        async with gate:
            outcome = await answer(blocks[slug].spec(), topic, options, pool, f"{slug}-{topic}")
        left_out = " ".join(f"{reason}:{n}" for reason, n in outcome.dropped.items())
        end = outcome.finish_reason or outcome.end
        print(f"  {outcome.seconds:5.1f} s  {slug:13} {end:10} {topic}  {left_out}", flush=True)
        return outcome

    try:
        await pool.warm(model)
        return await asyncio.gather(*(one(*asked) for asked in plan(count, questions)))
    finally:
        await pool.aclose()


def summary(runs: list[Run]) -> dict[str, Any]:
    quizzes = [run for run in runs if run.block == "quiz"]
    diagrams = [run for run in runs if run.block == "diagram"]
    structured = quizzes + diagrams
    texts = [run for run in runs if run not in structured]
    items = sum(len(run.items) for run in structured)
    asked = sum(run.asked for run in quizzes)
    kept = sum(len(run.result.get("questions", [])) for run in quizzes)
    nodes = [len(run.result.get("nodes", [])) for run in diagrams]
    edges = sum(len(run.result.get("edges", [])) for run in diagrams)
    faults = sum(len(run.faults) for run in structured)
    ends = Counter(run.finish_reason or run.end for run in texts)
    return {
        "runs": len(runs),
        "complete": sum(run.end == "complete" for run in structured) / len(structured),
        "items": items,
        "items_valid": 1.0 - sum(bool(run.problems) for run in structured) / len(structured),
        "questions_asked": asked,
        "questions_in_result": kept,
        "questions_kept": kept / asked,
        "nodes_in_result": sum(nodes),
        "edges_in_result": edges,
        "nodes_kept": sum(min(n, ASKED_NODES) for n in nodes) / (ASKED_NODES * len(nodes)),
        "faulty_parts": faults,
        "clean": 1.0 - faults / max(1, kept + sum(nodes) + edges),
        "dropped_quiz": dict(sum((Counter(run.dropped) for run in quizzes), Counter())),
        "dropped_diagram": dict(sum((Counter(run.dropped) for run in diagrams), Counter())),
        "retried": sum(run.retried for run in structured),
        "errors": dict(Counter(run.end for run in runs if run.end != "complete")),
        "texts": dict(ends),
        "texts_without_a_limit": 1.0 - ends["length"] / len(texts),
        "first_seconds_median": statistics.median(run.first_seconds for run in runs),
        "quiz_seconds_median": statistics.median(run.seconds for run in quizzes),
        "diagram_seconds_median": statistics.median(run.seconds for run in diagrams),
        "text_seconds_median": statistics.median(run.seconds for run in texts),
    }


def failures(runs: list[Run]) -> list[dict[str, Any]]:
    """Describe the runs that failed or are invalid: what was asked, the end, and the problems."""
    return [
        {"block": run.block, "topic": run.topic, "end": run.end, "problems": run.problems}
        for run in runs
        if run.end != "complete" or run.problems
    ]


def shown(run: Run) -> str:
    """Return an answer as a person reads it."""
    lines = [f"{run.block}: {run.topic}"]
    for question in run.result.get("questions", []):
        marks = ["*" if at == question["answer"] else "" for at in range(4)]
        options = " / ".join(map(str.__add__, marks, question["options"]))
        lines.append(f"  {question['question']}  {options}  ({question['explanation']})")
    if nodes := run.result.get("nodes"):
        lines.append("  " + " → ".join(node["label"] for node in nodes))
    if run.text:
        lines.append(f"  {run.text}")
    return "\n".join(lines)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench structured", description=__doc__)
    parser.add_argument("--count", type=int, default=len(QUIZ_TOPICS), help="of each, at most 40")
    parser.add_argument("--parallel", type=int, default=2, help="concurrent answers")
    parser.add_argument("--questions", type=int, default=3, help="questions per quiz")
    parser.add_argument("--model", default="local:smollm2-135m")
    parser.add_argument("--show", action="store_true", help="print the answers")
    given = parser.parse_args(argv)

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liveai.settings")
    django.setup()
    print(f"{given.count} quizzes, diagrams and texts from {given.model}:")
    began = time.perf_counter()
    runs = asyncio.run(
        run_all(given.model, count=given.count, parallel=given.parallel, questions=given.questions)
    )
    figures = summary(runs)
    figures["wall_seconds"] = time.perf_counter() - began
    print()
    if given.show:
        print(*map(shown, runs), "", sep="\n")
    for name, value in figures.items():
        print(f"  {name:24} {f'{value:.3f}' if isinstance(value, float) else value}")
    for run in runs:
        for problem in run.problems:
            print(f"  INVALID {run.block} on {run.topic}: {problem}")
        for fault in run.faults:
            print(f"  FAULTY {run.block} on {run.topic}: {fault}")
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
