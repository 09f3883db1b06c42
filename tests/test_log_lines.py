"""Log lines lose their query strings, and nothing else."""

from __future__ import annotations

import logging

import pytest
from django.conf import settings

from liveai.log_lines import LineFormatter, without_queries


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


def test_the_arguments_of_a_message_and_its_traceback_are_cut_too() -> None:
    try:
        raise ValueError("at /ask?prompt=secret")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    details = {"path": "/ask?prompt=secret"}
    record = logging.LogRecord("n", logging.ERROR, "p", 1, "GET %(path)s", (details,), info)
    line = LineFormatter("%(message)s").format(record)
    assert line.startswith("GET /ask\n") and "ValueError: at /ask" in line
    assert "secret" not in line


def test_all_that_the_project_logs_goes_through_it() -> None:
    logging_settings = settings.LOGGING
    (handler,) = logging_settings["handlers"].values()
    formatter = logging_settings["formatters"][handler["formatter"]]
    assert formatter["class"] == f"{LineFormatter.__module__}.{LineFormatter.__qualname__}"
    assert not any(logger.get("handlers") for logger in logging_settings["loggers"].values())
    for name in ("django", "django.server", "django.channels.server", "django.request"):
        logger = logging.getLogger(name)
        assert logger.handlers == [] and logger.propagate
