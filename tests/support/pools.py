"""Two pools of tests, which `scripts/test` runs side by side.

Tests that start servers and browsers mostly wait, so several of them share a core. The others
compute. `--pool` selects one pool; without it, all tests run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parents[1]

WAITING = (
    "dialects",
    "faults",
    "frontend",
    "guides",
    "host",
    "servers",
    "test_scripts*",
    "test_find_models*",
    "benchmarks",
)
"""Folders and files of tests that wait; all others compute."""

_PAGES = "tests/frontend/test_pages_"
LONG_SECONDS = {
    f"{_PAGES}answering.py::test_samples_that_need_no_model": 60,
    f"{_PAGES}unharmed.py::test_axe_finds_nothing": 160,
    f"{_PAGES}looks.py::test_forced_colours_large_text_and_phones": 145,
    f"{_PAGES}looks.py::test_diagrams_on_boards_of_any_width": 120,
    f"{_PAGES}returning.py::test_ten_tabs_with_ten_answers[sse]": 160,
    f"{_PAGES}returning.py::test_ten_tabs_with_ten_answers[websocket]": 100,
    "tests/faults/test_true_clock.py": 95,
    "tests/servers/test_access.py": 90,
    "tests/guides/test_operate.py": 150,
    "tests/servers/test_canaries.py": 40,
    "tests/faults/test_workers.py": 75,
    "tests/faults/test_next_version.py": 75,
    "tests/faults/test_traces.py": 25,
    "tests/faults/test_deploy_commands.py": 75,
    f"{_PAGES}returning.py::test_two_tabs_reloads_and_a_switch[sse]": 75,
    f"{_PAGES}returning.py::test_two_tabs_reloads_and_a_switch[websocket]": 75,
    f"{_PAGES}answering.py::test_lines_that_are_cut_or_blocked": 65,
    f"{_PAGES}asking.py::test_a_lost_network_a_dead_server_and_a_full_one[sse]": 60,
    f"{_PAGES}asking.py::test_a_lost_network_a_dead_server_and_a_full_one[websocket]": 60,
    f"{_PAGES}asking.py::test_what_is_switched_off_and_who_is_signed_out[sse]": 40,
    f"{_PAGES}asking.py::test_what_is_switched_off_and_who_is_signed_out[websocket]": 40,
    f"{_PAGES}asking.py::test_a_place_in_line_and_a_time_to_try_again[sse]": 75,
    f"{_PAGES}asking.py::test_a_place_in_line_and_a_time_to_try_again[websocket]": 40,
    "tests/faults/test_redis_faults.py": 50,
    "tests/faults/test_nginx_processes.py": 50,
    f"{_PAGES}answering.py::test_each_block_from_prompt_to_end[sse]": 45,
    f"{_PAGES}answering.py::test_each_block_from_prompt_to_end[websocket]": 45,
    "tests/faults/test_postgres.py": 45,
    "tests/faults/test_worker_queue.py": 40,
    "tests/faults/test_integrity.py": 40,
    "tests/frontend/test_cut_lines.py": 40,
    "tests/faults/test_postgres_faults.py": 40,
    "tests/servers/test_shutdown.py": 35,
    "tests/faults/test_killed_processes.py": 35,
    "tests/faults/test_nginx.py": 35,
    "tests/faults/test_stopped_process.py": 30,
    f"{_PAGES}returning.py::test_exports_and_the_deletion_of_all_answers": 60,
    f"{_PAGES}returning.py::test_the_keyboard_alone": 30,
    f"{_PAGES}unharmed.py::test_the_operators_pages": 30,
    f"{_PAGES}unharmed.py::test_hostile_output_does_nothing_and_fetches_nothing": 30,
    f"{_PAGES}answering.py::test_stopped_failed_and_lost_answers[sse]": 30,
    f"{_PAGES}answering.py::test_stopped_failed_and_lost_answers[websocket]": 30,
    f"{_PAGES}under_a_path.py::test_everything_works_below_the_path[sse]": 30,
    f"{_PAGES}under_a_path.py::test_everything_works_below_the_path[websocket]": 30,
    f"{_PAGES}answering.py::test_thinking_and_refusals[sse]": 30,
    f"{_PAGES}answering.py::test_thinking_and_refusals[websocket]": 30,
    "tests/faults/test_cancel.py": 30,
    "tests/faults/test_sigterm.py": 30,
    "tests/faults/test_clients.py": 25,
    "tests/faults/test_redis_line.py": 25,
    "tests/faults/test_redis_lost.py": 25,
    "tests/faults/test_places.py": 25,
    "tests/servers/test_python_client.py": 30,
    "tests/servers/test_kill.py": 25,
    "tests/servers/test_any_input.py": 30,
    "tests/servers/test_described_calls.py": 40,
    "tests/servers/test_prometheus.py": 25,
    "tests/test_scripts.py": 25,
    # These compute.
    "tests/streaming/test_bad_input.py": 70,
    "tests/streaming/event_log/test_state_machine.py": 50,
    "tests/test_worst_input.py": 50,
    "tests/streaming/protocol/test_resume.py": 45,
    "tests/streaming/event_log/test_redis_cut_off.py": 40,
    "tests/streaming/event_log/test_redis_outages.py": 30,
    "tests/streaming/event_log/test_redis_two_processes.py": 25,
    "tests/streaming/access/test_sign_in.py": 25,
    "tests/test_time_limits.py": 25,
    "tests/streaming/channel_layer/test_guard_outages.py": 25,
}
"""Units that take long, while the whole suite runs. They begin first."""


_SERVER = re.compile(r"\[(serve|daphne|runserver)\b")


def unit_of(node_id: str) -> str:
    """Return the unit that runs on one worker: a file, whose servers start once, or its part on one
    kind of server."""
    if node_id.startswith(_PAGES):
        return node_id  # each starts a browser and servers of its own
    path = node_id.partition("::")[0]
    server = _SERVER.search(node_id)
    return f"{path}[{server[1]}]" if server else path


def in_order(node_ids: list[str], workers: int) -> list[str]:
    """Return the units of these tests, long ones first: none of them should start near the end.

    Each worker takes two units at first, so each of the longest is paired with one of the shortest.
    """
    counts: dict[str, int] = {}
    for node_id in node_ids:
        counts[unit_of(node_id)] = counts.get(unit_of(node_id), 0) + 1
    units = sorted(counts, key=lambda unit: (-LONG_SECONDS.get(unit, 0), -counts[unit], unit))
    if len(units) <= 2 * workers:
        return units
    return [*units[:workers], *units[-workers:], *units[workers:-workers]]


# --- hooks of pytest -----------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pool", choices=["waiting", "computing"], help="take one pool's tests alone")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Skip the files of the other pool before they are imported."""
    pool = config.getoption("--pool")
    if pool is None or not collection_path.is_relative_to(HERE) or collection_path == HERE:
        return None
    first = Path(collection_path.relative_to(HERE).parts[0])
    is_waiting = any(first.match(name) for name in WAITING)
    return True if is_waiting != (pool == "waiting") else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    units = in_order([item.nodeid for item in items], workers)
    place = {unit: number for number, unit in enumerate(units)}
    items.sort(key=lambda item: place[unit_of(item.nodeid)])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Callable[..., None]) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit_of(nodeid)

    return Scheduling(config, log)
