"""Rendering smoothness of answers in a real browser: frames, commits, typing latency.

Headless Chromium opens the built block pages, asks there, and records its frames. `manage.py serve`
answers with the scripted provider. Each case uses a fresh browser profile, as on a first visit. The
goals apply to medians over the rounds, for an answer of 1,000 tokens/s.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .load.answers import LAST_WORDS, TOKEN_CHARS, diagram_answers, markdown_answer, quiz_answer
from .load.frames import Figures, figures_of, long_frames, medians
from .load.servers import scripted_server
from .load.wide_diagrams import NODES

FRONTEND = Path(__file__).resolve().parent.parent / "frontend"
RESULTS = Path(__file__).parent / "results" / "browser.json"

TOKENS = 5_000
QUESTIONS = 10
PARTS_RATE = 200  # tokens/s of the quiz and the diagram, as from a fast model
GOAL_RATE = 1_000

MAX_FRAME_P95_MS = 20.0
MAX_DROPPED = 0.03
MS_PER_COMMIT, MORE_COMMITS = 45.0, 5
MAX_PAINTED_MS = 150.0
MAX_TYPING_MS = 100.0

LIMIT_SECONDS = 180.0  # per case; beyond that it counts as hung
# Plain Node would require file extensions in the imports; Vite is installed anyway and does not.
RUN = "const { runnerImport } = await import('vite'); await runnerImport('./tests/bench/run.ts');"


@dataclass(frozen=True)
class Case:
    """One prompt on one page, and the content that the page must show at the end."""

    name: str
    block: str
    prompt: str
    selector: str
    """Selects a kind of part of the answer."""
    parts: int
    """Number of parts that must match; otherwise the answer is incomplete."""
    words: str = ""
    questions: int = 0
    typing: bool = False


def cases() -> list[Case]:
    found = []
    sections = markdown_answer(TOKENS).count("\n## ") + 1
    for rate, typing in ((200, False), (GOAL_RATE, False), (GOAL_RATE, True), (5_000, False)):
        name = f"markdown {rate:,}/s" + (", typing" if typing else "")
        prompt = _prompt_of(rate)
        table = ".answer .table-scroll"
        found.append(Case(name, "ask-question", prompt, table, sections, LAST_WORDS, typing=typing))
    question = ".answer .quiz-options"
    found.append(Case("quiz", "quiz", "The sea", question, QUESTIONS, questions=QUESTIONS))
    node = '.answer .diagram-view [data-part^="n"]'
    found.append(Case(f"diagram, {NODES} nodes", "diagram", "The delta", node, NODES))
    return found


def _prompt_of(rate: int) -> str:
    return f"All about the tides, at {rate} tokens a second"


def script() -> dict[str, Any]:
    """Return the script that the provider plays for the cases."""
    pace = {"every_ms": 1000 / PARTS_RATE, "token_chars": TOKEN_CHARS}
    nodes, edges = diagram_answers(NODES)
    parts = {"questions": quiz_answer(QUESTIONS), "nodes": nodes, "edges": edges}
    text = markdown_answer(TOKENS)
    return {
        "model": "benchmark",
        "replies": [
            {"when": {"schema_has": name}, "steps": [{"json": value, **pace}]}
            for name, value in parts.items()
        ]
        + [
            {
                "when": {"prompt_has": _prompt_of(rate)},
                "steps": [{"text": text, "every_ms": 1000 / rate, "token_chars": TOKEN_CHARS}],
            }
            for rate in (200, GOAL_RATE, 5_000)
        ],
    }


def samples(url: str, node: str, wanted: Sequence[Case]) -> Iterator[tuple[Case, dict[str, Any]]]:
    """Run the cases in the browser, one after the other.

    Raises:
        RuntimeError: a page did not show a whole answer; stderr says why.
    """
    work = {"url": url, "limitMs": LIMIT_SECONDS * 1000, "cases": [asdict(case) for case in wanted]}
    command = [node, "--input-type=module", "--eval", RUN]
    environment = {**os.environ, "LIVEAI_BENCH": json.dumps(work)}
    with subprocess.Popen(
        command, cwd=FRONTEND, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        for case, line in zip(wanted, process.stdout, strict=False):
            yield case, json.loads(line)
    if process.returncode:
        raise RuntimeError(f"The browser's side ended with {process.returncode}.")


def shortfalls(middles: Mapping[str, Mapping[str, float | None]]) -> list[str]:
    """Describe the figures that miss their goals, which apply to `GOAL_RATE`."""
    short = []

    def hold(name: str, label: str, unit: str, value: float | None, most: float) -> None:
        if value is not None and value > most:
            short.append(f"{name}: {label} {value:.4g}{unit}; the limit is {most:.4g}{unit}")

    name = f"markdown {GOAL_RATE:,}/s"
    if plain := middles.get(name):
        hold(name, "p95 of the frames is", " ms", plain["frame_p95_ms"], MAX_FRAME_P95_MS)
        hold(name, "dropped frames are", " %", _percent(plain["dropped"]), _percent(MAX_DROPPED))
        commits = (plain["elapsed_ms"] or 0) / MS_PER_COMMIT + MORE_COMMITS
        hold(name, "commits are", "", plain["commits"], commits)
        hold(name, "the end is shown after", " ms", plain["painted_ms"], MAX_PAINTED_MS)
    if typing := middles.get(f"{name}, typing"):
        worst = typing["typing_max_ms"]
        hold(f"{name}, typing", "the slowest keystroke takes", " ms", worst, MAX_TYPING_MS)
    return short


def _percent(share: float | None) -> float:
    return round(100 * (share or 0), 2)


COLUMNS = (
    f"{'frame p50':>9} {'p95':>6} {'dropped':>8} {'commits':>8} {'of':>5} {'long':>5}"
    f" {'longest':>8} {'end shown':>10} {'key p50':>8} {'max':>6}"
)


def _row(when: str, name: str, figures: Mapping[str, float | None]) -> str:
    f = {key: value for key, value in figures.items() if value is not None}
    commits_allowed = f["elapsed_ms"] / MS_PER_COMMIT + MORE_COMMITS
    row = (
        f"  {when:8} {name:24} {f['frame_p50_ms']:9.1f} {f['frame_p95_ms']:6.1f}"
        f" {f['dropped']:8.2%} {f['commits']:8.0f} {commits_allowed:5.0f}"
        f" {f['long_frames']:5.0f} {f['longest_frame_ms']:8.0f} {f['painted_ms']:10.0f}"
    )
    return row + (
        f" {f['typing_p50_ms']:8.0f} {f['typing_max_ms']:6.0f}" if "typing_max_ms" in f else ""
    )


def measure(
    node: str, wanted: Sequence[Case], *, rounds: int, why: bool
) -> dict[str, list[Figures]]:
    found: dict[str, list[Figures]] = {}
    program = ("-m", "benchmarks.load.wide_diagrams")
    with scripted_server(None, script(), streams=10, program=program) as server:
        for number in range(rounds):
            for case, sample in samples(f"http://127.0.0.1:{server.port}", node, wanted):
                figures = figures_of(sample)
                found.setdefault(case.name, []).append(figures)
                print(_row(f"round {number + 1}", case.name, asdict(figures)), flush=True)
                for frame in long_frames(sample) if why else []:
                    ran = "; ".join(frame["scripts"]) or "no script"
                    print(
                        f"    {frame['duration']:.0f} ms, blocking {frame['blocking']:.0f}: {ran}"
                    )
    return found


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench browser", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--why", action="store_true", help="show what ran in long frames")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    given = parser.parse_args(argv)
    node = shutil.which("node")
    if node is None or not (FRONTEND / "dist" / "manifest.json").is_file():
        print("This needs Node and the built pages: scripts/bench browser installs both.")
        return 2
    wanted = [case for case in cases() if given.only in case.name]
    print("Times in ms; `of`: the commits that the goal allows; `long`: frames of at least 50 ms:")
    print(f"  {'':8} {'':24} {COLUMNS}")
    rounds = measure(node, wanted, rounds=given.rounds, why=given.why)
    middles = {name: medians(figures) for name, figures in rounds.items()}
    for name, middle in middles.items():
        print(_row("median", name, middle))
    report = {
        "tokens": TOKENS,
        "rounds": given.rounds,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2) if sys.platform != "win32" else None,
        "goals": {
            "frame_p95_ms": MAX_FRAME_P95_MS,
            "dropped": MAX_DROPPED,
            "commits": f"elapsed_ms / {MS_PER_COMMIT:g} + {MORE_COMMITS}",
            "painted_ms": MAX_PAINTED_MS,
            "typing_max_ms": MAX_TYPING_MS,
        },
        "medians": middles,
    }
    if not given.only:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(report, indent=1) + "\n")
    short = shortfalls(middles)
    for words in short:
        print(f"  GOAL MISSED: {words}")
    return 1 if short else 0
