from django.apps import AppConfig


class BlocksConfig(AppConfig):
    name = "blocks"
    verbose_name = "AI blocks"

    def ready(self) -> None:
        from . import catalog, checks

        assert checks  # imported for its registrations
        catalog.connect_signals()
