"""What browsers may do with the site's answers: two policies, and a header that Django lacks.

Django's own middleware sets the others: nosniff, Referrer-Policy, Cross-Origin-Opener-Policy,
X-Frame-Options.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from csp.constants import NONCE
from django.http import HttpRequest
from django.http.response import HttpResponseBase

UNUSED_FEATURES = (
    "accelerometer",
    "bluetooth",
    "browsing-topics",
    "camera",
    "display-capture",
    "encrypted-media",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
"""Features that no page uses, so that nothing in a page can ask for them. The pages do use the
clipboard ("Copy") and full screen (a diagram). Only names that Chromium knows: it reports others in
the console."""


def content_security_policy(
    *, has_dev_server: bool = False, has_providers: bool = False
) -> dict[str, Any]:
    """Return the setting `CONTENT_SECURITY_POLICY`.

    Args:
        has_dev_server: Vite's dev server serves the pages.
        has_providers: people may sign in with other sites' accounts.
    """
    dev_server = ["http://localhost:5173", "ws://localhost:5173"] if has_dev_server else []
    return {
        "DIRECTIVES": {
            "default-src": ["'self'", *dev_server],
            "script-src": ["'self'", NONCE, *dev_server],
            "style-src": ["'self'", "'unsafe-inline'"],  # Mermaid's diagrams are black without it
            "img-src": ["'self'", "data:", *dev_server],
            "font-src": ["'self'", *dev_server],
            "connect-src": ["'self'", *dev_server],
            "object-src": ["'none'"],
            "base-uri": ["'self'"],
            # A provider's sign-in begins with a form that redirects there.
            "form-action": ["'self'", *(["https:"] if has_providers else [])],
            "frame-ancestors": ["'none'"],
        },
    }


class ResourcePolicy:
    """Middleware: pages of other sites can't embed an answer as an image, a script or a style.

    CORS requests of listed origins are not affected. Browsers apply this policy to requests without
    CORS only.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response
