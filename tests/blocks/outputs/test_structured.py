from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from blocks.delta import Delta, Item, Text
from blocks.outputs.base import Ask, Dropped
from blocks.outputs.part_value import Path
from blocks.outputs.structured import LatePart, StructuredAnswer, pointer


class Names(StructuredAnswer):
    """Accepts the elements of `names`, at most ten characters of each."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.late: dict[str, Any] = {}

    def next_ask(self) -> Ask | None:
        return None

    def place(self, key: str, index: int | None) -> Path | None:
        return ("names", len(self.names)) if key == "names" else None

    def grown_path(self, place: Path, inner: Path) -> Path | None:
        return place

    def longest(self, path: Path) -> int | None:
        return 10

    def accept(self, key: str, index: int | None, value: Any) -> Any:
        if value == "bad":
            raise Dropped("schema")
        self.names.append(value[:10])
        return self.names[-1]

    def may_be_draft(self, place: Path) -> bool:
        return self.names == ["draft"]

    def found_late(self, leftovers: dict[str, Any]) -> Iterable[LatePart]:
        self.late = leftovers
        return [("names", 0, name) for name in leftovers.get("more", [])]


def play(value: Any) -> tuple[Names, list[Delta]]:
    answer = Names()
    text = value if isinstance(value, str) else json.dumps(value)
    return answer, [delta for char in text for delta in answer.feed(char)] + answer.close("stop")


def test_a_pointer_escapes_its_steps() -> None:
    assert pointer(("a/b~c", 0)) == "/a~1b~0c/0"
    assert pointer(()) == ""


def test_what_is_dropped_is_counted_and_its_path_used_again() -> None:
    answer, deltas = play({"names": ["x", "bad", "y"]})
    assert [d for d in deltas if isinstance(d, Item)] == [
        Item("/names/0", "x"),
        Item("/names/1", None),
        Item("/names/1", "y"),
    ]
    assert answer.dropped == {"schema": 1}


def test_a_string_grows_no_further_than_it_may_be_long() -> None:
    _, deltas = play({"names": ["12345 789 123"]})
    told = [d.token for d in deltas if isinstance(d, Text)]
    assert "".join(told) == "12345 789 "


def test_parts_that_are_found_after_the_document_become_items() -> None:
    answer, deltas = play({"more": ["x", "bad", "y"], "other": 1})
    assert answer.late == {"more": ["x", "bad", "y"], "other": 1}
    assert deltas == [Item("/names/0", "x"), Item("/names/1", None), Item("/names/1", "y")]


def test_what_is_kept_for_later_is_bounded() -> None:
    answer, _ = play({f"m{number}": number for number in range(500)} | {"more": []})
    assert len(answer.late) == 100
    answer, _ = play({"more": ["x"] * 500})
    assert len(answer.late["more"]) == 100


def test_a_part_that_may_be_a_draft_waits_for_the_next_one() -> None:
    answer = Names()
    assert not [d for d in answer.feed('{"names": ["draft"') if isinstance(d, Item)]
    deltas = answer.feed(', "x"]')
    assert [d for d in deltas if isinstance(d, Item)][:1] == [Item("/names/0", "draft")]
    _, deltas = play({"names": ["draft"]})
    assert deltas[-1] == Item("/names/0", "draft")
