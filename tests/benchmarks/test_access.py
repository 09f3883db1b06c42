"""`scripts/bench access`: its cases, and what it reports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import access
from tests.support.servers.access.attack import cases_of
from tests.support.servers.access.people import Person
from tests.support.servers.access.rights import rights_of


@pytest.mark.timeout(300)
def test_its_accesses_get_nothing_and_leave_their_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "RESULTS", tmp_path / "access.json")
    assert access.main(["--accesses", "4000", "--seed", "1"]) == 0  # two rounds of cases
    figures = json.loads((tmp_path / "access.json").read_text())
    assert figures["accesses"] == sum(figures["entry_points"].values()) == 4_000
    for name, goal in figures["goals"].items():
        assert figures[name] == goal, name


class Everybody(dict[str, Person]):
    def __missing__(self, name: str) -> Person:
        return Person(name)


def test_a_seed_makes_the_same_cases_and_all_pairs_before_any_again() -> None:
    rights = rights_of(Everybody(), port=1, closed_port=2)
    one, same, other = (
        [(case.entry.name, case.right, case.kind, case.seed) for case in cases]
        for cases in (cases_of(rights, count=2_000, seed=seed) for seed in (1, 1, 2))
    )
    assert one == same != other
    pairs = [(entry, right) for entry, right, kind, _ in one if kind == "theirs"]
    first = pairs[: len(set(pairs))]
    assert len(set(first)) == len(first)
