from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks.outputs.part_scanner import (
    MAX_PART_BYTES,
    Closed,
    Failed,
    Found,
    Grown,
    ListOpened,
    Opened,
    PartScanner,
)


def scan(text: str, *, size: int = 1_000_000) -> list[Found]:
    scanner = PartScanner()
    found: list[Found] = []
    for at in range(0, len(text), size):
        found += scanner.feed(text[at : at + size])
    return found


def merged(found: list[Found]) -> list[Found]:
    """Neighbouring Grown of one string as one: the same for every way to cut the text."""
    out: list[Found] = []
    for one in found:
        last = out[-1] if out else None
        if isinstance(one, Grown) and isinstance(last, Grown) and last.path == one.path:
            out[-1] = Grown(one.path, last.text + one.text)
        else:
            out.append(one)
    return out


def values(found: list[Found]) -> list[Any]:
    return [one.value for one in found if isinstance(one, Closed)]


def test_members_and_elements_of_arrays_are_parts() -> None:
    assert scan('{"a": "x", "b": [1, {"c": ["y"]}], "d": {}, "e": []}') == [
        Opened("a", None),
        Grown((), "x"),
        Closed("x"),
        ListOpened("b"),
        Opened("b", 0),
        Closed(1),
        Opened("b", 1),
        Grown(("c", 0), "y"),
        Closed({"c": ["y"]}),
        Opened("d", None),
        Closed({}),
        ListOpened("e"),
    ]


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abé\n", max_size=3), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.dictionaries(st.text("kl/~", min_size=1, max_size=3), _json), st.booleans(), st.data())
def test_what_is_read_is_what_was_written_however_it_is_cut(
    document: dict[str, Any], ascii_only: bool, data: st.DataObject
) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only)
    parts = [
        part
        for member in document.values()
        for part in (member if isinstance(member, list) else [member])
    ]
    found = scan(text, size=data.draw(st.integers(1, 7)))
    assert values(found) == parts
    assert merged(found) == merged(scan(text))


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (r'"\ud83d\ude00"', "😀"),
        (r'"\ud83d"', "\ufffd"),
        (r'"\ud83dx"', "\ufffdx"),
        (r'"\ude00\ud83d"', "\ufffd\ufffd"),
        (r'"\ud83d\ud83d\ude00"', "\ufffd😀"),
        (r'"\ud83d\n"', "\ufffd\n"),
        (r'"\ud83d\u0041"', "\ufffdA"),
        (r'"\u0000"', "\ufffd"),
        ('"a\0b"', "a\ufffdb"),
        ('"raw\nbreak\ttab"', "raw\nbreak\ttab"),
        (r'"\\\" \/ \\u0041"', '\\" / \\u0041'),
        ("-0.5e-2", -0.005),
        ("9007199254740991", 2**53 - 1),
    ],
)
def test_odd_strings_and_numbers_at_every_size_of_token(raw: str, value: Any) -> None:
    for size in range(1, 9):
        found = scan('{"a": [' + raw + "]}", size=size)
        assert values(found) == [value]
        if isinstance(value, str):
            assert merged(found)[-2] == Grown((), value)


@pytest.mark.parametrize(
    "raw",
    [
        "9007199254740992",
        "1e999",
        "-1e999",
        "9" * 6_000,
        '{"x": 1, "x": 1}',
        "[" * 33 + "]" * 33,
        "[" * 5_000 + "]" * 5_000,
    ],
)
def test_a_part_that_can_not_be_used_fails_alone(raw: str) -> None:
    found = scan('{"a": [' + raw + ', 1], "b": 2}', size=3)
    assert [one for one in found if isinstance(one, Failed)] == [Failed()]
    assert values(found) == [1, 2]


def test_32_levels_are_fine() -> None:
    assert values(scan('{"a": {"b": ' + "[" * 31 + "]" * 31 + "}}")) != []


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, 2 3], "b": 4}',
        '{"a": [1, 2}, "b": 4]',
        '{"a": [1, 2, nope], "b": 4}',
        '{"a": [1, 2, 01], "b": 4}',
        '{"a": [1, 2, NaN], "b": 4}',
        '{"a": [1, 2, "\\x"], "b": 4}',
        '{"a": [1, 2, "\\u12g4"], "b": 4}',
        '{"a": [1, 2], b: 4}',
        '{"a": [1, 2], "b" 4}',
        '{"a": [1, 2],, "b": 4}',
        '{"a": [1, 2], "b": }',
        '{"a": [1, 2, {"x": 1]], "b": 4}',
    ],
)
def test_broken_syntax_ends_the_reading_and_keeps_what_was_whole(text: str) -> None:
    for size in (1, 2, 100):
        found = scan(text, size=size)
        assert values(found) == [1, 2]
        assert [one for one in found if isinstance(one, Failed)] == [Failed()]


def test_a_member_that_comes_twice_counts_once_and_is_malformed_after() -> None:
    found = scan('{"a": "x", "a": "y", "b": [1], "b": [2, 3]}')
    assert values(found) == ["x", 1]
    assert len([one for one in found if isinstance(one, Failed)]) == 3
    assert Grown((), "y") not in found


def test_nothing_of_a_string_is_shown_after_its_part_went_bad() -> None:
    found = scan('{"a": {"x": "shown", "x": "hidden", "y": "hidden too"}}')
    assert [one.text for one in found if isinstance(one, Grown)] == ["shown"]


@pytest.mark.parametrize("size", [1, 100, 100_000])
@pytest.mark.parametrize(
    "begin", ['{"a": "', '{"a": [{"b": "', '{"a": [[[', '{"', '{"a": 1', '{"a": ["é', '{"a":']
)
def test_a_part_without_end_stops_the_reading_at_its_limit(begin: str, size: int) -> None:
    scanner = PartScanner()
    scanner.feed('{"ok": 1, ' + begin[1:])
    filler = {'"': "x", "[": "[ ", "1": "1", "é": "é", ":": " "}[begin[-1]]
    for _ in range(0, MAX_PART_BYTES + 200, size):
        if scanner.is_over_limit:
            break
        scanner.feed(filler * size)
    assert scanner.is_over_limit
    assert scanner.feed('"}, "b": 1}') == []


def test_a_part_just_below_its_limit_is_read() -> None:
    for filler, width in (("x", 1), ("é", 2)):
        text = filler * ((MAX_PART_BYTES - 200) // width)
        assert values(scan('{"a": ["' + text + '", "' + text + '"]}', size=999)) == [text, text]
        long = filler * (MAX_PART_BYTES // width)
        assert values(scan('{"a": ["' + long + '"]}', size=999)) == []


def test_only_half_an_escape_is_ever_read_again() -> None:
    scanner = PartScanner()
    for char in '{"a": ["' + r"\ud83d\ude00 \n x" * 50 + '", 12345, {"b": true}]}':
        scanner.feed(char)
        assert len(scanner._tail) < 12
