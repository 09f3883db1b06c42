from __future__ import annotations

from typing import Any

from blocks.outputs.part_value import MAX_PART_DEPTH, PartValue


def build(part: PartValue, value: Any) -> list[tuple[Any, str]]:
    """Tell a value piece by piece; return what its strings gained."""
    grown: list[tuple[Any, str]] = []
    if isinstance(value, dict):
        part.begin("{")
        for name, member in value.items():
            part.name(name)
            grown += build(part, member)
        part.end()
    elif isinstance(value, list):
        part.begin("[")
        for element in value:
            grown += build(part, element)
        part.end()
    elif isinstance(value, str):
        grown = [(part.text(char), char) for char in value]
        part.text_end()
    else:
        part.atom(value)
    return grown


def test_a_value_is_built_and_its_strings_grow_at_their_paths() -> None:
    value = {"a": "é\n", "b": [1, None, {"c": "x", "": "y"}, []], "d": {}, "e": ""}
    part = PartValue()
    assert build(part, value) == [
        (("a",), "é"),
        (("a",), "\n"),
        (("b", 2, "c"), "x"),
        (("b", 2, ""), "y"),
    ]
    assert part.is_whole
    assert part.is_usable
    assert part.value == value


def test_a_string_or_an_atom_is_a_value_too() -> None:
    for value, grown in (("x", [((), "x")]), ("", []), (True, []), (None, [])):
        part = PartValue()
        assert build(part, value) == grown
        assert part.is_whole
        assert part.value is value or part.value == value


def test_of_a_member_that_comes_twice_the_first_counts_and_the_other_does_not_grow() -> None:
    part = PartValue()
    part.begin("{")
    for text in ("first", "second"):
        part.name("a")
        build(part, {"b": text})
    part.name("c")
    assert build(part, "d") == [(("c",), "d")]
    part.end()
    assert part.value == {"a": {"b": "first"}, "c": "d"}


def test_a_value_that_is_too_deep_is_not_usable() -> None:
    for depth, is_usable in ((MAX_PART_DEPTH, True), (MAX_PART_DEPTH + 1, False)):
        part = PartValue()
        for _ in range(depth):
            part.begin("[")
        for _ in range(depth):
            part.end()
        assert part.is_whole
        assert part.is_usable is is_usable


def test_nothing_grows_after_a_number_that_is_not_usable() -> None:
    part = PartValue()
    part.begin("[")
    part.unusable()
    assert part.text("x") is None
    part.text_end()
    part.end()
    assert part.is_whole
    assert not part.is_usable
