"""Where a host has put our addresses."""

from __future__ import annotations

from django.urls import reverse

from .urls import app_name

_CONFIG = "api/config"


def base_path() -> str:
    """Return the path before `/api`, as a browser needs it; empty: the host's root.

    Raises:
        NoReverseMatch: the host's URLs don't include ours, outside of another namespace.
    """
    return reverse(f"{app_name}:api-config").removesuffix(f"/{_CONFIG}")
