"""Middleware of the pages that costs an API call nothing."""

from __future__ import annotations

from functools import cache

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.contrib.messages.middleware import MessageMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from streaming.http.problems import API_PATHS


def is_api(request: HttpRequest) -> bool:
    """Whether a request is an API call: it has no page, thus no messages and no nonce.

    The API's own pages count as pages.
    """
    path = request.path_info
    return path.startswith(API_PATHS) and not path.startswith("/api/docs")


class PageMessages(MessageMiddleware):
    """Provides messages to pages."""

    def process_request(self, request: HttpRequest) -> None:
        if not is_api(request):
            super().process_request(request)


class ContentSecurityPolicy(CSPMiddleware):
    """Sets the policy: built for each page, and once for all API calls.

    API calls have the enforced policy alone: no report-only one, no exempt prefixes or views.
    """

    def process_request(self, request: HttpRequest) -> None:
        if not is_api(request):
            super().process_request(request)

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if not is_api(request):
            return super().process_response(request, response)
        response.headers.setdefault(HEADER, _plain_policy())
        return response


@cache
def _plain_policy() -> str:
    return build_policy()
