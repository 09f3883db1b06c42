"""Loads the settings, or exits with one line that names the faulty setting."""

from __future__ import annotations

import os
import sys

from django.core.exceptions import ImproperlyConfigured


def load_settings() -> None:
    """Load the project's settings.

    Raises:
        SystemExit: a value is wrong, or a file can't be read or written. Python prints only the
            message, without a traceback, whichever program imports the project.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liveai.settings")
    from django.conf import settings

    try:
        settings.INSTALLED_APPS  # noqa: B018 (the first access loads them)
    except (ImproperlyConfigured, OSError) as error:
        sys.exit(f"The settings can't be read: {error} (See .env.example.)")
