"""How the API's libraries are set up: parts of the settings that no operator changes."""

from __future__ import annotations

from typing import Any

OF_OPENAI = [
    "user-agent",
    *[
        f"x-stainless-{name}"
        for name in (
            "arch",
            "async",
            "custom-poll-interval",
            "helper-method",
            "lang",
            "os",
            "package-version",
            "poll-helper",
            "retry-count",
            "runtime",
            "runtime-version",
            "timeout",
        )
    ],
]
"""What OpenAI's package for JavaScript sends with each request. Nothing here reads it."""

API_LIBRARIES: dict[str, Any] = {
    "REST_FRAMEWORK": {
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["streaming.http.parsers.StrictJSONParser"],
        "DEFAULT_AUTHENTICATION_CLASSES": ["streaming.http.authentication.VisitorAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": [],
        "DEFAULT_CONTENT_NEGOTIATION_CLASS": "streaming.http.negotiation.JSONAlways",
        "EXCEPTION_HANDLER": "streaming.http.problems.exception_handler",
        "DEFAULT_METADATA_CLASS": None,  # OPTIONS describes nothing; a page would need a template
        "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
        "URL_FORMAT_OVERRIDE": None,  # `?format=` does not select a format here
        "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    },
    # API tokens. streaming/access/tokens.py reads those of this form.
    "KNOX_TOKEN_MODEL": "api_tokens.ApiToken",
    "REST_KNOX": {"TOKEN_PREFIX": "liveai_"},
    # knox's migrations would make a table for its own model, which is unused.
    "MIGRATION_MODULES": {"knox": None},
    # Other origins (CORS_ALLOWED_ORIGINS): with a token, never with a cookie.
    "CORS_URLS_REGEX": r"^/(api|v1)(/|$)",
    "CORS_ALLOW_METHODS": ["GET", "POST", "DELETE"],
    "CORS_ALLOW_HEADERS": [
        "accept",
        "authorization",
        "content-type",
        "last-event-id",
        *OF_OPENAI,
    ],
    "CORS_EXPOSE_HEADERS": ["Retry-After", "WWW-Authenticate", "X-Request-ID"],
}
