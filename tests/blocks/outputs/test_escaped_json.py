from __future__ import annotations

import json

import pytest

from blocks.outputs.escaped_json import EscapedJson, begins_escaped

VALUE = {"a": 'x\n"y" \\ \\frac é😀', "b": [1, "/"]}


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1_000])
@pytest.mark.parametrize("is_ascii", [True, False])
def test_one_level_of_escapes_is_undone_up_to_the_quote_that_ends_it(
    size: int, is_ascii: bool
) -> None:
    text = json.dumps(json.dumps(VALUE, ensure_ascii=is_ascii))[1:] + " and more"
    reader = EscapedJson()
    out = ""
    for at in range(0, len(text), size):
        piece = text[at : at + size]
        out += piece if reader.is_over else reader.feed(piece)
    assert reader.is_over
    document, rest = out[: -len(" and more")], out[-len(" and more") :]
    assert json.loads(document) == VALUE
    assert rest == " and more"


@pytest.mark.parametrize(
    ("text", "is_escaped"),
    [
        (r"{\"a", True),
        (r"{\n  \"a", True),
        (r"[{\"a", True),
        ('{"a', False),
        (r"{\(x\)}", False),
        ("{a", False),
        ("{", None),
        ("{\\", None),
        (r"[{\n", None),
    ],
)
def test_escaped_json_is_known_by_its_first_quote(text: str, is_escaped: bool | None) -> None:
    assert begins_escaped(text, 0) is is_escaped
