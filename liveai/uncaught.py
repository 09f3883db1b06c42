"""Logs what Python would print to standard error by itself: failures that nobody catches, warnings.

Those of threads and of `__del__` come without an id, so their texts are withheld.
"""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from typing import Any

UNCAUGHT = __name__
"""The logger's name."""

logger = logging.getLogger(UNCAUGHT)


def log_the_uncaught() -> None:
    """Log them from now on. Idempotent; leaves hooks alone that another program has set."""
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _of_thread
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = _of_nobody
        if warnings.showwarning.__module__ == warnings.__name__:
            logging.captureWarnings(True)


def _of_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is SystemExit or args.exc_value is None:
        return
    info = (args.exc_type, args.exc_value, args.exc_traceback)
    logger.error("A thread failed.", exc_info=info)


def _of_nobody(args: Any) -> None:
    """Log a failure of `__del__` or the like: its object by its name alone, for it may hold all."""
    name = getattr(args.object, "__qualname__", type(args.object).__qualname__)
    error = args.exc_value if args.exc_value is not None else args.exc_type()
    logger.error(
        "A failure was ignored in %s.", name, exc_info=(type(error), error, args.exc_traceback)
    )
