"""System checks of the pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Warning, register

from .build import failure, is_built


@register()
def check_build(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if is_built():
        return []
    words = "The pages are not built: visitors see build instructions instead."
    if reason := failure():
        words += f" The last build failed: {reason}"
    return [
        Warning(
            words,
            hint="scripts/run builds them. By hand: cd frontend && npm ci && npm run build",
            id="frontend.W001",
        )
    ]
