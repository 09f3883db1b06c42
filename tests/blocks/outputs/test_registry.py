"""These tests name every other place that must know a new output. `tests/specs/test_agreement.py`
does so for the wire."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from blocks.outputs.base import Output
from blocks.outputs.registry import OUTPUTS

ROOT = Path(__file__).parents[3]


def module_of(output: Output) -> str:
    return type(output).__module__


def test_every_output_s_module_is_in_the_registry() -> None:
    paths = (ROOT / "blocks" / "outputs").glob("*.py")
    labelled = {path.stem for path in paths if "label: ClassVar[str] = " in path.read_text("utf-8")}
    assert labelled == {module_of(output).rpartition(".")[2] for output in OUTPUTS.values()}


def test_the_import_rules_name_every_output() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (rule,) = [rule for rule in rules["contracts"] if rule["name"].startswith("Outputs know")]
    assert sorted(rule["modules"]) == sorted(map(module_of, OUTPUTS.values()))


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=list(OUTPUTS))
def test_an_output_passes_the_contract_in_a_test_of_its_own(output: Output) -> None:
    tests = Path(__file__).with_name(f"test_{module_of(output).rpartition('.')[2]}.py")
    assert tests.is_file(), f"{tests.name}: it runs the contract"
    assert "(OutputContract):" in tests.read_text("utf-8"), tests.name
