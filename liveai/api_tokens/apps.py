from django.apps import AppConfig


class ApiTokensConfig(AppConfig):
    name = "liveai.api_tokens"
    verbose_name = "API tokens"
