"""The row of the admin's switches."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from blocks.fresh import FollowedQuerySet


class StreamingSettings(models.Model):
    """The admin's switches, in a single row.

    Values set here override the environment in every process within a second.
    """

    AS_CONFIGURED = "as configured"

    enabled = models.BooleanField(
        "streaming",
        null=True,
        blank=True,
        choices=[(None, AS_CONFIGURED), (True, "on"), (False, "off")],
        help_text="Off: answers appear only when finished.",
    )
    backend = models.CharField(
        "transport",
        max_length=10,
        blank=True,
        choices=[("", AS_CONFIGURED), ("sse", "SSE"), ("websocket", "WebSocket")],
        help_text="The transport that the pages use.",
    )
    fallback = models.BooleanField(
        "fallback transport",
        null=True,
        blank=True,
        choices=[(None, AS_CONFIGURED), (True, "with fallback"), (False, "without fallback")],
        help_text="Whether clients may use the other transport if this one can’t connect.",
    )
    message = models.CharField(
        max_length=300,
        blank=True,
        help_text="Notice shown to visitors; may be empty.",
    )
    message_from = models.DateTimeField(
        "shown from", null=True, blank=True, help_text="Empty: at once. In UTC."
    )
    message_until = models.DateTimeField(
        "shown until",
        null=True,
        blank=True,
        help_text="Empty: until it is removed. In UTC. While everything is stopped, it is also "
        "when clients are told to come back.",
    )
    paused = models.BooleanField(
        "stop everything and refuse starts",
        default=False,
        db_default=False,  # for processes of the previous version during an update
        help_text="Cancels all running answers in every process, and refuses new ones until it is "
        "off again. Visitors can still read their answers.",
    )

    objects = FollowedQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "streaming settings"

    def __str__(self) -> str:
        return "Streaming settings"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = 1
        super().save(*args, **kwargs)

    def clean(self) -> None:
        begin, end = self.message_from, self.message_until
        if begin is not None and end is not None and end <= begin:
            raise ValidationError({"message_until": "Choose a time after “shown from”."})
