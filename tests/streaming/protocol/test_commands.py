"""The meaning of clients' commands. Valid and invalid texts are in fixtures/commands.json."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.protocol.commands import (
    MAX_FRAME_BYTES,
    MAX_REF_CHARS,
    Cancel,
    InvalidCommand,
    Leave,
    Ping,
    Resume,
    Start,
    Unreadable,
    is_uuid,
    parse_command,
)
from tests.specs.golden_run import STREAM_ID
from tests.specs.wire_texts import REQUEST_ID

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
field_names = st.sampled_from(
    ["ref", "block_type", "prompt", "options", "request_id", "stream_id", "after", "else"]
)


def _refusal(**frame: object) -> InvalidCommand:
    with pytest.raises(InvalidCommand) as refused:
        parse_command(json.dumps(frame))
    return refused.value


def test_each_command_is_read_with_its_defaults() -> None:
    assert parse_command('{"type":"start","block_type":"quiz"}') == Start(
        None, "quiz", None, {}, None
    )
    assert parse_command(json.dumps({"type": "resume", "stream_id": STREAM_ID})) == Resume(
        None, STREAM_ID, -1
    )
    assert parse_command(json.dumps({"type": "leave", "stream_id": STREAM_ID})) == Leave(STREAM_ID)
    assert parse_command(json.dumps({"type": "cancel", "request_id": REQUEST_ID})) == Cancel(
        None, REQUEST_ID
    )
    assert parse_command('{"type":"ping"}') == Ping()


def test_a_request_id_is_compared_in_lower_case() -> None:
    command = parse_command(
        json.dumps({"type": "start", "block_type": "quiz", "request_id": REQUEST_ID.upper()})
    )
    assert isinstance(command, Start) and command.request_id == REQUEST_ID


def test_prompt_and_options_are_passed_on_as_they_came_for_the_block_to_check() -> None:
    command = parse_command('{"type":"start","block_type":"x","prompt":7,"options":[]}')
    assert isinstance(command, Start)
    assert (command.prompt, command.options) == (7, [])


@given(st.text())
def test_any_text_is_a_command_or_a_refusal(text: str) -> None:
    with contextlib.suppress(Unreadable, InvalidCommand):
        parse_command(text)


@given(
    st.sampled_from(["start", "resume", "leave", "cancel", "ping"]),
    st.dictionaries(field_names, json_values | st.sampled_from([STREAM_ID, REQUEST_ID])),
)
def test_any_fields_are_a_command_or_a_refusal_with_a_code_and_words(
    kind: str, fields: dict[str, object]
) -> None:
    try:
        command = parse_command(json.dumps({"type": kind, **fields}))
    except InvalidCommand as error:
        refused = error
    else:
        assert type(command).__name__.lower() == kind
        return
    assert refused.code in {"invalid_input", "invalid_cursor", "not_found"}
    assert refused.message
    assert set(refused.echo) <= {"ref", "stream_id", "request_id"}
    assert all(fields[name] == value for name, value in refused.echo.items())


def test_a_refusal_repeats_what_identifies_the_frame() -> None:
    refused = _refusal(type="resume", ref="r7", stream_id=STREAM_ID, after=-5)
    assert refused.code == "invalid_cursor"
    assert refused.echo == {"ref": "r7", "stream_id": STREAM_ID}


def test_a_refusal_repeats_nothing_long_or_of_another_kind() -> None:
    assert _refusal(type="start", ref="r" * (MAX_REF_CHARS + 1), block_type="quiz").echo == {}
    assert _refusal(type="start", ref={"a": 1}, block_type="quiz").echo == {}


def test_a_ref_may_have_200_characters() -> None:
    ref = "r" * MAX_REF_CHARS
    command = parse_command(json.dumps({"type": "start", "ref": ref, "block_type": "quiz"}))
    assert isinstance(command, Start) and command.ref == ref


def test_an_unknown_field_is_named() -> None:
    refused = _refusal(type="ping", nonsense=1)
    assert refused.code == "invalid_input" and refused.message.startswith("nonsense:")


@pytest.mark.parametrize("after", [-2, 10**10, 1.0, "1", True, [], {}])
def test_a_cursor_is_a_whole_number_and_no_other_kind_of_thing(after: object) -> None:
    assert _refusal(type="resume", stream_id=STREAM_ID, after=after).code == "invalid_cursor"


def test_a_cancel_names_a_stream_or_a_request_and_not_both() -> None:
    assert _refusal(type="cancel").code == "invalid_input"
    both = _refusal(type="cancel", stream_id=STREAM_ID, request_id=REQUEST_ID)
    assert both.code == "invalid_input"


def test_a_frame_may_have_64_kib_and_not_one_byte_more() -> None:
    def frame(size: int, letter: str) -> str:
        empty = json.dumps({"type": "start", "block_type": "quiz", "prompt": ""})
        fill = (size - len(empty)) // len(letter.encode())
        padding = " " * (size - len(empty) - fill * len(letter.encode()))
        return empty.replace('""', f'"{letter * fill}"') + padding

    for letter in ("x", "é", "👩"):
        text = frame(MAX_FRAME_BYTES, letter)
        assert len(text.encode()) == MAX_FRAME_BYTES
        assert isinstance(parse_command(text), Start)
        with pytest.raises(Unreadable, match="64 KiB"):
            parse_command(text + " ")


@pytest.mark.parametrize("text", ["[" * 5_000, '{"a":' * 9_000, "9" * 5_000, "NaN", "\ud800"])
def test_what_would_break_a_parser_is_unreadable_and_nothing_worse(text: str) -> None:
    with pytest.raises(Unreadable):
        parse_command(text)


def test_numbers_that_json_does_not_have_are_refused() -> None:
    for name in ("NaN", "Infinity", "-Infinity"):
        with pytest.raises(Unreadable):
            parse_command(f'{{"type":"start","block_type":"x","prompt":{name}}}')


@pytest.mark.parametrize(
    "text",
    [REQUEST_ID[:-1], REQUEST_ID + "0", REQUEST_ID.replace("-", ""), f"{{{REQUEST_ID}}}", ""],
)
def test_a_uuid_has_one_form(text: str) -> None:
    assert is_uuid(REQUEST_ID)
    assert not is_uuid(text)
