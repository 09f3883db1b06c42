"""Gives a host's settings what they lack, once, while Django loads the apps.

The defaults are what `liveai/settings.py` says in an empty environment, so they stand in one place.
A host changes them in `LIVEAI = {"AI_MODEL": "openai:gpt-5", ...}`.
"""

from __future__ import annotations

import re
import runpy
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from liveai.api_libraries import API_LIBRARIES
from liveai.channel_layers import channel_layers

VITE_APP = "liveai"
"""Our key in `DJANGO_VITE`: a host may have an app `default` of its own."""

_PREFIXES = "AI|AUDIT|FRONTEND|JWT|LIMIT|METRICS|OTEL|REDIS|SERVER|STREAM|STREAMING|TRACING"
_OWN = re.compile(
    rf"(?:{_PREFIXES})_\w+|TRACING|VAR_DIR|BASE_DIR|SITE_PATH|TRUSTED_PROXIES|CORS_ALLOWED_ORIGINS"
)
"""The settings that our code reads. All others of `liveai/settings.py` are the project's own: its
pages, accounts and libraries."""

CORS = ("CORS_ALLOW_METHODS", "CORS_ALLOW_HEADERS", "CORS_EXPOSE_HEADERS")
"""What other origins are told of our calls, the only ones that django-cors-headers sees here."""

_SETTINGS = Path(__file__).parents[1] / "settings.py"
_NO_ENVIRONMENT = {
    "DJANGO_SECRET_KEY": "of no use: only the settings below are taken from this run"
}


@cache
def defaults(base: Path) -> dict[str, Any]:
    """Return our settings by name.

    Args:
        base: the folder of the host's project; we write below its `var` alone, and never to where
            we are installed.
    """
    own = runpy.run_path(
        str(_SETTINGS),
        init_globals={"environment": dict(_NO_ENVIRONMENT), "VAR_DIR": base / "var"},
    )
    found = {name: value for name, value in own.items() if _OWN.fullmatch(name)}
    return found | {"BASE_DIR": base, "AI_MODELS_DIR": base / "var" / "models"}


def chosen() -> dict[str, Any]:
    """Return the host's `LIVEAI`.

    Raises:
        ImproperlyConfigured: it is no dict.
    """
    own = getattr(settings, "LIVEAI", {})
    if not isinstance(own, dict):
        raise ImproperlyConfigured("LIVEAI is a dict of settings, e.g. {'AI_MODEL': 'openai:…'}.")
    return own


def fill_settings() -> None:
    """Set what the host's settings lack: our own settings, and those of the libraries below them.

    What the host has stays. A key of `LIVEAI` that we don't know is left to a system check.

    Raises:
        ImproperlyConfigured: a value of `LIVEAI` has the wrong type, which would fail later, in a
            request.
    """
    known = defaults(base_of_host())
    for name, value in chosen().items():
        if name in known and not _fits(value, known[name]):
            wanted = type(known[name]).__name__
            raise ImproperlyConfigured(f"LIVEAI[{name!r}] is no {wanted}, as its default is.")
    for name, value in (known | _known_of(chosen(), known)).items():
        if not hasattr(settings, name):
            setattr(settings, name, value)
    if not hasattr(settings, "CHANNEL_LAYERS"):
        layers = channel_layers(settings.REDIS_URL, prefix=settings.REDIS_PREFIX)
        settings.CHANNEL_LAYERS = layers
    if not has_own_cors():
        for name in CORS:
            if not hasattr(settings, name):
                setattr(settings, name, API_LIBRARIES[name])
    _add_built_files(settings.FRONTEND_DIST)


def has_own_cors() -> bool:
    """Whether the host runs django-cors-headers itself. It then decides for our calls, too."""
    return any(name.startswith("corsheaders.") for name in settings.MIDDLEWARE)


def _add_built_files(dist: Path) -> None:
    """Add the built files to the host's static files, as `ai/...`, and to its Vite apps."""
    if dist.is_dir():
        settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, ("ai", dist)]
    own = {"manifest_path": dist / "manifest.json", "static_url_prefix": "ai"}
    settings.DJANGO_VITE = {**getattr(settings, "DJANGO_VITE", {}), VITE_APP: own}


def base_of_host() -> Path:
    """Return the host's folder: its `BASE_DIR`, as `startproject` writes it, or where it runs."""
    return Path(getattr(settings, "BASE_DIR", "")).resolve()


def _known_of(own: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    return {
        name: Path(value) if isinstance(known[name], Path) else value
        for name, value in own.items()
        if name in known
    }


def _fits(value: Any, default: Any) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    if isinstance(default, float):
        return isinstance(value, int | float)
    if isinstance(default, Path):
        return isinstance(value, str | Path)
    if isinstance(default, list):
        return isinstance(value, list | tuple)
    return isinstance(value, type(default))
