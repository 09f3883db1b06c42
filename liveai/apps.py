from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "liveai"
    verbose_name = "Live AI Blocks"

    def ready(self) -> None:
        from . import checks, writable

        assert checks and writable  # imported for their registrations
