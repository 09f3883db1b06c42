from __future__ import annotations

import pytest

from blocks.outputs.loose_quotes import begins_document, begins_member, ends_string, skip_gap


def ends(
    text: str, *, in_object: bool, bare: bool = False, is_outermost: bool = False
) -> bool | None:
    return ends_string(text, 0, in_object=in_object, is_outermost=is_outermost, has_bare_names=bare)


@pytest.mark.parametrize(
    ("after", "is_end"),
    [
        ('}, {"a": 1', True),
        ("}]", True),
        ("\n}\n```", True),
        (', "b": 1', True),
        (',, "b": 1', True),
        (', // so\n"b": 1', True),
        (" /* so */ }]", True),
        (' "b": 1', True),
        (",}", True),
        (", ... }", True),
        ('} {"a"', True),
        (" said", False),
        (', "b" and "c"', False),
        (", then left.", False),
        ('}" he said', None),
        ('}" he said "b" and', False),
        (": 1", False),
        ("", None),
        (" ", None),
        (",", None),
        (', "b"', None),
        ("}", None),
        (" /", None),
    ],
)
def test_the_quote_of_a_member_ends_it_if_json_goes_on(after: str, is_end: bool | None) -> None:
    assert ends(after, in_object=True) is is_end


@pytest.mark.parametrize(
    ("after", "is_end"),
    [
        ("]}", True),
        (', "b"]', True),
        (", 1]", True),
        (", null ]", True),
        (", {", True),
        (' "b"', True),
        ('\n{"a"', True),
        ('"]', False),
        (")", False),
        (", ok", None),
        (", ok then", False),
        ('], "x"', True),
        ('"', False),
        (']"', None),
        ("", None),
    ],
)
def test_the_quote_of_an_element_ends_it_if_json_goes_on(after: str, is_end: bool | None) -> None:
    assert ends(after, in_object=False) is is_end


def test_behind_the_outermost_bracket_anything_may_follow() -> None:
    assert ends("} said", in_object=True) is False
    assert ends("} said", in_object=True, is_outermost=True) is True


def test_names_without_quotes_count_where_the_document_has_them() -> None:
    assert ends(", note: this", in_object=True) is False
    assert ends(", note: this", in_object=True, bare=True) is True


@pytest.mark.parametrize(
    ("text", "is_member"),
    [
        ('"a": 1', True),
        ("'a' : 1", True),
        ('"a/b~c":', True),
        ('"a\\"b":', True),
        ('"a", "b"', False),
        ('", "b": 1', False),
        ('":smile:": 1', True),
        ('"a\nb": 1', False),
        ('"' + "a" * 300 + '": 1', False),
        ("a: 1", False),
        ('"a', None),
        ('"a"', None),
    ],
)
def test_a_member_begins_with_a_name_and_a_colon(text: str, is_member: bool | None) -> None:
    assert begins_member(text, 0, bare=False) is is_member


@pytest.mark.parametrize(
    ("text", "is_document"),
    [
        ('{"a": 1', True),
        ("{ 'a': 1", True),
        ("{a: 1", True),
        ("{}", True),
        ('[{"a": 1', True),
        ('["a", "b"]', True),
        ("{as JSON}", False),
        ('{"a", "b"}', False),
        ("{{", False),
        ("[1]", False),
        ("[link](", False),
        ("[]", False),
        ('["a" b', False),
        ("{1, 2}", False),
        ("{", None),
        ('{"a"', None),
        ("[ ", None),
        ("{abc", None),
    ],
)
def test_a_bracket_in_prose_begins_json_if_json_goes_on(
    text: str, is_document: bool | None
) -> None:
    assert begins_document(text, 0) is is_document


@pytest.mark.parametrize(
    ("text", "length"),
    [
        (" \n\ufeff", 3),
        ("// a\nb", 5),
        ("/* a * b */b", 11),
        ("# a\nb", 4),
        ("... … b", 6),
        ("/b", 0),
    ],
)
def test_blanks_comments_and_ellipses_are_no_part_of_json(text: str, length: int) -> None:
    assert skip_gap(text, 0) == length
