"""Extensions of drf-spectacular for the OpenAPI description."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class VisitorScheme(OpenApiAuthenticationExtension):
    target_class = "streaming.http.authentication.VisitorAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "Django's session. Writes carry `X-CSRFToken` too.",
        }
