"""Coded errors as `application/problem+json` (RFC 9457), including Django's own rejections."""

from __future__ import annotations

import json
import logging
import math
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import get_template
from django.views import defaults
from rest_framework import exceptions as drf

from ..errors import Refused
from ..protocol.codes import REFUSALS
from ..refusals import refusal_of
from .refused_starts import count_if_start

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"

API_PATHS = ("/api/", "/v1/")
"""What the paths of API calls begin with."""


def problem(refused: Refused) -> HttpResponse:
    """Build the response for a refusal. A refused start counts here."""
    count_if_start(refused.code)
    response = HttpResponse(
        problem_body(refused),
        status=REFUSALS[refused.code].status,
        content_type=CONTENT_TYPE,
        headers={"Cache-Control": "no-store"},
    )
    if refused.retry_after_seconds is not None:
        response["Retry-After"] = str(max(1, math.ceil(refused.retry_after_seconds)))
    if response.status_code == 401:
        response["WWW-Authenticate"] = 'Session realm="liveai", Bearer realm="liveai"'
    return response


def problem_body(refused: Refused) -> bytes:
    code = REFUSALS[refused.code]
    document: dict[str, Any] = {
        "type": f"urn:liveai:problem:{refused.code}",
        "title": code.title,
        "status": code.status,
        "detail": refused.message,
        "code": refused.code,
        **refused.extra,
    }
    return json.dumps(document).encode()


def http_refusal_of(error: BaseException) -> Refused:
    """Map an exception to a refusal, including those Django and DRF raise for a request."""
    match error:
        case drf.ParseError():
            return Refused("malformed", str(error.detail))
        case BadRequest() | SuspiciousOperation():  # e.g. too many parameters
            return Refused("malformed", "The request can't be read.")
        case drf.UnsupportedMediaType():
            return Refused("unsupported_media_type", "Send the body as application/json.")
        case drf.MethodNotAllowed():
            return Refused("method_not_allowed")
        case drf.NotAuthenticated() | drf.AuthenticationFailed():
            return Refused("not_authenticated")
        case drf.PermissionDenied() | PermissionDenied():
            return Refused("forbidden")
        case drf.NotFound() | Http404():
            return Refused("not_found")
        case _:
            return refusal_of(error)


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """Turn every exception of an API view into a problem. DRF's hook."""
    refused = http_refusal_of(error)
    if refused.code == "internal":
        logger.error("An API call failed.", exc_info=error)
    response = problem(refused)
    if refused.code == "method_not_allowed":
        response["Allow"] = ", ".join(getattr(context.get("view"), "allowed_methods", []))
    return response


# --- Django's own error responses, for paths of the API ---------------------------


def is_api(request: HttpRequest) -> bool:
    path = request.path_info
    return path in ("/api", "/v1") or path.startswith(API_PATHS)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return problem(Refused("malformed", "The request can't be read."))
    return _page("400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return problem(Refused("forbidden"))
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return problem(Refused("not_found", "This address doesn't exist."))
    match = request.resolver_match
    is_admin = match is not None and match.app_name == "admin"
    template = "admin/404.html" if is_admin else "404.html"
    return defaults.page_not_found(request, exception, template_name=template)


def server_error(request: HttpRequest) -> HttpResponse:
    if is_api(request):
        return problem(Refused("internal"))
    return _page("500.html", status=500)


def _page(template: str, *, status: int) -> HttpResponse:
    """Render a page without the request.

    Django's own views read its form for the CSRF token. A form that can't be read would raise there
    once more, and leave the application without an answer.
    """
    return HttpResponse(get_template(template).render(), status=status)
