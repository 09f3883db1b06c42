"""Loads the settings, or exits with one line that names the faulty setting."""

from __future__ import annotations

import logging
import logging.config
import os
import sys
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured

from .log_priority import is_journal
from .log_settings import logging_at

logger = logging.getLogger(__name__)


def load_settings() -> None:
    """Load the project's settings.

    Raises:
        SystemExit: a value is wrong, or a file can't be read or written. Only the message is
            written, without a traceback, whichever program imports the project.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liveai.settings")
    from django.conf import settings

    try:
        settings.INSTALLED_APPS  # noqa: B018 (the first access loads them)
    except (ImproperlyConfigured, OSError) as error:
        end(f"The settings can't be read: {error} (See .env.example.)")


def is_read_by_programs() -> bool:
    """Whether the journal, or a collector of JSON, takes standard error, and no terminal."""
    return (_is_json() or _is_journal()) and not sys.stderr.isatty()


def end(text: str) -> NoReturn:
    """Exit with 1 and say why: a text for a person, a line of the log for a program.

    Needs no settings. What is wrong may be the settings.
    """
    if not is_read_by_programs():
        sys.exit(text)
    kind = "json" if _is_json() else "console"
    logging.config.dictConfig(logging_at("INFO", kind=kind, is_journal=_is_journal()))
    logger.critical("%s", " ".join(text.split()))
    sys.exit(1)


def _is_json() -> bool:
    """Read `LOG_FORMAT` as the settings do: without blanks around it, in any case."""
    return os.environ.get("LOG_FORMAT", "").strip().lower() == "json"


def _is_journal() -> bool:
    return is_journal(os.environ.get("JOURNAL_STREAM", ""))
