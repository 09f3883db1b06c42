"""The comparison's tables and pictures."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks.compare import publish
from benchmarks.comparison import table
from benchmarks.comparison.growth import pictures
from benchmarks.comparison.picture import chart, ticks_up_to

ROOT = Path(__file__).resolve().parent.parent.parent
STEADY = {"cpu_us_per_token": 28.04, "added_p50_ms": 10.6, "added_p99_ms": 121.0, "delivered": 1.0}
LOADS = {
    "200x50": {"raw sse": STEADY, "liveai sse": STEADY, "liveai websocket": STEADY},
    "1000x50": {"liveai sse": {**STEADY, "delivered": 0.99999}},
    "idle": {"fastapi sse": {"cpu_ms_per_open": 0.8}},
    "burst": {"fastapi sse": {"opened": 1.0, "delivered": 0.5, "first_token_p50_ms": None}},
}


# --- tables -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "–"), (0.024, "0.02"), (9.996, "10.00"), (10.64, "10.6"), (3371.4, "3,371")],
)
def test_a_figure_has_the_digits_that_say_something(value: float | None, words: str) -> None:
    assert table.number(value) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [(1.0, "100 %"), (0.999999, "99.9 %"), (0.71, "71 %"), (None, "–"), (0.0, "0 %")],
)
def test_only_what_is_complete_is_a_hundred_percent(share: float | None, words: str) -> None:
    assert table.percent(share) == words


def test_a_row_shows_one_server_on_one_transport_and_a_dash_for_what_was_not_measured() -> None:
    rows = [line.split(" | ") for line in table.overview(LOADS).splitlines()]
    assert len({len(row) for row in rows}) == 1
    assert [row[0] for row in rows[2:]] == [
        "| **liveai, SSE**", "| **liveai, WebSocket**", "| raw ASGI, SSE", "| FastAPI"
    ]  # fmt: skip
    assert rows[2][1:4] == ["28.0, 10.6 / 121", "–", "28.0, 10.6 / 121, 99.9 %"]
    assert rows[5][1:5] == ["–", "–", "–", "0.80"]


def test_waits_and_goals_have_their_tables() -> None:
    assert "| FastAPI | 100 % | – / – | 50 % | – / – | – |" in table.waits(LOADS)
    goal = {"goal": "sse: p50", "load": "lone", "figure": 0.4567, "bound": 1, "unit": "ms"}
    shown = table.goals([
        {**goal, "at_least": False, "met": True},
        {**goal, "figure": None, "unit": "", "at_least": True, "met": False},
    ])  # fmt: skip
    assert "| lone, sse: p50 | 0.4567 ms | ≤ 1 ms |  |" in shown
    assert "| lone, sse: p50 | – | ≥ 1 | missed |" in shown


def test_a_table_replaces_what_stood_in_its_place() -> None:
    document = "a\n<!-- x -->\nold\n<!-- /x -->\nb <!-- y --><!-- /y -->"
    once = table.inserted(document, "x", "new")
    assert once == "a\n<!-- x -->\nnew\n<!-- /x -->\nb <!-- y --><!-- /y -->"
    assert table.inserted(once, "x", "new") == once


@pytest.mark.parametrize("document", ["", "<!-- x -->", "<!-- /x -->", "<!-- /x --> <!-- x -->"])
def test_a_document_without_the_place_is_an_error(document: str) -> None:
    with pytest.raises(ValueError, match="no place"):
        table.inserted(document, "x", "new")


# --- pictures -----------------------------------------------------------------------------


@pytest.mark.parametrize("highest", [0.0, 0.003, 1.0, 7.2, 28.0, 99.9, 100.0, 3371.0])
def test_an_axis_has_few_round_marks_up_to_the_highest_value(highest: float) -> None:
    ticks = ticks_up_to(highest)
    assert ticks[0] == 0 and ticks[-1] >= highest
    assert 2 <= len(ticks) <= 6


def test_a_chart_draws_each_line_within_its_frame() -> None:
    lines = {"ours & theirs": [(1, 3.0), (10, 4.0), (1000, 2.0)], "raw": [(1, 1.0)], "none": []}
    svg = ET.fromstring(chart("CPU <here>", x="streams", y="µs", lines=lines))
    name = "{http://www.w3.org/2000/svg}"
    drawn = [
        [tuple(map(float, point.split(","))) for point in each.attrib["points"].split()]
        for each in svg.iter(f"{name}polyline")
    ]
    assert [len(points) for points in drawn] == [3, 1]
    width, height = float(svg.attrib["width"]), float(svg.attrib["height"])
    assert all(0 < x < width and 0 < y < height for points in drawn for x, y in points)
    first = drawn[0]
    assert first[0][0] < first[1][0] < first[2][0]
    assert first[1][1] < first[0][1] < first[2][1]  # more is higher
    words = {each.text for each in svg.iter(f"{name}text")}
    assert {"CPU <here>", "streams", "µs", "ours & theirs", "raw", "1,000"} <= words


def test_labels_of_lines_that_end_at_the_same_height_do_not_cover_each_other() -> None:
    lines = {name: [(1, 1.0), (2, 5.0)] for name in "abc"}
    svg = ET.fromstring(chart("t", x="x", y="y", lines=lines))
    heights = sorted(
        float(each.attrib["y"])
        for each in svg.iter("{http://www.w3.org/2000/svg}text")
        if each.text in ("a", "b", "c")
    )
    assert heights[1] - heights[0] >= 15 and heights[2] - heights[1] >= 15


def test_a_chart_without_points_is_an_error() -> None:
    with pytest.raises(ValueError, match="points"):
        chart("t", x="x", y="y", lines={"a": []})


def test_a_picture_needs_its_loads() -> None:
    assert list(pictures({})) == []
    loads = {
        "streams50": {"liveai sse": {"cpu_us_per_token": 30.0, "added_p99_ms": 20.0}},
        "1000x20": {"liveai sse": {"cpu_us_per_token": 25.0, "added_p99_ms": 120.0}},
        "long": {
            "100 tokens": {"cpu_us_per_token": 20.0},
            "50000 tokens": {"cpu_us_per_token": 21.0},
        },
    }
    found = {name: drawn for name, _, drawn in pictures(loads)}
    assert set(found) == {"streams", "waits", "length"}
    assert "50,000" in found["length"] and "FastAPI" not in found["streams"]


# --- documents ----------------------------------------------------------------------------


def test_results_are_written_into_both_documents(tmp_path: Path) -> None:
    for name in ("README.md", "benchmarks/README.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "benchmarks" / "results").mkdir()
    length = {f"{tokens} tokens": {"cpu_us_per_token": 20.0} for tokens in (100, 50_000)}
    goal = {"goal": "sse: p50", "load": "lone", "figure": 0.5, "bound": 1, "unit": "ms"}
    stored = {
        "loads": {**LOADS, "long": length},
        "goals": [{**goal, "at_least": False, "met": True}],
    }
    (tmp_path / "benchmarks" / "results" / "compare.json").write_text(json.dumps(stored))
    publish(tmp_path)
    first, second = [
        (tmp_path / name).read_text("utf-8") for name in ("README.md", "benchmarks/README.md")
    ]
    row = "| **liveai, SSE** | 28.0, 10.6 / 121 |"
    assert row in first and row in second
    assert "(pictures/length.svg)" in second and "(pictures/streams.svg)" not in second
    assert "| lone, sse: p50 | 0.5 ms | ≤ 1 ms |" in second
    assert "Not measured yet" not in first + second
    ET.parse(tmp_path / "benchmarks" / "pictures" / "length.svg")
    publish(tmp_path)
    assert (tmp_path / "README.md").read_text("utf-8") == first
