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
    Ended,
    Failed,
    Found,
    Grown,
    ListOpened,
    Opened,
    PartScanner,
    read_values,
)


def scan(text: str, *, size: int = 1_000_000) -> list[Found]:
    scanner = PartScanner()
    found: list[Found] = []
    for at in range(0, len(text), size):
        found += scanner.feed(text[at : at + size])
    return found + scanner.finish(is_whole=True)


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
        Ended(),
    ]


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\b\f"), max_size=8),
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
    expected.append(Ended())
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)))))
    scanner = PartScanner()
    found = [
        one
        for start, end in pairwise([0, *cuts, len(text)])
        for one in scanner.feed(text[start:end])
    ]
    found += scanner.finish(is_whole=True)
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
        assert merged(found)[2:-2] == strings_of(value)


@pytest.mark.parametrize(
    "raw",
    [
        "9007199254740992",
        "1e999",
        "-1e999",
        "9" * 6_000,
        "[" * 33 + "]" * 33,
        "[" * 5_000 + "]" * 5_000,
    ],
)
def test_a_part_that_can_not_be_used_fails_alone(raw: str) -> None:
    found = scan('{"a": [' + raw + ', 1], "b": 2}', size=3)
    assert [one for one in found if isinstance(one, Failed)] == [Failed()]
    assert values(found) == [1, 2]


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ('{"x": 1, "x": 2}', {"x": 1}),
        (r'{"\u0000": "a", "\ufffd": "b"}', {"\ufffd": "a"}),
        ("nope", "nope"),
        ("01", "01"),
        ("NaN", None),
        ("[1,, 2]", [1, 2]),
        ('{x: "y"}', {"x": "y"}),
        (r'"\x"', r"\x"),
        (r'"\u12g4"', r"\u12g4"),
        ('"\\\n"', "\n"),
        (r'"\ud83d"', "\ufffd"),
        (r'"\ude00\ud83d"', "\ufffd\ufffd"),
        (r'["\ud83d\ud83d\ude00"]', ["\ufffd😀"]),
    ],
)
def test_a_part_that_is_no_json_is_read_as_it_is_meant(raw: str, value: Any) -> None:
    for size in range(1, 9):
        found = scan('{"a": [' + raw + ', 1], "b": 2}', size=size)
        assert values(found) == [value, 1, 2]
        assert Failed() not in found


def test_32_levels_are_fine() -> None:
    assert values(scan('{"a": {"b": ' + "[" * 31 + "]" * 31 + "}}")) != []


@pytest.mark.parametrize(
    ("text", "read", "failed"),
    [
        ('{"a": [1, 2], "b" 4}', [1, 2], 1),
        ('{"a": [1, 2], ?: 4}', [1, 2], 1),
        ('{"a": [1, 2}, "b": 4]', [1, 2], 0),
        ('{"a": [1, 2], b: 4}', [1, 2, 4], 0),
        ('{"a": [1, 2],, "b": 4}', [1, 2, 4], 0),
        ('{"a": [1, 2], "b": }', [1, 2, None], 0),
        ('{"a": [1, , 2], "b": 4}', [1, 2, 4], 0),
        ('{"a": [1, 2]], "b": 4}', [1, 2, 4], 0),
        ('{"a": [1, 2]; "b": 4}', [1, 2, 4], 0),
        ('{"a": [1, 2] "b": 4}', [1, 2, 4], 0),
    ],
)
def test_what_is_broken_between_parts_is_mended_or_ends_the_document(
    text: str, read: list[Any], failed: int
) -> None:
    for size in (1, 2, 100):
        found = scan(text, size=size)
        assert values(found) == read
        assert len([one for one in found if isinstance(one, Failed)]) == failed


def test_after_a_document_that_breaks_off_the_next_one_is_read() -> None:
    found = scan('{"a": [1, {"x" 2}]} and {"b": 3}', size=3)
    assert values(found) == [1, 3]
    assert found.count(Failed()) == 1
    assert found.count(Ended()) == 2


def test_a_member_that_comes_twice_counts_once_and_is_malformed_after() -> None:
    found = scan('{"a": "x", "a": "y", "b": [1], "b": [2, 3]}')
    assert values(found) == ["x", 1]
    assert len([one for one in found if isinstance(one, Failed)]) == 3
    assert Grown((), "y") not in found


@pytest.mark.parametrize("size", [1, 2, 100])
def test_nothing_is_shown_of_a_member_that_comes_twice_in_a_part(size: int) -> None:
    text = '{"a": {"x": "shown", "x": "hidden", "y": "shown too"}}'
    found = merged(scan(text, size=size))
    assert found[1:-1] == [
        Grown(("x",), "shown"),
        Grown(("y",), "shown too"),
        Closed({"x": "shown", "y": "shown too"}),
    ]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_nothing_of_a_string_is_shown_after_its_part_went_bad(size: int) -> None:
    found = scan('{"a": {"x": "shown", "n": 1e999, "y": "hidden"}}', size=size)
    assert "".join(one.text for one in found if isinstance(one, Grown)) == "shown"
    assert found[-2:] == [Failed(), Ended()]


def levels(place: str, name: str) -> bool:
    return name in ("list", "wrap")


@pytest.mark.parametrize(
    "text",
    [
        '{"list": [{"q": 1}, {"q": 2}]}',
        '[{"q": 1}, {"q": 2}]',
        '[{"list": [{"q": 1}, {"q": 2}]}]',
        '{"wrap": {"list": [{"q": 1}, {"q": 2}]}}',
        '[{"list": [{"q": 1}]}, {"list": [{"q": 2}]}]',
        '{"q": 1}\n{"q": 2}',
        '{"q": 1}, {"q": 2}',
    ],
)
def test_parts_are_found_wherever_the_caller_allows_levels_around_them(text: str) -> None:
    for size in (1, 2, 100):
        scanner = PartScanner(levels)
        found = [
            one for at in range(0, len(text), size) for one in scanner.feed(text[at : at + size])
        ]
        found += scanner.finish(is_whole=True)
        assert values(found) == [{"q": 1}, {"q": 2}]
        assert Failed() not in found


def test_levels_around_parts_are_bounded() -> None:
    text = '{"wrap": ' * 6 + '{"list": [1]}' + "}" * 6
    scanner = PartScanner(levels)
    (opened,) = [one for one in scanner.feed(text) if isinstance(one, Opened)]
    assert opened == Opened("wrap", None)


def test_the_prose_before_the_first_document_is_kept_without_its_fence() -> None:
    for size in (1, 3, 100):
        scanner = PartScanner()
        text = 'I use {braces} and [1].\n```json\n{"a": 1}\n``` and after {"b": 2}'
        for at in range(0, len(text), size):
            scanner.feed(text[at : at + size])
        assert scanner.prose == "I use {braces} and [1]."


def test_prose_is_bounded() -> None:
    scanner = PartScanner()
    for _ in range(100):
        scanner.feed("word " * 100)
    assert len(scanner.prose) <= 2_000


def test_forgotten_brackets_are_added_only_if_the_model_ended_the_text() -> None:
    text = '{"a": {"x": "y"'
    for is_whole, read in ((True, [{"x": "y"}]), (False, [])):
        scanner = PartScanner()
        assert values(scanner.feed(text) + scanner.finish(is_whole=is_whole)) == read


def test_values_in_a_text_are_read_at_once() -> None:
    assert read_values('[{"a": 1}, "b"] {"c": [2]}') == [{"a": 1}, "b", {"c": [2]}]
    assert read_values('["' + "x" * MAX_PART_BYTES + 'x"]') == []


@pytest.mark.parametrize("size", [1, 100, 100_000])
@pytest.mark.parametrize("begin", ['{"a": "', '{"a": [{"b": "', '{"a": [[[', '{"a": ["é'])
def test_a_part_without_end_stops_the_reading_at_its_limit(begin: str, size: int) -> None:
    scanner = PartScanner()
    scanner.feed('{"ok": 1, ' + begin[1:])
    filler = {'"': "x", "[": "[ ", "é": "é"}[begin[-1]]
    for _ in range(0, MAX_PART_BYTES + 200, size):
        if scanner.is_over_limit:
            break
        scanner.feed(filler * size)
    assert scanner.is_over_limit
    assert scanner.feed('"}, "b": 1}') == []


@pytest.mark.parametrize(
    ("begin", "filler"),
    [
        ('{"a": ', "1"),
        ('{"', "x"),
        ('{"a":', " "),
        ('{"a": "b"', " "),
        ('{"a": 1 /*', "x"),
        ("{", " "),
    ],
)
def test_what_belongs_to_no_part_is_not_kept_beyond_a_bound(begin: str, filler: str) -> None:
    scanner = PartScanner()
    scanner.feed('{"ok": 1} ' + begin)
    for _ in range(200):
        scanner.feed(filler * 1_000)
    reader = scanner._json
    assert len(reader._text) + len(reader._bare) + len(reader._name or "") < 3 * 4_096


def test_a_part_just_below_its_limit_is_read() -> None:
    for filler, width in (("x", 1), ("é", 2)):
        text = filler * ((MAX_PART_BYTES - 200) // width)
        assert values(scan('{"a": ["' + text + '", "' + text + '"]}', size=999)) == [text, text]
        long = filler * (MAX_PART_BYTES // width + 1)
        assert values(scan('{"a": ["' + long + '"]}', size=999)) == []


def test_what_a_token_costs_does_not_depend_on_the_length_of_its_part() -> None:
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
