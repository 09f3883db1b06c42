"""System checks of the places that the site writes to. All others may be read-only.

The checks only look; they write nothing. Their ids are stable.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from .database_url import SQLITE


@register()
def check_database_file(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    database = settings.DATABASES["default"]
    if database["ENGINE"] != SQLITE:
        return
    path = Path(database["NAME"]).resolve()  # SQLite follows links
    if not path.parent.is_dir():
        words = f"there is no folder {path.parent}"
    elif not can_write(path.parent):
        words = f"the folder {path.parent} can't be written"  # it puts two files beside it
    elif path.is_dir() or not can_write(path):
        words = f"{path} can't be written"
    else:
        return
    yield Error(
        f"The database can't be used: {words}.",
        hint="Make it writable for the server, or name another place in DATABASE_URL.",
        id="liveai.E004",
    )


@register()
def check_var(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    if not can_write(settings.VAR_DIR / "processes"):
        yield Warning(
            f"{settings.VAR_DIR} can't be written: the answers of a killed process are taken over"
            " some seconds later, because other processes can't see its lock.",
            hint="Make the folder writable for the server.",
            id="liveai.W004",
        )


@register()
def check_temporary_folder(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    if not settings.AI_MODEL.startswith("local:"):
        return
    try:
        tempfile.gettempdir()
    except OSError:
        yield Warning(
            "No temporary folder can be written, which AI_MODEL needs for the local model.",
            hint="Make /tmp writable, or name another folder in TMPDIR.",
            id="liveai.W005",
        )


def can_write(path: Path) -> bool:
    """Whether a file or folder can be written, or created with the folders above it."""
    found = next(each for each in (path, *path.parents) if each.exists())
    if found.is_dir():
        return os.access(found, os.W_OK | os.X_OK)
    return found == path and os.access(found, os.W_OK)
