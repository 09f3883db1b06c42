from django.apps import AppConfig


class StreamingConfig(AppConfig):
    name = "streaming"
    verbose_name = "Streaming"

    def ready(self) -> None:
        from . import checks, switches
        from .admission import subjects
        from .database import ended_rights, joining
        from .http import openapi

        assert checks and openapi  # imported for its registrations
        switches.connect_signals()
        subjects.connect_signals()
        ended_rights.connect_signals()
        joining.connect_signals()
