from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks.outputs.mermaid import diagram_source, escape_label

FIXTURE = Path(__file__).parents[3] / "specs/050-live-ai-interaction/fixtures/diagram-source.json"
CASES = json.loads(FIXTURE.read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_the_source_is_the_fixture_s_to_the_byte(case: dict[str, Any]) -> None:
    assert diagram_source(case["parts"]) == case["source"]


def test_the_fixture_is_not_empty() -> None:
    assert len(CASES) >= 15


_LINE = re.compile(
    r'flowchart TD|    n1\["(?:[^"`<>%\[\]{}|\\@\n\r#;]|#\d+;)+"\]'
    r'|    n1 -->(?:\|"(?:[^"`<>%\[\]{}|\\@\n\r#;]|#\d+;)+"\|)? n1'
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text() | st.text('"#;&<>[](){}|`%\\\n\r @:-e\u2028\u202e', max_size=12))
def test_no_label_gets_out_of_its_quotes(label: str) -> None:
    source = diagram_source(
        {
            "nodes": [{"id": "n1", "label": label}],
            "edges": [{"from": "n1", "to": "n1", "label": label}],
        }
    )
    lines = source.split("\n")
    assert lines.pop() == ""
    assert len(lines) == 3
    for line in lines:
        assert _LINE.fullmatch(line), line


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E)))
def test_a_reader_sees_the_label_as_it_was(label: str) -> None:
    shown = re.sub(r"#(\d+);", lambda match: chr(int(match[1])), escape_label(label))
    assert shown == label
