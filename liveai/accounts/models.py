"""Invitations to sign up."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db import models
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

DAYS = 14


def new_token() -> str:
    """Return 128 random bits as 22 URL-safe characters."""
    return secrets.token_urlsafe(16)


def in_two_weeks() -> datetime:
    return timezone.now() + timedelta(days=DAYS)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def valid(self) -> InvitationQuerySet:
        """Return those that can still be used."""
        return self.filter(used__lt=F("uses"), expires_at__gt=timezone.now())


class Invitation(models.Model):
    """Lets its holder sign up while `SIGN_UP` is `invitation`. Made in the admin panel."""

    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    note = models.CharField(
        "for", max_length=200, blank=True, help_text="Who gets it. Only the admin panel shows this."
    )
    email = models.EmailField(
        "email", blank=True, help_text="If set, only this address can sign up with it."
    )
    uses = models.PositiveIntegerField(
        "accounts", default=1, help_text="How many people can sign up with it."
    )
    used = models.PositiveIntegerField(default=0, editable=False)
    expires_at = models.DateTimeField("expires", default=in_two_weeks)
    created_at = models.DateTimeField("created", auto_now_add=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.note or self.email or f"Invitation {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("account_invitation", args=[self.token])

    @classmethod
    def take(cls, token: str) -> bool:
        """Use an invitation once, if it is valid; of two at the same time, one gets the last."""
        return bool(cls.objects.valid().filter(token=token).update(used=F("used") + 1))
