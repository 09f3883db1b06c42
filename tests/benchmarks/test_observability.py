"""`scripts/bench observability`: what it compares, and when it fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.observability import UNOBSERVED, shortfalls, summary
from tests.support.servers.harness import ROOT, clean_environment


@pytest.mark.parametrize(
    ("traces", "is_short"), [([21.0, 40.0, 20.5], False), ([21.0, 22.0, 22.0], True)]
)
def test_the_goal_is_for_the_median_of_the_rounds(traces: list[float], is_short: bool) -> None:
    found = {"off": [20.0, 20.0, 20.0], "metrics": [20.0, 21.0, 19.0], "traces": traces}
    figures = summary(found)
    assert figures["cpu_us_per_token"]["metrics"] == 20.0
    assert figures["cpu_ratio"]["metrics"] == {"median": 1.0, "from": 0.95, "to": 1.05}
    assert len(shortfalls(figures)) == is_short


COUNT = """
from streaming.metrics.buckets import DELIVERIES
from streaming.metrics.counted import REGISTRY, VIEWERS, count_first_token, count_start
count_start("tale"); count_first_token("tale", 1.0); DELIVERIES.observe(1.0)
VIEWERS.labels("sse").inc()
names = ("liveai_streams_started_total", "liveai_first_token_seconds_count")
print(*[REGISTRY.get_sample_value(name, {"block": "tale"}) for name in names])
print(REGISTRY.get_sample_value("liveai_viewers", {"transport": "sse"}), sum(DELIVERIES.counts))
"""


def test_the_side_without_metrics_counts_nothing(tmp_path: Path) -> None:
    program = tmp_path / "count.py"
    program.write_text(COUNT)
    said = [
        subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={
                **clean_environment(),
                "PYTHONPATH": str(ROOT),
                "DJANGO_SETTINGS_MODULE": "liveai.settings",
            },
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for arguments in ([*UNOBSERVED[:2], str(program)], [str(program)])
    ]
    assert said == [["0.0", "0.0", "0.0", "0"], ["1.0", "1.0", "1.0", "1"]]
