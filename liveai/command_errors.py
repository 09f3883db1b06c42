"""What `serve` and `work` say before they begin, as lines of the log.

Django writes the errors of a command and the issues of system checks as plain text. The journal
would show that with the priority of information, and a collector of JSON could not read it.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

from django.core.management import ManagementUtility
from django.core.management.base import BaseCommand, OutputWrapper

from .startup import is_read_by_programs

PROCESSES = ("serve", "work")
"""The commands that run for long, without anybody who looks at them."""

_LEVELS = {
    "CRITICALS:": logging.CRITICAL,
    "ERRORS:": logging.ERROR,
    "WARNINGS:": logging.WARNING,
    "INFOS:": logging.INFO,
    "DEBUGS:": logging.DEBUG,
}
"""Django's headings of the issues that system checks find → the level of each."""

logger = logging.getLogger(__name__)


class Manager(ManagementUtility):
    def fetch_command(self, subcommand: str) -> BaseCommand:
        command: BaseCommand = super().fetch_command(subcommand)
        if subcommand in PROCESSES and is_read_by_programs():
            command.stderr = OutputWrapper(LogStream())
        return command


class LogStream(io.StringIO):
    """Takes the texts of a command, and makes records of each."""

    def write(self, text: str, /) -> int:
        for level, line in records_of(text):
            logger.log(level, "%s", line)
        return len(text)


def records_of(text: str) -> Iterator[tuple[int, str]]:
    """Cut what a command writes into records: level and a text of one line.

    Args:
        text: `CommandError: …`, or what `BaseCommand.check` writes: headings, and below them one
            issue a line, with indented lines that belong to it.
    """
    heading, found, issues = text.partition("System check identified some issues:\n")
    if not found:
        yield logging.CRITICAL, " ".join(text.split())
        return
    level = logging.CRITICAL
    for line in issues.replace("\n\t", " ").splitlines():
        if line in _LEVELS:
            level = _LEVELS[line]
        elif line.strip():
            yield level, " ".join(line.split())
    if heading:
        yield logging.CRITICAL, "The system check found errors: the process does not start."
