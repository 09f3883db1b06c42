from types import ModuleType

from django.apps import AppConfig

from .defaults import fill_settings


class HostConfig(AppConfig):
    """Live AI Blocks in a host. Its settings are filled before any app's models are imported."""

    name = "liveai.host"
    label = "liveai_host"
    verbose_name = "Live AI Blocks"

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        super().__init__(app_name, app_module)
        fill_settings()

    def ready(self) -> None:
        from liveai import writable

        from . import checks

        assert checks and writable  # imported for their registrations
