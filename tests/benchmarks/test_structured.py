"""The report of `scripts/bench structured` explains failures, and holds no answers."""

from __future__ import annotations

from benchmarks.structured import Run, failures


def test_the_report_lists_the_failed_and_the_invalid_runs_alone() -> None:
    title = {"/title": "Jazz"}
    valid = Run("diagram", "Jazz", items=title, result={"title": "Jazz"})
    failed = Run("quiz", "Jazz", items=title, end="empty_answer")
    invalid = Run("diagram", "Chess", items={"/title": " "}, result={"title": " "})
    for run in (valid, failed, invalid):
        run.judge()
    assert failures([valid, failed, invalid]) == [
        {"block": "quiz", "topic": "Jazz", "end": "empty_answer", "problems": []},
        {
            "block": "diagram",
            "topic": "Chess",
            "end": "complete",
            "problems": [r"/title: ' ' does not match '\\S'"],
        },
    ]
