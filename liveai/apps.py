from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "liveai"
    verbose_name = "Live AI Blocks"

    def ready(self) -> None:
        from . import checks, writable
        from .uncaught import log_the_uncaught

        assert checks and writable  # imported for their registrations
        log_the_uncaught()
