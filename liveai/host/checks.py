"""System checks of a host: the keys of `LIVEAI`, and whether its server can stream."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from corsheaders.checks import check_settings
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from .defaults import base_of_host, chosen, defaults

register(Tags.security)(check_settings)  # the app of django-cors-headers, which a host may lack


@register()
def check_names(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    known = defaults(base_of_host())
    for name, value in chosen().items():
        if name not in known:
            near = get_close_matches(str(name), known, n=1, cutoff=0.0)
            yield Error(
                f"LIVEAI has {name!r}, which is no setting of Live AI Blocks.",
                hint=f"Did you mean {near[0]}? docs/operate/settings.md lists them.",
                id="liveai.E010",
            )
        elif getattr(settings, name) != value and str(getattr(settings, name)) != str(value):
            yield Error(
                f"{name} has one value in LIVEAI, and another one of its own in the settings.",
                hint=f"Write {name} in one of the two places.",
                id="liveai.E011",
            )


@register()
def check_asgi(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    """Report a host without an ASGI application: under WSGI, nothing streams."""
    if not getattr(settings, "ASGI_APPLICATION", None):
        yield Warning(
            "ASGI_APPLICATION is not set: a WSGI server answers no WebSocket, and holds one of its"
            " workers for each stream.",
            hint="Wrap the project's ASGI application with liveai.asgi.wrap, name it in"
            " ASGI_APPLICATION, and serve that: manage.py serve --app mysite.asgi:application.",
            id="liveai.W010",
        )
