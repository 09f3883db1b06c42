from django.apps import AppConfig


class BlocksConfig(AppConfig):
    name = "blocks"
    verbose_name = "AI blocks"

    def ready(self) -> None:
        from . import checks  # noqa: F401  (registers the system checks)
