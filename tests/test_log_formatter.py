"""Every record becomes a readable line or one JSON object: bounded, with its ids, unforgeable."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.conf import settings

from liveai.log_formatter import LogFormatter
from liveai.log_lines import WITHHELD
from liveai.log_priority import is_journal
from liveai.log_settings import logging_at
from streaming.loop.log_ids import of_request, of_stream
from tests.support.servers.harness import ROOT, clean_environment

LINE = LogFormatter("console")
JSON = LogFormatter("json")


def record_of(message: str, *args: Any, info: Any = None, name: str = "n") -> logging.LogRecord:
    return logging.LogRecord(name, logging.WARNING, "p", 1, message, args, info)


def failure(text: str) -> Any:
    try:
        raise ValueError(text)
    except ValueError as error:
        return type(error), error, error.__traceback__


def object_of(record: logging.LogRecord) -> dict[str, Any]:
    text = JSON.format(record)
    assert len(text.encode()) < 16_384 and len(text.splitlines()) == 1
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


def test_all_that_the_project_logs_goes_through_it() -> None:
    logging_settings = settings.LOGGING
    (handler,) = logging_settings["handlers"].values()
    formatter = logging_settings["formatters"][handler["formatter"]]
    assert formatter["()"] == f"{LogFormatter.__module__}.{LogFormatter.__qualname__}"
    assert not any(logger.get("handlers") for logger in logging_settings["loggers"].values())
    for name in ("django", "django.server", "django.channels.server", "django.request"):
        logger = logging.getLogger(name)
        assert logger.handlers == [] and logger.propagate


def test_the_arguments_of_a_message_and_its_traceback_are_cut_too() -> None:
    details = {"path": "/ask?prompt=secret"}
    record = record_of("GET %(path)s", details, info=failure("at /ask?prompt=secret"))
    line = LINE.format(record)
    assert "WARNING n: GET /ask\n" in line and "ValueError: at /ask" in line
    found = object_of(record)
    assert found["event"] == "GET /ask" and found["exception"]["message"] == "at /ask"
    for text in (line, str(found)):
        assert "secret" not in text.replace('"at /ask?prompt=secret"', "")


def test_an_object_has_these_fields_and_no_others() -> None:
    found = object_of(record_of("It is %s.", "so"))
    assert list(found) == ["timestamp", "level", "logger", "event", "pid"]
    assert (found["level"], found["logger"], found["event"]) == ("warning", "n", "It is so.")
    assert found["pid"] == os.getpid()
    assert found["timestamp"].endswith("Z") and len(found["timestamp"]) == 24


def test_both_formats_have_the_ids_of_request_and_stream() -> None:
    with of_request("r-1"), of_stream("s-1"):
        found, line = object_of(record_of("x")), LINE.format(record_of("x"))
    assert (found["request_id"], found["stream_id"]) == ("r-1", "s-1")
    assert " request_id=r-1 stream_id=s-1 WARNING n: x" in line
    assert "_id" not in LINE.format(record_of("x"))


@pytest.mark.parametrize("ids", [of_request("r"), of_stream("s")])
def test_a_line_with_an_id_withholds_the_texts_of_its_exceptions(
    ids: AbstractContextManager[None],
) -> None:
    info = failure("a prompt".upper())
    with ids:
        found, line = object_of(record_of("x", info=info)), LINE.format(record_of("x", info=info))
    assert "A PROMPT" not in line and f"ValueError: {WITHHELD}" in line
    assert "A PROMPT" not in str(found) and "message" not in found["exception"]
    assert found["exception"]["type"] == "ValueError"
    assert "A PROMPT" in LINE.format(record_of("x", info=info))


@pytest.mark.parametrize("formatter", [LINE, JSON])
def test_what_asyncio_says_of_a_failed_task_does_not_quote_its_exception(
    formatter: LogFormatter,
) -> None:
    task = "future: <Task finished name='T' coro=<f()> exception=ValueError('A PROMPT')>"
    record = record_of(f"Never retrieved\n{task}", info=failure("A " + "PROMPT"), name="asyncio")
    text = formatter.format(record)
    assert "A PROMPT" not in text and "exception=ValueError(" in text and "coro=<f()>" in text


@pytest.mark.parametrize("formatter", [LINE, JSON])
@pytest.mark.parametrize("message", ["It is %d.", "It is so.", "%(name)s", "%s %s", "It is %"])
def test_arguments_that_do_not_fit_their_message_are_left_out(
    formatter: LogFormatter, message: str
) -> None:
    text = formatter.format(record_of(message, "A PROMPT"))
    assert message in text and "A PROMPT" not in text


FORGED = "x\n2026-01-01 00:00:00,000 ERROR django: forged\r\u2028\x85\x1b[31m"


@pytest.mark.parametrize("formatter", [LINE, JSON, LogFormatter(has_priorities=True)])
def test_a_client_can_forge_no_record(formatter: LogFormatter) -> None:
    text = formatter.format(record_of("Not found: %s", FORGED, info=failure(FORGED)))
    heads = [line for line in text.splitlines() if line.removeprefix("<4>")[:1] not in (" ", "T")]
    assert len(heads) == 1
    assert not any(sign in text for sign in "\r\x85\u2028\x1b")


@pytest.mark.parametrize(
    "text",
    [
        *("a" * 99_999, '"\\' * 50_000, "\x00" * 50_000, "é" * 50_000, "😀" * 50_000),
        *("\ud800" * 9, ('"' * 99 + "\n") * 999),
    ],
)
def test_an_object_is_bounded_and_readable_whatever_it_holds(text: str) -> None:
    found = object_of(record_of("%s", text, info=failure(text)))
    assert set(found["exception"]) == {"type", "message", "traceback"}
    object_of(record_of(text + "%s", 1))


def test_a_long_traceback_loses_its_middle() -> None:
    try:
        _deep(60)
    except ZeroDivisionError as error:
        info = (type(error), error, error.__traceback__)
    text = object_of(record_of("x", info=info))["exception"]["traceback"]
    assert text.startswith("Traceback") and text.endswith("ZeroDivisionError: division by zero")
    assert "\n  …\n" in text


def _deep(depth: int) -> float:
    return 1 / depth if depth == 0 else (_even if depth % 2 else _deep)(depth - 1)


def _even(depth: int) -> float:
    return 1 / depth if depth == 0 else _deep(depth - 1)


@pytest.mark.parametrize(
    ("level", "prefix"),
    [
        (logging.DEBUG, "<7>"),
        (logging.INFO, "<6>"),
        (logging.WARNING, "<4>"),
        (logging.ERROR, "<3>"),
        (logging.CRITICAL, "<2>"),
    ],
)
@pytest.mark.parametrize("kind", ["console", "json"])
def test_each_line_of_a_record_has_its_priority_for_the_journal(
    kind: Any, level: int, prefix: str
) -> None:
    record = logging.LogRecord("n", level, "p", 1, "x", (), failure("y"))
    lines = LogFormatter(kind, has_priorities=True).format(record).split("\n")
    assert len(lines) == (1 if kind == "json" else len(LINE.format(record).split("\n")))
    assert all(line.startswith(prefix) and line[3] != "<" for line in lines)


def test_the_journal_is_told_from_any_other_output() -> None:
    reading, writing = os.pipe()
    try:
        found = os.fstat(writing)
        assert is_journal(f"{found.st_dev}:{found.st_ino}", descriptor=writing)
        for other in ("", ":", f"{found.st_dev}:{found.st_ino + 1}", f"{found.st_dev}"):
            assert not is_journal(other, descriptor=writing)
    finally:
        os.close(reading)
        os.close(writing)
    assert not is_journal("1:1", descriptor=writing)


SAY = """
import os
if JOURNAL: os.environ["JOURNAL_STREAM"] = "{0.st_dev}:{0.st_ino}".format(os.fstat(2))
import django; django.setup()
import logging; logging.getLogger("any").warning("Mind this")
"""


@pytest.mark.parametrize("has_journal", [True, False])
@pytest.mark.parametrize("kind", ["console", "json"])
def test_a_process_of_systemd_writes_priorities_and_others_do_not(
    kind: str, has_journal: bool
) -> None:
    environment = {"DJANGO_SETTINGS_MODULE": "liveai.settings", "LOG_FORMAT": kind}
    done = subprocess.run(
        [sys.executable, "-c", SAY.replace("JOURNAL:", f"{has_journal}:")],
        cwd=ROOT,
        env={**clean_environment(), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = done.stderr.splitlines()
    assert line.startswith("<4>") is has_journal
    assert line.removeprefix("<4>").startswith("{") is (kind == "json")


def test_debug_of_the_database_is_left_out() -> None:
    levels = {name: logger.get("level") for name, logger in logging_at("DEBUG")["loggers"].items()}
    assert levels["django.db.backends"] == "INFO"
