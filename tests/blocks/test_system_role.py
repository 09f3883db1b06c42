from __future__ import annotations

from typing import Any

import pytest

from blocks.system_role import warning_of, writes_into_system_role

OPTIONS: dict[str, Any] = {
    "properties": {
        "tone": {"type": "string"},
        "level": {"type": "string", "enum": ["low", "high"]},
        "fixed": {"type": "string", "const": "x"},
        "count": {"type": "integer"},
    }
}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Be kind.", []),
        ("Be $tone, ask $count at $level $fixed.", ["tone"]),
        ("About ${prompt}: be $tone.", ["prompt", "tone"]),
        ("It costs $$tone.", []),
        ("$unknown", []),
    ],
)
def test_free_text_that_the_system_prompt_contains_is_found(text: str, names: list[str]) -> None:
    assert writes_into_system_role(text, OPTIONS) == names
    assert bool(warning_of(text, OPTIONS)) is bool(names)
    for name in names:
        assert f"${name}" in warning_of(text, OPTIONS)


@pytest.mark.parametrize(
    "schema", [None, {}, [], "x", {"properties": []}, {"properties": {"tone": 1}}]
)
def test_a_schema_that_is_none_gives_no_options(schema: Any) -> None:
    assert writes_into_system_role("Be $tone.", schema) == []
