"""Serves the pages: one document for every address, or instructions for building it."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from blocks.catalog import list_blocks
from streaming.access.visitor import keep_session, visitor_of

from .build import ENTRY, failure, is_built
from .notices import notices_text

logger = logging.getLogger(__name__)

RETRY_SECONDS = 3
"""How soon the browser retries a page that is temporarily unavailable."""

LICENCES_SECONDS = 3600
"""How long browsers may cache the licences."""


# Private, because it names the visitor. `no-store` would disable the instant Back of browsers.
@cache_control(private=True, no_cache=True)
@require_safe
def page(request: HttpRequest, **address: str) -> HttpResponse:
    """Return the document that runs the pages, and set the cookies that its API calls need."""
    try:
        return _page(request) if is_built() else _unbuilt(request)
    except (OperationalError, InterfaceError, UpdateError) as error:
        logger.warning("A page waits for the database (%s).", type(error).__name__)
        return _unavailable(request)


@cache_control(max_age=LICENCES_SECONDS)
@require_safe
def licenses(request: HttpRequest) -> HttpResponse:
    """Return the licences of everything that the site serves, as plain text."""
    text = notices_text(settings.FRONTEND_DIST)
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


def _page(request: HttpRequest) -> HttpResponse:
    get_token(request)  # sets the CSRF cookie
    if request.user.is_authenticated or settings.AI_ALLOW_ANONYMOUS:
        keep_session(visitor_of(request.user, request.session), request.session)
    if request.session.modified and not request.session.is_empty():
        request.session.save()  # here, where a failure is handled
    context = {"entry": ENTRY, "boot": _boot(request), "site_path": settings.SITE_PATH}
    return render(request, "frontend/page.html", context)


def _boot(request: HttpRequest) -> dict[str, Any]:
    """Return what the pages need to know before their first API call."""
    user = request.user
    # A signed-in user gets it, too: the session may end while the page is open.
    login = f"{reverse('admin:login')}?{urlencode({'next': request.get_full_path()})}"
    name = user.get_username() if user.is_authenticated else None
    return {"user": name, "admin": user.is_staff, "loginUrl": login}


def _unbuilt(request: HttpRequest) -> HttpResponse:
    """Return instructions for building the pages, and what works without them."""
    base = request.build_absolute_uri(reverse("home")).rstrip("/")
    context = {"blocks": list_blocks(), "base": base, "failure": failure()}
    return render(request, "frontend/unbuilt.html", context)


def _unavailable(request: HttpRequest) -> HttpResponse:
    """Return a page that reloads itself: without the database the visitor is unknown."""
    response = render(request, "frontend/unavailable.html", {"seconds": RETRY_SECONDS}, status=503)
    response["Retry-After"] = str(RETRY_SECONDS)
    return response
