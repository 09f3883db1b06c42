"""knox in a host that has none: with our model of tokens, and without a table of its own."""

from __future__ import annotations

from types import ModuleType

from django.apps import AppConfig
from django.conf import settings

from liveai.api_libraries import API_LIBRARIES


class OwnKnox(AppConfig):
    """Set up before knox's models are imported: which one is used is decided there."""

    name = "knox"
    label = "knox"

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        super().__init__(app_name, app_module)
        settings.KNOX_TOKEN_MODEL = API_LIBRARIES["KNOX_TOKEN_MODEL"]
        settings.REST_KNOX = {**API_LIBRARIES["REST_KNOX"], **getattr(settings, "REST_KNOX", {})}
        settings.MIGRATION_MODULES = {
            **settings.MIGRATION_MODULES,
            **API_LIBRARIES["MIGRATION_MODULES"],
        }
