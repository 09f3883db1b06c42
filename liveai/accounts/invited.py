"""The invitation that a visitor has opened, kept in the session until it is used."""

from __future__ import annotations

from django.http import HttpRequest

from .models import Invitation

KEY = "liveai.invitation"


def keep_invitation(request: HttpRequest, invitation: Invitation) -> None:
    request.session[KEY] = invitation.token


def invitation_of(request: HttpRequest) -> Invitation | None:
    """Return the visitor's invitation; None without one, or if it is no longer valid."""
    token = request.session.get(KEY)
    return Invitation.objects.valid().filter(token=token).first() if token else None


def take_invitation(request: HttpRequest) -> bool:
    """Use up the visitor's invitation. False: there is none, or others have used it up."""
    return Invitation.take(str(request.session.pop(KEY, "")))
