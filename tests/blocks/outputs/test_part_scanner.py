from __future__ import annotations

import json
import sys
from itertools import pairwise
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
    """Merge adjacent Grown of one string, so that the result does not depend on the cuts."""
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


def strings_of(value: Any, path: tuple[str | int, ...] = ()) -> list[Found]:
    """Return the Grown that a part with this value must add up to."""
    if isinstance(value, str):
        return [Grown(path, value)] if value else []
    children: dict[Any, Any] = value if isinstance(value, dict) else {}
    if isinstance(value, list):
        children = dict(enumerate(value))
    return [one for step, child in children.items() for one in strings_of(child, (*path, step))]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.dictionaries(st.text("kl/~", min_size=1, max_size=3), _json), st.data())
def test_what_is_read_is_what_json_reads_however_it_is_written_and_cut(
    document: dict[str, Any], data: st.DataObject
) -> None:
    text = json.dumps(
        document, ensure_ascii=data.draw(st.booleans()), indent=data.draw(st.none() | st.just(1))
    )
    expected: list[Found] = []
    for key, member in json.loads(text).items():
        parts: list[tuple[int | None, Any]] = [(None, member)]
        if isinstance(member, list):
            expected.append(ListOpened(key))
            parts = list(enumerate(member))
        for index, value in parts:
            expected += [Opened(key, index), *strings_of(value), Closed(value)]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)))))
    scanner = PartScanner()
    found = [
        one
        for start, end in pairwise([0, *cuts, len(text)])
        for one in scanner.feed(text[start:end])
    ]
    assert repr(merged(found)) == repr(expected)  # 1, 1.0 and True are equal but not identical
    assert scanner.has_object


_pieces = st.sampled_from(
    [*r'" { } [ ] , : \ \u0000 \ud83d \ude00 é x 1 - e9 true "a":"b" ["c" {"a":'.split(), *" \n\0"]
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.lists(_pieces, max_size=30), st.sampled_from(['{"a": ', '{"a": [', ""]), st.integers(1, 5)
)
def test_of_a_text_however_broken_the_cuts_change_nothing_but_what_is_shown_of_bad_parts(
    pieces: list[str], begin: str, size: int
) -> None:
    text = begin + "".join(pieces)
    found = scan(text, size=size)
    assert [one for one in found if not isinstance(one, Grown)] == [
        one for one in scan(text) if not isinstance(one, Grown)
    ]
    shown: list[Found] = []
    for one in merged(found):
        if isinstance(one, Opened):
            shown = []
        elif isinstance(one, Grown):
            shown.append(one)
        elif isinstance(one, Closed):
            assert shown == strings_of(one.value)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (r'"\ud83d\ude00"', "😀"),
        (r'"\u0000"', "\ufffd"),
        ('"a\0b"', "a\ufffdb"),
        ('"raw\nbreak\ttab"', "raw\nbreak\ttab"),
        (r'"\\\" \/ \\u0041"', '\\" / \\u0041'),
        (r'"\\u0000"', r"\u0000"),
        (r'{"\u0000": "\u0000"}', {"\ufffd": "\ufffd"}),
        ('["a,",]', ["a,"]),
        ('{"a": "1" , \n}', {"a": "1"}),
        ("-0.5e-2", -0.005),
        ("9007199254740991", 2**53 - 1),
    ],
)
def test_odd_strings_and_numbers_at_every_size_of_token(raw: str, value: Any) -> None:
    for size in range(1, 9):
        found = scan('{"a": [' + raw + "]}", size=size)
        assert values(found) == [value]
        assert merged(found)[2:-1] == strings_of(value)


@pytest.mark.parametrize(
    "raw",
    [
        "9007199254740992",
        "1e999",
        "-1e999",
        "9" * 6_000,
        '{"x": 1, "x": 1}',
        r'{"\u0000": "a", "\ufffd": "b"}',
        "[" * 33 + "]" * 33,
        "[" * 5_000 + "]" * 5_000,
        "nope",
        "01",
        "NaN",
        "[1 2]",
        "[1,, 2]",
        '{"x": 1]',
        '{x: "y"}',
        r'"\x"',
        r'"\u12g4"',
        '"\\\n"',
        r'"\ud83d"',
        r'"\ud83dx"',
        r'"\ude00\ud83d"',
        r'["\ud83d\ud83d\ude00"]',
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
        '{"a": [1, 2], b: 4}',
        '{"a": [1, 2], "b" 4}',
        '{"a": [1, 2],, "b": 4}',
        '{"a": [1, 2], "b": }',
        '{"a": [1, 2, , 3], "b": 4}',
        '{"a": [1, 2]], "b": 4}',
        '{"a": [1, 2]; "b": 4}',
    ],
)
def test_what_is_broken_between_parts_ends_the_reading_and_keeps_what_was_whole(text: str) -> None:
    for size in (1, 2, 100):
        found = scan(text, size=size)
        assert values(found) == [1, 2]
        assert [one for one in found if isinstance(one, Failed)] == [Failed()]


def test_a_member_that_comes_twice_counts_once_and_is_malformed_after() -> None:
    found = scan('{"a": "x", "a": "y", "b": [1], "b": [2, 3]}')
    assert values(found) == ["x", 1]
    assert len([one for one in found if isinstance(one, Failed)]) == 3
    assert Grown((), "y") not in found


def test_a_member_whose_name_is_unreadable_fails_alone() -> None:
    found = scan(r'{"\ud83d": ["x", "y"], "\q": "z", "b": 1}')
    assert found == [Failed(), Failed(), Failed(), Opened("b", None), Closed(1)]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_nothing_of_a_string_is_shown_after_its_part_went_bad(size: int) -> None:
    text = '{"a": {"x": "shown", "x": "hidden", "y": "hidden too"}}'
    found = scan(text, size=size)
    shown = "".join(one.text for one in found if isinstance(one, Grown))
    assert shown == ("shown" if size < 100 else "")
    assert found[-1] == Failed()


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


def test_what_a_token_costs_depends_on_the_depth_of_its_part_not_on_its_length() -> None:
    def calls(begun: str) -> int:
        scanner = PartScanner()
        scanner.feed('{"a": ' + begun + ', "x')
        count = 0

        def count_calls(frame: Any, event: str, argument: Any) -> None:
            nonlocal count
            count += event in ("call", "c_call")

        sys.setprofile(count_calls)
        try:
            found = scanner.feed("yz")
        finally:
            sys.setprofile(None)
        assert [one.text for one in found if isinstance(one, Grown)] == ["yz"]
        return count

    short = calls('["b", {"c": "d"}, 1')
    assert calls('["b", ' + '{"c": "d"}, ' * 1_000 + "1") == short
    assert calls('["' + "b" * 10_000 + '", {"c": "d"}, 1') == short
    assert calls('["b", {"c": "d"}, [[[1') > short
