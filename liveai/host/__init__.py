"""Live AI Blocks in a Django project that exists already: the host.

The host's settings call `add_apps`, its URLs include `liveai.host.urls`, and
`liveai.asgi.wrap` wraps its ASGI application. docs/host.md shows the lines.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

PACKAGES = ("blocks", "streaming", "frontend", "operating")
"""Top-level packages beside `liveai`. A host's module of such a name would hide ours."""

APPS = ("rest_framework", "liveai.host", "blocks", "streaming", "liveai.api_tokens")

KNOX = "liveai.host.knox.OwnKnox"
"""knox, set up for our tokens. Not added to a host that has knox: its tokens stay as they are."""


def add_apps(installed: Iterable[str]) -> list[str]:
    """Return a host's `INSTALLED_APPS` with ours at the end, each once.

    Raises:
        ImproperlyConfigured: a module of the host has the name of one of ours, and hides it.
    """
    apps = list(installed)
    _refuse_shadows()
    has_knox = any(app == "knox" or app.startswith("knox.") for app in apps)
    own = APPS if has_knox else (*APPS, KNOX)
    return [*apps, *(app for app in own if app not in apps)]


def _refuse_shadows() -> None:
    """Refuse a project whose own module is found instead of ours.

    Python looks in the project's folder first. Without this, the start would fail at an import deep
    inside the wrong package.
    """
    ours = Path(__file__).resolve().parents[2]
    for name in PACKAGES:
        spec = find_spec(name)
        places = (
            [] if spec is None else [*(spec.submodule_search_locations or []), spec.origin or ""]
        )
        if not any(Path(place).resolve() == ours / name for place in places if place):
            found = next((place for place in places if place), "nowhere")
            raise ImproperlyConfigured(
                f"The module “{name}” is {found}, which hides the package of Live AI Blocks"
                f" ({ours / name}). Rename the project's module: Live AI Blocks needs the names"
                f" {', '.join(PACKAGES)}."
            )
