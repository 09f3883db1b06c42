"""Rows of the admin's limits, and of the tokens that count for them."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models

from blocks.fresh import FollowedQuerySet

RETENTION_DAYS_AT_MOST = 36_500
"""So that the cutoff date stays within Python's range."""


class Limit(models.Model):
    """The admin's limits of one kind of subject, or of one user or group, and its retention.

    They override the environment in every process within a second, one figure at a time.
    """

    class Whose(models.TextChoices):
        USERS = "users", "each signed-in user"
        MEMBER = "member", "each member of a group"
        USER = "user", "one user"
        VISITOR = "visitor", "each anonymous visitor"
        AT_ADDRESS = "at_address", "the anonymous visitors of each network address together"
        ADDRESS = "address", "each network address"
        TOGETHER = "together", "a group’s members together"
        ANONYMOUS = "anonymous", "all anonymous visitors together"
        ALL = "all", "everybody together"

    WITH_RETENTION = (Whose.USERS, Whose.MEMBER, Whose.USER, Whose.VISITOR)
    """Those who own answers; the others only count together."""

    whose = models.CharField("applies to", max_length=10, choices=Whose.choices)
    group = models.ForeignKey(
        "auth.Group",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Only for the members of a group.",
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Only for one user.",
    )
    starts_per_minute = models.PositiveIntegerField(null=True, blank=True)
    starts_per_hour = models.PositiveIntegerField(null=True, blank=True)
    running = models.PositiveIntegerField("running answers", null=True, blank=True)
    tokens_per_day = models.PositiveBigIntegerField(null=True, blank=True)
    tokens_per_month = models.PositiveBigIntegerField(null=True, blank=True)
    retention_days = models.PositiveIntegerField(
        "days kept",
        null=True,
        blank=True,
        validators=[MaxValueValidator(RETENTION_DAYS_AT_MOST)],
        help_text="How many days after its end an answer is deleted.",
    )

    objects = FollowedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["whose"],
                condition=models.Q(group__isnull=True, user__isnull=True),
                name="one_limit_per_kind",
                violation_error_message="There is a limit for this already. Change that one.",
            ),
            models.UniqueConstraint(fields=["whose", "group"], name="one_limit_per_group"),
            models.UniqueConstraint(fields=["whose", "user"], name="one_limit_per_user"),
        ]

    def __str__(self) -> str:
        who = self.get_whose_display()
        name = self.group or self.user
        return who if name is None else f"{who}: {name}"


class TokenUse(models.Model):
    """The tokens that a subject has used in one day, by UTC."""

    subject = models.CharField(max_length=40)
    day = models.CharField(max_length=10)  # 2026-11-30
    writer = models.IntegerField()  # the process that counts here; the use is the sum of all
    tokens = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "token use"
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "day", "writer"], name="one_count_per_writer"
            )
        ]
        indexes = [models.Index(fields=["day"], name="token_use_day")]

    def __str__(self) -> str:
        return f"{self.subject} {self.day}"
