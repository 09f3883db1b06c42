"""Specification, schema and code agree on codes, closes, framing and limits."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from blocks.outputs.base import DROP_REASONS
from blocks.outputs.registry import OUTPUTS
from streaming.protocol import codes, commands, events, frames, viewer
from streaming.protocol.cursor import STREAM_ID
from tests.specs import golden_run, provoked
from tests.specs.fixture import RUNS
from tests.specs.test_schema import EVENTS
from tests.support.schema import load_schema, types_of

SPEC = Path(__file__).parents[2] / "specs" / "050-live-ai-interaction" / "spec.md"
ROOT = SPEC.parents[2]
SETTINGS = ROOT / "liveai" / "settings.py"
DEFS: dict[str, Any] = load_schema()["$defs"]
SSE: dict[str, Any] = load_schema()["x-sse"]
WEBSOCKET: dict[str, Any] = load_schema()["x-websocket"]
CLOSES = {
    value: name.removeprefix("CLOSE_").lower()
    for name, value in vars(codes).items()
    if name.startswith("CLOSE_")
}


def _section(title: str) -> str:
    """Return the text of one numbered section of the specification."""
    text = SPEC.read_text(encoding="utf-8")
    found = re.search(rf"^## \d+ {title}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"the specification has no section {title}"
    return found[1]


def _table(section: str, first_header: str) -> list[list[str]]:
    """Return the rows of the table whose first column has this header."""
    rows: list[list[str]] = []
    inside = False
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and cells[0] == first_header:
            inside = True
        elif inside and line.startswith("|"):
            if not set(cells[0]) <= set("-: "):
                rows.append(cells)
        elif inside:
            break
    assert rows, f"no table of {first_header}"
    return rows


def _names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize(
    "title", ["Events", "Rules", "Resume", "HTTP", "SSE", "WebSocket", "Errors", "Switches"]
)
def test_the_sections_that_docstrings_name_exist(title: str) -> None:
    assert len(_section(title)) > 200


def test_refusals_agree_in_specification_schema_and_code() -> None:
    in_code = {name: (code.status, code.retryable) for name, code in codes.REFUSALS.items()}
    in_schema = {
        name: (code["status"], code["retryable"])
        for name, code in load_schema()["x-refusals"].items()
    }
    in_spec = {
        _names(name)[0]: (int(status), retryable == "yes")
        for status, name, retryable, _ in _table(_section("Errors"), "status")
    }
    assert in_code == in_schema == in_spec
    assert list(in_code) == DEFS["refusal_code"]["enum"]


def test_codes_of_error_events_agree_in_specification_schema_and_code() -> None:
    in_schema = {name: code["retryable"] for name, code in load_schema()["x-errors"].items()}
    in_spec = {
        _names(name)[0]: retryable == "yes"
        for name, retryable, _ in _table(_section("Errors"), "code of `error`")
    }
    assert in_schema == in_spec == codes.STREAM_ERRORS
    assert list(codes.STREAM_ERRORS) == DEFS["error_code"]["enum"]


def test_close_codes_agree_in_specification_schema_and_code() -> None:
    in_schema = {code: close["name"] for code, close in WEBSOCKET["close_codes"].items()}
    in_spec = {
        int(code): _names(name)[0] for code, name, _ in _table(_section("WebSocket"), "close")
    }
    assert in_schema == in_spec == CLOSES


PLANNED = "planned: not sent yet"


def _planned(first_header: str) -> set[str]:
    """The codes that the specification marks as planned."""
    rows = _table(_section("Errors"), first_header)
    return {
        name for row in rows if row[-1].startswith(PLANNED) for name in _names("".join(row[:2]))
    }


@pytest.mark.parametrize(
    ("code", "test"),
    [
        *provoked.PROBLEMS.items(),
        *provoked.REFUSED.items(),
        *provoked.ERRORS.items(),
        *provoked.CLOSES.items(),
    ],
)
def test_the_test_that_provokes_a_code_is_there_and_asserts_it(code: str | int, test: str) -> None:
    assert code in provoked.asserted_by(test), test


def test_every_code_is_provoked_by_a_test_except_for_the_planned_ones() -> None:
    http_alone = re.search(r"^Only over HTTP: (.*)\.$", _section("Errors"), re.MULTILINE)
    assert http_alone
    assert set(provoked.PROBLEMS) == set(codes.REFUSALS) - _planned("status")
    assert set(provoked.REFUSED) == set(provoked.PROBLEMS) - set(_names(http_alone[1]))
    assert set(provoked.ERRORS) == set(codes.STREAM_ERRORS) - _planned("code of `error`")
    assert set(provoked.CLOSES) == set(CLOSES)


def test_the_planned_codes_agree_in_specification_and_schema_and_nothing_sends_them() -> None:
    refusals = load_schema()["x-refusals"]
    planned = {name for name, code in refusals.items() if code.get("planned")}
    assert planned == _planned("status")
    sources = [
        *(path for app in ("blocks", "liveai", "streaming") for path in (ROOT / app).rglob("*.py")),
        *(ROOT / "frontend").glob("*.py"),
    ]
    # Two name every code: the table, and the one that says what an exception would amount to.
    sources = [path for path in sources if path.name not in ("codes.py", "problems.py")]
    for code in planned:
        assert not [path for path in sources if f'"{code}"' in path.read_text(encoding="utf-8")]


def test_event_types_and_their_fields_agree_in_specification_schema_and_code() -> None:
    rows = _table(_section("Events"), "type")
    in_spec = {_names(row[0])[0]: (row[1], set(_names(row[2]))) for row in rows}
    assert set(in_spec) == set(types_of("event")) == {data["type"] for data in EVENTS}
    for name, (logged, fields) in in_spec.items():
        is_logged = name in events.LOGGED_TYPES
        # The text above the table covers `type`, `stream_id` and the place in the log.
        common = {"type", "stream_id", "seq"} if is_logged else {"type", "stream_id"}
        assert fields == set(DEFS[name]["properties"]) - common, name
        assert (logged == "yes") == is_logged, name


def test_every_event_that_the_code_can_make_is_one_of_the_schema() -> None:
    made = {
        name
        for name, value in inspect.getmembers(events, inspect.isfunction)
        if inspect.signature(value).return_annotation == "Event"
    }
    # A merged chunk is a chunk; a ping is written by the socket itself.
    assert made - {"merged_chunk"} == set(types_of("event")) - {"ping"}
    assert made >= events.LOGGED_TYPES


def test_the_fields_of_an_event_are_among_those_of_the_schema_and_nothing_is_unused() -> None:
    made: dict[str, set[str]] = {}
    for data in EVENTS:
        made.setdefault(data["type"], set()).update(data)
    for name, fields in made.items():
        assert fields == set(DEFS[name]["properties"]), name


def test_outputs_agree_in_specification_schema_code_and_typescript() -> None:
    rows = _table(_section("HTTP"), "call")
    (blocks,) = [meaning for call, meaning in rows if call == "`GET /api/blocks`"]
    listed = re.search(r"`output` \(([^)]+)\)", blocks)
    in_typescript = re.search(r"^export type OutputName = (.*);$", _typescript("api"), re.MULTILINE)
    assert listed and in_typescript
    assert set(_names(listed[1])) == set(OUTPUTS)
    assert set(DEFS["block"]["properties"]["output"]["enum"]) == set(OUTPUTS)
    assert set(re.findall(r"'([^']+)'", in_typescript[1])) == set(OUTPUTS)


def test_the_specification_describes_every_structured_answer() -> None:
    structured = {name for name, output in OUTPUTS.items() if output.structured}
    rule = _section("Rules").partition("**Structured answers** (")[2]
    assert set(_names(rule.partition(")")[0])) == structured
    described = {name.lower() for name in re.findall(r"^   - (\w+): ", rule, re.MULTILINE)}
    assert structured <= described


def test_every_output_has_a_golden_run_of_its_name() -> None:
    assert set(OUTPUTS) <= {run.name for run in RUNS}


def test_events_agree_in_schema_and_typescript() -> None:
    in_typescript: dict[str, set[str]] = {}
    for kind, rest in re.findall(
        r"shaped\(\{\s*type: oneOf\('(\w+)'\),(.*?)\}\);", _typescript("events"), re.DOTALL
    ):
        flat = re.sub(r"\(\{.*?\}\)", "", rest.replace("...logged", "stream_id:, seq:"), flags=re.S)
        in_typescript[kind] = {"type", *re.findall(r"(\w+):", flat)}
    in_schema = {kind: set(DEFS[name]["properties"]) for kind, name in types_of("event").items()}
    del in_schema["ping"]  # a frame of the socket's own, which no stream's event handler sees
    assert in_typescript == in_schema
    table = re.search(r"const checks: .*?\{(.*?)\};", _typescript("events"), re.DOTALL)
    assert table
    assert set(re.findall(r"(\w+):", table[1])) == set(in_schema)


def _typescript(name: str) -> str:
    (path,) = (ROOT / "frontend" / "src" / "ai").rglob(f"{name}.ts")
    return path.read_text(encoding="utf-8")


def test_words_agree_in_schema_and_code() -> None:
    assert DEFS["status"]["enum"] == list(get_args(events.Status))
    assert set(DEFS["drop_reason"]["enum"]) == set(DROP_REASONS)
    assert DEFS["stream_id"]["pattern"].strip("^$") == STREAM_ID.pattern
    assert DEFS["request_id"]["pattern"].strip("^$") == commands.UUID.pattern
    terminal = {"complete", "error", "cancelled"}
    assert events.TERMINAL_TYPES == terminal <= set(DEFS["status"]["enum"])


def test_the_framing_of_sse_agrees_in_schema_and_code() -> None:
    assert SSE["retry_ms"] == frames.RETRY_MS
    assert SSE["merge_above_events"] == viewer.MERGE_ABOVE
    for data in EVENTS:
        if data["type"] == "ping":
            continue  # only for WebSocket
        logged = data["type"] in events.LOGGED_TYPES
        fields = {
            name: value
            for name, value in data.items()
            if name not in ("type", "stream_id") and not (logged and name == "seq")
        }
        event = events.Event(
            data["type"], data.get("stream_id"), data["seq"] if logged else None, fields
        )
        template = SSE["first_frame"] if data["type"] == "start" else SSE["frame"]
        number = SSE["ids"].get(data["type"])
        if number is None:
            template = template.replace("id: {id}\n", "")
        expected = template.format(
            id=f"{golden_run.STREAM_ID}:{data.get(number)}",
            type=data["type"],
            json=frames.encode_json(data).decode(),
            retry_ms=SSE["retry_ms"],
        )
        assert frames.encode_sse(event).decode() == expected


def test_the_limits_of_websocket_agree_in_schema_and_code() -> None:
    assert WEBSOCKET["max_frame_bytes"] == commands.MAX_FRAME_BYTES
    assert WEBSOCKET["max_ref_characters"] == DEFS["ref"]["maxLength"] == commands.MAX_REF_CHARS


def test_client_frames_agree_in_specification_schema_and_code() -> None:
    in_spec = {
        _names(row[0])[0]: set(_names(row[1])) for row in _table(_section("WebSocket"), "client")
    }
    in_schema = {
        kind: set(DEFS[name]["properties"]) - {"type"}
        for kind, name in types_of("client_frame").items()
    }
    assert in_spec == in_schema == commands._FIELDS


def test_the_defaults_of_switches_and_limits_agree_in_specification_and_settings() -> None:
    settings = SETTINGS.read_text(encoding="utf-8")
    section = _section("Switches")
    rows = _table(section, "setting") + _table(section, "limit")
    assert len(rows) >= 13
    for name, default, _ in rows:
        (in_code,) = re.findall(rf'env\.\w+\(\s*"{_names(name)[0]}", "?([^),"]+)"?[,)]', settings)
        in_spec = default.strip("`")
        if in_spec.isdigit():
            assert float(in_code.replace("_", "")) == float(in_spec), name
        else:
            assert in_code.lower() == in_spec, name
