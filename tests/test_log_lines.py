"""Texts of log lines lose their query strings, and what may quote a visitor."""

from __future__ import annotations

from typing import Any

import pytest

from liveai.log_lines import MAX_RECORD_CHARS, WITHHELD, one_line, traceback_of, without_queries


@pytest.mark.parametrize(
    ("line", "cut"),
    [
        ('"GET /api/ask?prompt=Why%3F HTTP/1.1" 200', '"GET /api/ask HTTP/1.1" 200'),
        ('HTTP GET /ask?prompt="Why" 200 [0.1]', "HTTP GET /ask 200 [0.1]"),
        ("GET /?prompt=a?b 200", "GET / 200"),
        ("Two: /a?b=c and https://x.example/d?e", "Two: /a and https://x.example/d"),
        ("Is this a question? Yes, and/or no?", "Is this a question? Yes, and/or no?"),
        ("what?ever", "what?ever"),
    ],
)
def test_a_query_is_cut_off_a_path_and_a_question_is_left(line: str, cut: str) -> None:
    assert without_queries(line) == cut


@pytest.mark.parametrize("before", ["Not Found: ", '"GET /ai', "x" * MAX_RECORD_CHARS])
@pytest.mark.parametrize("page", ["password/reset/key/1-", "confirm-email/", "invitation/"])
def test_the_keys_in_the_links_of_emails_are_cut(before: str, page: str) -> None:
    key = "KEY:1-KEY/ 404 "
    rest = "y" * (MAX_RECORD_CHARS // 2 - len(key))  # the middle of a long message ends at the key
    line = one_line(f"{before}/account/{page}{key}{rest}")
    assert "KEY" not in line
    assert line.endswith("/…")
    for odd in ("a SECRET", "a'SECRET", 'a"SECRET', "a\nSECRET", "<SECRET>"):  # as decoded
        assert "SECRET" not in one_line(f"{before}/account/{page}{odd}/")
        assert "SECRET" not in one_line(f"{before}/Account/{page.upper()}{odd}/")
    assert one_line("Not Found: /account/email/") == "Not Found: /account/email/"


def caught(raising: Any) -> tuple[type[BaseException], BaseException, Any]:
    try:
        raising()
    except BaseException as error:
        return type(error), error, error.__traceback__
    raise AssertionError("nothing was raised")


def fail_twice() -> None:
    try:
        raise KeyError("secret")
    except KeyError as error:
        raise ValueError("secret, too") from error


def fail_in_a_group() -> None:
    raise ExceptionGroup("secret", [ValueError("secret"), OSError("secret")])


def fail_with_a_note() -> None:
    error = RuntimeError("secret")
    error.add_note("a secret note")
    raise error


@pytest.mark.parametrize(
    ("raising", "names"),
    [
        (fail_twice, ["KeyError", "ValueError"]),
        (fail_in_a_group, ["ExceptionGroup of ValueError, OSError"]),
        (fail_with_a_note, ["RuntimeError"]),
    ],
)
def test_exceptions_can_be_shown_by_kind_and_place_alone(raising: Any, names: list[str]) -> None:
    text = traceback_of(caught(raising), has_texts=False)
    assert [line for line in text.split("\n") if line.endswith(WITHHELD)] == [
        f"  {name}: {WITHHELD}" for name in names
    ]
    assert f"in {raising.__name__}" in text
    assert "secret" not in text.replace('"secret', "").replace('a secret note")', "")
    assert "secret" in traceback_of(caught(raising))


def test_a_chain_of_exceptions_that_is_a_circle_ends() -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    text = traceback_of((ValueError, first, None), has_texts=False)
    assert text.count(WITHHELD) == 8
