from django.apps import AppConfig


class StreamingConfig(AppConfig):
    name = "streaming"
    verbose_name = "Streaming"

    def ready(self) -> None:
        from . import checks, switches
        from .admission import spending, subjects
        from .database import ended_rights, joining
        from .http import openapi

        assert checks and openapi  # imported for its registrations
        for module in (switches, subjects, spending, ended_rights, joining):
            module.connect_signals()
