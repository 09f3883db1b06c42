"""How `scripts/test` shares out the tests."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tests.support.pools import HERE, LONG_SECONDS, in_order, pytest_ignore_collect, unit_of

A_PAGES_TEST = "tests/frontend/test_pages_answering.py::test_lines_that_are_cut_or_blocked"


class Config:
    def __init__(self, pool: str | None) -> None:
        self._pool = pool

    def getoption(self, name: str) -> str | None:
        assert name == "--pool"
        return self._pool


@pytest.mark.parametrize(
    ("node_id", "unit"),
    [
        ("tests/a/test_b.py::test_c[serve]", "tests/a/test_b.py[serve]"),
        ("tests/a/test_b.py::test_c[daphne-x]", "tests/a/test_b.py[daphne]"),
        ("tests/a/test_b.py::test_c[x-serve]", "tests/a/test_b.py"),
        ("tests/a/test_b.py::test_c[served]", "tests/a/test_b.py"),
        ("tests/a/test_b.py::test_c", "tests/a/test_b.py"),
        (A_PAGES_TEST, A_PAGES_TEST),
    ],
)
def test_a_unit_is_a_file_its_part_on_one_server_or_a_test_of_pages(
    node_id: str, unit: str
) -> None:
    assert unit_of(node_id) == unit


def test_long_ones_begin_first_and_the_shortest_wait_behind_them() -> None:
    long = sorted(LONG_SECONDS, key=lambda unit: (-LONG_SECONDS[unit], unit))[:3]
    files = [f"tests/x/test_{number}.py" for number in range(5)]
    node_ids = [f"{file}::test_{n}" for number, file in enumerate(files) for n in range(number + 1)]
    node_ids += [unit if "::" in unit else f"{unit}::test_x" for unit in reversed(long)]
    expected = [*long[:2], files[1], files[0], long[2], files[4], files[3], files[2]]
    assert in_order(node_ids, workers=2) == expected
    assert in_order(node_ids[:2], workers=2) == files[:2]


def test_what_is_known_to_take_long_is_there() -> None:
    for unit in LONG_SECONDS:
        path, _, name = unit.partition("::")
        source = (HERE.parent / path).read_text()
        assert f"def {name.partition('[')[0]}(" in source if name else source, unit


def test_each_file_of_tests_is_of_one_pool() -> None:
    files = list(HERE.rglob("test_*.py"))
    assert len(files) > 200
    for file in files:
        taken = [
            pool
            for pool in ("waiting", "computing")
            if not any(
                pytest_ignore_collect(path, cast(Any, Config(pool))) for path in (file, file.parent)
            )
        ]
        assert len(taken) == 1, file
        assert pytest_ignore_collect(file, cast(Any, Config(None))) is None
