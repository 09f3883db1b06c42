"""`.env`, as people and their editors write it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from liveai.dotenv import load_dotenv, parse_dotenv


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("export A=b", "b"),
        ("  A = b  ", "b"),
        ("A=", ""),
        ("A=   # nothing", ""),
        ("A=b   # why", "b"),
        ("A=b\t# why", "b"),
        ("A=b#c", "b#c"),
        ("A=#b", "#b"),
        ("A=#b # why", "#b"),
        ("A='b'", "b"),
        ('A="b" # why', "b"),
        ("A='b # c'", "b # c"),
        ("A='a\\b$c\"'", 'a\\b$c"'),
        (r'A="a\"b\\c\$d\n"', 'a"b\\c$d\\n'),
        ("A=$b", "$b"),
        ("A=${b}$$", "${b}$$"),
        ("A=a b", "a b"),
        ("A=it's", "it's"),
        ("A=a=b==", "a=b=="),
        ("A=1\nA=2", "2"),
        (r"A=b # a\b", "b"),
    ],
)
def test_a_value_is_read_as_it_was_meant(line: str, value: str) -> None:
    assert parse_dotenv(line) == {"A": value}


@pytest.mark.parametrize(
    "line",
    [
        *("A", "A: hunter2", "hunter2", "A-B=hunter2", "1A=hunter2", "=hunter2", "set A=hunter2"),
        *("A='hunter2", 'A="hunter2', "A='hunter2'x", "A=\"hunter2\" 'b'", 'A="hunter2\nB=c"'),
        *("A=hunter2\\", r"A=hunter\2hunter2", r"A=#\hunter2 # why"),
    ],
)
def test_a_line_that_can_not_be_read_is_refused_by_its_number_and_not_shown(line: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"Line 3 of \.env") as caught:
        parse_dotenv(f"# first\nB=1\n{line}")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"A=b\r\nB=c\r\n", b"\xef\xbb\xbfA=b\nB=c", b"A=b\rB=c\r", b"A=b\n\n#\nB=c"]
)
def test_line_ends_and_marks_of_any_editor_are_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / ".env"
    path.write_bytes(content + b"\nHELD=inside\n")
    environment = {"HELD": "outside"}
    load_dotenv(path, environment)
    assert environment == {"HELD": "outside", "A": "b", "B": "c"}


@pytest.mark.parametrize("content", ["A=b".encode("utf-16"), b"A=\xff", b"A=b\0"])
def test_a_file_in_another_encoding_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / ".env"
    path.write_bytes(content)
    with pytest.raises(ImproperlyConfigured, match="UTF-8"):
        load_dotenv(path, {})


def test_a_file_that_is_not_there_holds_nothing_and_a_folder_in_its_place_is_refused(
    tmp_path: Path,
) -> None:
    path, environment = tmp_path / ".env", dict[str, str]()
    load_dotenv(path, environment)
    assert environment == {}
    path.mkdir()
    with pytest.raises(ImproperlyConfigured, match="can't be read"):
        load_dotenv(path, {})
