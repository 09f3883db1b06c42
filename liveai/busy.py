"""The page of a request that its lane refused, such as a sign-in beside too many others."""

from __future__ import annotations

import math

from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch
from django.views.decorators.csrf import csrf_exempt

from streaming.errors import Refused
from streaming.protocol.codes import REFUSALS

from .refused_page import refused_page

TITLES = {"rate_limited": "Too many requests", "over_capacity": "The server is busy"}


def match_refused(refused: Refused) -> ResolverMatch:
    """Return a match with the page of a refusal, in place of the page that was asked for."""

    @csrf_exempt  # nothing is written, and the refusal is what a person must read
    def page(request: HttpRequest) -> HttpResponse:
        seconds = math.ceil(refused.retry_after_seconds or 1)
        title = TITLES.get(refused.code, refused.message)
        status = REFUSALS[refused.code].status
        return refused_page(request, title=title, seconds=seconds, status=status)

    return ResolverMatch(page, (), {})
