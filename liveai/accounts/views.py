"""The account pages that allauth lacks: overview, name, deletion, invitations, and refusals."""

from __future__ import annotations

import re
from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.models import EmailAddress
from allauth.core import ratelimit
from allauth.core.internal.ratelimit import consume
from django.apps import apps
from django.contrib import messages
from django.contrib.auth import get_user_model, logout
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from liveai.refused_page import refused_page
from streaming.access.sessions import SESSION_KEY
from streaming.access.sign_in import seconds_locked
from streaming.database.joining import join
from streaming.own_data.deleting import delete_ended

from .forms import NameForm
from .invited import keep_invitation
from .models import Invitation
from .rates import seconds_left

LEFT = "You have many answers. Some are left: delete again to continue."
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,32}")


@never_cache
@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Show who is signed in, and what can be changed."""
    address = EmailAddress.objects.filter(user_id=request.user.pk).order_by("-verified").first()
    context = {
        "address": address,  # accounts that the admin made may have one without it
        "has_connections": apps.is_installed("allauth.socialaccount"),
    }
    return render(request, "account/home.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def change_name(request: HttpRequest) -> HttpResponse:
    if refused := ratelimit.consume_or_429(request, action="change_name"):
        return refused
    initial = {"name": request.user.get_username()}
    form = NameForm(request.POST or None, user=_fresh(request), initial=initial)
    if form.is_valid():
        form.save()
        messages.success(request, "Your name is changed.")
        return redirect("account_home")
    return render(request, "account/name.html", {"form": form})


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
@reauthentication_required(allow_get=True)
def delete(request: HttpRequest) -> HttpResponse:
    """Delete the account and its answers, after the password was typed again.

    allauth keeps the POST until then, and repeats it. Very many answers take several POSTs.
    """
    is_kept = is_only_administrator(request.user)
    if request.method == "GET" or is_kept:
        return render(request, "account/delete.html", {"is_kept": is_kept})
    user = _fresh(request)
    if not delete_ended(user.pk):
        messages.warning(request, LEFT)
        return redirect("account_delete")
    session_id = request.session.get(SESSION_KEY)
    with transaction.atomic():
        if session_id:
            join(session_id, user.pk)  # starts that the sign-in has overtaken go, too
        user.delete()
    logout(request)
    return redirect("account_deleted")


@require_safe
def deleted(request: HttpRequest) -> HttpResponse:
    return render(request, "account/deleted.html")


@never_cache
@require_safe
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Open an invitation, and go on to sign up."""
    if not consume(request, app="allauth.account", action="invitation", limit_get=True):
        return too_many_requests(request)
    # PostgreSQL would refuse a NUL byte with an error.
    found = _TOKEN.fullmatch(token) and Invitation.objects.valid().filter(token=token).first()
    if not found:
        return render(request, "account/invitation_invalid.html", status=404)
    if request.user.is_authenticated:
        return redirect("account_home")
    keep_invitation(request, found)
    return redirect("account_signup")


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """Render the page for a rate that is exceeded. allauth calls it as `handler429`."""
    return refused_page(request, title="Too many requests", seconds=seconds_left(request))


def too_many_failures(
    request: HttpRequest, original: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """Render the page for a locked sign-in. django-axes calls it, also for the admin's form."""
    seconds = seconds_locked(request, credentials)
    return refused_page(request, title="Too many failed sign-ins", seconds=seconds)


def is_only_administrator(user: Any) -> bool:
    """Whether nobody could use the admin panel any more without this user."""
    administrators = get_user_model()._default_manager.filter(is_superuser=True, is_active=True)
    return bool(user.is_superuser) and not administrators.exclude(pk=user.pk).exists()


def _fresh(request: Any) -> Any:
    """Return the user from the database: a form must not change the one that templates show."""
    return get_user_model()._default_manager.get(pk=request.user.pk)
