"""What the host had set before: its users, languages, and a REST framework of its own."""

import os

if port := os.environ.get("HOST_POSTGRES"):
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": "127.0.0.1",
            "PORT": port,
            "NAME": "postgres",
            "USER": "postgres",
        }
    }
AUTH_USER_MODEL = "people.Person"
LANGUAGES = [("de", "German"), ("en", "English")]
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS += ["people", "rest_framework"]  # noqa: F821 (startproject's)
MIDDLEWARE += ["django.middleware.locale.LocaleMiddleware"]  # noqa: F821
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.BrowsableAPIRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FormParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "1/day"},
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "EXCEPTION_HANDLER": "host_api.own_handler",
    "UNAUTHENTICATED_USER": None,
}
