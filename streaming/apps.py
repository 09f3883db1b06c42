from django.apps import AppConfig


class StreamingConfig(AppConfig):
    name = "streaming"
    verbose_name = "Streaming"

    def ready(self) -> None:
        from . import checks, switches

        assert checks  # imported for its registrations
        switches.connect_signals()
