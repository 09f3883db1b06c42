from __future__ import annotations

import pytest

from blocks.outputs.loose_string import LooseString


def read(text: str, *, quote: str = '"', size: int = 1, entities: bool = False) -> tuple[str, str]:
    """Return a string that ends at a quote before a comma, and what follows it."""

    def ends(text: str, at: int) -> bool | None:
        return None if at == len(text) else text[at] == ","

    string = LooseString(quote, ends=ends, decodes_entities=entities)
    out, rest = "", ""
    for start in range(0, len(text), size):
        rest += text[start : start + size]
        at = 0
        while at < len(rest) and not string.is_over:
            piece, end = string.read(rest, at, is_last=False)
            out += piece
            if end == at and not string.is_over:
                break
            at = end
        rest = rest[at:]
    return out, rest


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("text", "quote", "meant"),
    [
        ('plain",', '"', "plain"),
        ('He said "hi" to me",', '"', 'He said "hi" to me'),
        ("It's so',", "'", "It's so"),
        ("„so“ und so”,", "“", "„so“ und so"),
        (r'\"a\" \times \frac12 \ud83d\ude00",', '"', r'"a" \times \frac12 😀'),
        (r'in C:\new\table and\nD:\\temp\\x",', '"', "in C:\\new\\table and\nD:\\temp\\x"),
        (r'A:\nYes\nNo, B:\nno",', '"', "A:\nYes\nNo, B:\nno"),
        (r'C:\Users\bob\notes.txt",', '"', r"C:\Users\bob\notes.txt"),
        (r'D:\readme.txt",', '"', r"D:\readme.txt"),
        (r'Solve for x:\n\ny = x",', '"', "Solve for x:\n\ny = x"),
        (r'D:\n\nc",', '"', "D:\n\nc"),
        ('a\0b\n",', '"', "a\ufffdb\n"),
    ],
)
def test_a_string_is_read_the_same_however_it_is_cut(
    text: str, quote: str, meant: str, size: int
) -> None:
    assert read(text, quote=quote, size=size) == (meant, ",")


@pytest.mark.parametrize("size", [1, 3, 100])
def test_entities_are_read_on_demand(size: int) -> None:
    assert read('R&amp;D & so",', size=size, entities=True)[0] == "R&D & so"
    assert read('R&amp;D & so",', size=size)[0] == "R&amp;D & so"


def test_without_a_rule_the_first_quote_ends_it() -> None:
    string = LooseString('"', ends=None, decodes_entities=False)
    assert string.read('a" b', 0, is_last=False) == ("a", 1)
    assert string.read('a" b', 1, is_last=False) == ("", 2)
    assert string.is_over
