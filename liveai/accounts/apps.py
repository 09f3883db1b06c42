from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "liveai.accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from . import checks

        assert checks  # imported for its registrations
