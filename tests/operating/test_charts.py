"""Charts as numbers: columns, lines, bars."""

from __future__ import annotations

from operating.charts import HEAD, HEIGHT, LEAST, WIDTH, columns, lines, shares, ticks


def test_columns_stand_on_each_other_and_the_highest_reaches_the_top() -> None:
    low, high = columns([[("a", 1), ("b", 1)], [("a", 3), ("b", 1)]])
    assert [box.kind for box in high.parts] == ["a", "b"]
    bottom, top = high.parts
    assert bottom.y + bottom.height == HEIGHT
    assert round(top.y + top.height, 2) == bottom.y
    assert top.y == HEAD
    assert low.parts[1].y == round(HEIGHT - (HEIGHT - HEAD) / 2, 2)
    assert (low.x, high.x, high.width) == (0, WIDTH / 2, WIDTH / 2)


def test_one_among_thousands_is_still_seen() -> None:
    (column,) = columns([[("complete", 100_000), ("error", 1)]])
    assert column.parts[1].height == LEAST


def test_steps_without_anything_have_no_parts() -> None:
    assert [column.parts for column in columns([[("a", 0)], []])] == [[], []]
    assert columns([]) == []


def test_a_line_is_interrupted_where_there_is_no_value() -> None:
    (line,) = lines([("p50", [10, 20, None, 5])])
    assert len(line.runs) == 1
    assert line.runs[0].endswith(f",{HEAD}")
    assert line.dots == [(WIDTH / 8 * 7, round(HEIGHT - (HEIGHT - HEAD) / 4, 2))]


def test_lines_share_a_scale_and_may_be_empty() -> None:
    p95, p50 = lines([("p95", [40]), ("p50", [20])])
    assert p95.dots[0][1] == HEAD
    assert p50.dots[0][1] == HEAD + (HEIGHT - HEAD) / 2
    assert lines([("p50", [None]), ("p95", [])])[0].dots == []
    assert lines([("p50", [0, 0])])[0].runs


def test_bars_are_as_long_as_their_share_of_the_longest() -> None:
    assert shares([200, 50, 1, 0]) == [100.0, 25.0, 1.0, 0.0]
    assert shares([]) == []
    assert shares([0]) == [0.0]


def test_ticks_begin_with_the_first_step_and_leave_room() -> None:
    assert ticks(25) == [0, 5, 10, 15, 20]
    assert ticks(3) == [0, 1, 2]
    assert ticks(0) == []
