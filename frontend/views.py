"""Serves the pages: one document for every address, or instructions for building it."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import get_script_prefix, resolve, reverse
from django.utils.encoding import escape_uri_path
from django.utils.http import urlencode
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
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
        if not is_built():
            return _unbuilt(request)
        _keep_session(request)
        return _document(request)
    except (OperationalError, InterfaceError, UpdateError) as error:
        logger.warning("A page waits for the database (%s).", type(error).__name__)
        return _unavailable(request)


@csrf_exempt  # a form for an unknown address gets 404 too
@cache_control(private=True, no_cache=True)
def unknown(request: HttpRequest) -> HttpResponse:
    """Return 404 for an address that no page has, with or without DEBUG.

    Redirects if the address of a page or of the admin only has the wrong slashes at its end.
    Browsers get the pages, which say what is wrong. Requests for images and the like get a notice.
    """
    if request.method not in ("GET", "HEAD"):
        return _not_found(request)
    if (address := _with_other_ending(request.path_info)) is not None:
        query = request.META.get("QUERY_STRING", "")
        return HttpResponsePermanentRedirect(f"{address}?{query}" if query else address)
    try:
        # Without a session: addresses that scanners try would leave many.
        is_shown = is_built() and "text/html" in request.headers.get("Accept", "")
        return _document(request, status=404) if is_shown else _not_found(request)
    except (OperationalError, InterfaceError, UpdateError):
        return _not_found(request)


def _with_other_ending(path: str) -> str | None:
    """Return the site's address that differs from this one only in slashes at the end, if any.

    It begins with one slash, so it can't lead to another host.
    """
    plain = f"/{path.strip('/')}"
    other = plain if path.endswith("/") else f"{plain}/"
    if resolve(other).func is unknown:
        return None
    return escape_uri_path(get_script_prefix().rstrip("/") + other)


def _not_found(request: HttpRequest) -> HttpResponse:
    return render(request, "404.html", status=404)


@cache_control(max_age=LICENCES_SECONDS)
@require_safe
def licenses(request: HttpRequest) -> HttpResponse:
    """Return the licences of everything that the site serves, as plain text."""
    text = notices_text(settings.FRONTEND_DIST)
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


def _keep_session(request: HttpRequest) -> None:
    """Store the session that the page's API calls need, here, where a failure is handled."""
    if request.user.is_authenticated or settings.AI_ALLOW_ANONYMOUS:
        keep_session(visitor_of(request.user, request.session), request.session)
    if request.session.modified and not request.session.is_empty():
        request.session.save()


def _document(request: HttpRequest, *, status: int = 200) -> HttpResponse:
    get_token(request)  # sets the CSRF cookie
    context = {"entry": ENTRY, "boot": _boot(request), "site_path": settings.SITE_PATH}
    return render(request, "frontend/page.html", context, status=status)


def _boot(request: HttpRequest) -> dict[str, Any]:
    """Return what the pages need to know before their first API call."""
    user = request.user
    back = urlencode({"next": request.get_full_path()})
    can_sign_up = settings.SIGN_UP == "open"
    return {
        "user": user.get_username() if user.is_authenticated else None,
        "admin": user.is_staff,
        "mustSignIn": not settings.AI_ALLOW_ANONYMOUS,
        # A signed-in user gets them, too: the session may end while the page is open.
        "loginUrl": f"{reverse('account_login')}?{back}",
        "signUpUrl": f"{reverse('account_signup')}?{back}" if can_sign_up else None,
        "accountUrl": reverse("account_home"),
        "dataUrl": reverse("account_data"),
        "logoutUrl": reverse("account_logout"),
    }


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
