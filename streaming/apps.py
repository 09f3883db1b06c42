from django.apps import AppConfig


class StreamingConfig(AppConfig):
    name = "streaming"
    verbose_name = "Streaming"

    def ready(self) -> None:
        from . import checks, switches
        from .admission import spending, subjects
        from .database import joining
        from .http import openapi

        assert checks and openapi  # imported for its registrations
        switches.connect_signals()
        subjects.connect_signals()
        spending.connect_signals()
        joining.connect_signals()
