"""`scripts/check_sizes.py` names what exceeds its bound, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.check_sizes import LINES_AT_MOST, MODULES_AT_MOST, main


def put(root: Path, name: str, lines: int = 1) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x = 1\n" * lines, encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    [
        "liveai/settings.py",
        "frontend/views.py",
        "streaming/http/endpoint.py",
        "blocks/outputs/quiz.py",
        "benchmarks/load/hostile.py",
        "tests/support/pools.py",
        "scripts/prepare.py",
        "frontend/src/ai/run.ts",
        "frontend/src/pages/History.tsx",
        "frontend/tests/unit/setup.ts",
        "frontend/tests/unit/Page.tsx",
    ],
)
def test_a_source_file_may_have_so_many_lines_and_no_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    put(tmp_path, name, LINES_AT_MOST)
    assert main(tmp_path) == 0
    put(tmp_path, name, LINES_AT_MOST + 1)
    assert main(tmp_path) == 1
    assert capsys.readouterr().out == f"{name}: 401 lines, at most 400\n"


@pytest.mark.parametrize(
    "name",
    [
        "frontend/node_modules/gyp/gyp.py",
        "frontend/dist/main.ts",
        "streaming/static/long.css",
        "var/notes.py",
    ],
)
def test_what_is_not_our_source_may_be_longer(tmp_path: Path, name: str) -> None:
    put(tmp_path, name, LINES_AT_MOST + 1)
    assert main(tmp_path) == 0


def test_the_top_level_of_streaming_has_so_many_modules_and_no_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["__init__", *(f"module_{number}" for number in range(MODULES_AT_MOST))]
    for name in names:
        put(tmp_path, f"streaming/{name}.py")
        put(tmp_path, f"streaming/http/{name}.py")
    assert main(tmp_path) == 0
    put(tmp_path, "streaming/one_more.py")
    assert main(tmp_path) == 1
    assert capsys.readouterr().out == "streaming: 17 modules at its top level, at most 16\n"


def test_every_offender_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, "blocks/one.py", 500)
    put(tmp_path, "tests/two.py", 600)
    assert main(tmp_path) == 1
    assert capsys.readouterr().out.splitlines() == [
        "blocks/one.py: 500 lines, at most 400",
        "tests/two.py: 600 lines, at most 400",
    ]
