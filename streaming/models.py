"""Stored data: stream rows, cancel intents, generating processes, and the admin's switches."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models

from blocks.fresh import FollowedQuerySet

RETENTION_DAYS_AT_MOST = 36_500
"""So that the cutoff date stays within Python's range."""

STATUSES = ["queued", "running", "complete", "error", "cancelled"]


class Stream(models.Model):
    """One answer: its input, its output so far, and its end.

    The row of a running stream lags behind its log by about a second. `terminal` is the terminal
    event as sent; usage and times of ended streams have their own columns.
    """

    id = models.CharField(primary_key=True, max_length=22, editable=False)
    owner = models.CharField(max_length=80, help_text="Who may see and cancel it.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,  # `stream_user_ended` begins with it
    )
    session = models.CharField(max_length=40, blank=True, default="", editable=False)
    request_id = models.CharField(max_length=36, null=True, blank=True)  # noqa: DJ001 (unique or absent)
    block_type = models.SlugField(max_length=60, db_index=False)
    model = models.CharField(max_length=200)
    prompt = models.TextField()
    options = models.JSONField(default=dict, blank=True)
    continues = models.CharField(  # noqa: DJ001 (an id or none)
        max_length=22,
        null=True,
        blank=True,
        help_text="The stream whose answer it continues; it may have been deleted since.",
    )
    earlier = models.JSONField(
        null=True,
        blank=True,
        editable=False,
        help_text="What it continues (blocks/continuation.py), until it has ended.",
    )
    sample = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",  # for processes of the previous version during an update
        help_text="The sample answer that it replays; empty: a model answers.",
    )

    status = models.CharField(
        max_length=10, default="queued", choices=[(name, name) for name in STATUSES]
    )
    text = models.TextField(blank=True, default="")
    items = models.JSONField(default=list, blank=True)
    arriving = models.JSONField(default=dict, blank=True)
    result = models.JSONField(null=True, blank=True)
    terminal = models.JSONField(null=True, blank=True)
    seq = models.BigIntegerField(
        default=-1, help_text="The last logged event that the row includes."
    )
    mark = models.BigIntegerField(
        help_text="Highest number its generator may use; numbers after a crash begin above it."
    )
    cancel_intent = models.CharField(max_length=10, blank=True, default="", db_column="cancel_wish")
    process = models.CharField(
        max_length=22,
        blank=True,
        default="",
        help_text="The process that generates it; empty: any may claim it.",
    )
    owner_key = models.CharField(
        max_length=32,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="The visitor whose limit it counts towards (streaming/admission/subjects.py).",
    )
    address_key = models.CharField(
        max_length=32,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="The same for the address that started it: a keyed hash.",
    )
    reserved_tokens = models.PositiveIntegerField(
        default=0,
        db_default=0,  # for processes of the previous version during an update
        editable=False,
        help_text="What it may use; counts towards limits of tokens while it runs.",
    )
    recoveries = models.PositiveSmallIntegerField(
        default=0, help_text="How often its process died and another one continued."
    )
    is_streaming = models.BooleanField(
        default=True, help_text="Off: its answer appears only when finished."
    )

    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ttft_ms = models.PositiveIntegerField(null=True, blank=True)
    input_tokens = models.PositiveIntegerField(null=True, blank=True)
    output_tokens = models.PositiveIntegerField(null=True, blank=True)
    usage_is_estimated = models.BooleanField(
        default=False,
        db_default=False,  # for processes of the previous version during an update
        help_text="The provider did not report its whole usage.",
    )

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "request_id"], name="one_stream_per_request")
        ]
        indexes = [
            models.Index(fields=["owner", "-created_at", "-id"], name="stream_history"),
            # One index per combination of history filters: an owner may have 100,000 rows, and the
            # few that match may be the oldest.
            models.Index(fields=["owner", "status", "-created_at", "-id"], name="stream_by_status"),
            models.Index(
                fields=["owner", "block_type", "-created_at", "-id"], name="stream_by_block"
            ),
            models.Index(
                fields=["owner", "block_type", "status", "-created_at", "-id"],
                name="stream_by_both",
            ),
            models.Index(fields=["-created_at", "-id"], name="stream_newest"),
            models.Index(
                fields=["process"],
                name="stream_unended",
                condition=models.Q(ended_at__isnull=True),
            ),
            models.Index(
                fields=["owner_key"],
                name="stream_owner_places",
                condition=models.Q(ended_at__isnull=True),
            ),
            models.Index(
                fields=["address_key"],
                name="stream_address_places",
                condition=models.Q(ended_at__isnull=True),
            ),
            # Covers the sums over the running streams of all, and of all anonymous visitors.
            models.Index(
                fields=["user", "reserved_tokens"],
                name="stream_reserved",
                condition=models.Q(ended_at__isnull=True),
            ),
            models.Index(fields=["ended_at"], name="stream_ended"),
            # Finds what is old by plan (database/old_answers.py).
            models.Index(fields=["user", "ended_at"], name="stream_user_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.block_type} {self.id}"


class CancelIntent(models.Model):
    """A cancel intent by `request_id` that arrived before its start; kept for a minute."""

    owner = models.CharField(max_length=80)
    request_id = models.CharField(max_length=36)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "streaming_cancelwish"
        constraints = [
            models.UniqueConstraint(fields=["owner", "request_id"], name="one_wish_per_request")
        ]

    def __str__(self) -> str:
        return self.request_id


class ServerProcess(models.Model):
    """A process that generates streams, with its last heartbeat (generating/liveness.py)."""

    id = models.CharField(primary_key=True, max_length=22)
    host = models.CharField(max_length=255)
    beat_at = models.DateTimeField()
    is_worker = models.BooleanField(
        default=False,
        db_default=False,  # for processes of the previous version during an update
        help_text="It generates the streams that web processes leave to workers.",
    )
    model_trouble = models.CharField(
        max_length=100,
        default="",
        db_default="",  # for processes of the previous version during an update
        help_text="What is wrong with the configured model, in a few words; empty: nothing.",
    )

    class Meta:
        verbose_name_plural = "server processes"

    def __str__(self) -> str:
        return f"{self.id} on {self.host}"


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

    objects = FollowedQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "streaming settings"

    def __str__(self) -> str:
        return "Streaming settings"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = 1
        super().save(*args, **kwargs)


class Limit(models.Model):
    """The admin's limits of one kind of subject, or of one user or group, and its retention.

    They override the environment in every process within a second, one figure at a time.
    """

    class Whose(models.TextChoices):
        USERS = "users", "each signed-in user"
        MEMBER = "member", "each member of a group"
        USER = "user", "one user"
        VISITOR = "visitor", "each anonymous visitor"
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


class TranscriptRead(models.Model):
    """A member of the staff opened a stream in the admin panel, and thus saw what was asked.

    It refers to nothing: it survives the deletion of the stream, its owner and the reader.
    """

    at = models.DateTimeField("when", db_index=True)
    reader = models.CharField("read by", max_length=254, help_text="The name at that time.")
    reader_key = models.CharField(
        "reader’s key", max_length=80, help_text="The primary key of the reader’s account."
    )
    stream_id = models.CharField("stream", max_length=22)
    owner = models.CharField("of", max_length=80, help_text="Who owned the stream at that time.")

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = "transcript read"
        verbose_name_plural = "transcripts read"

    def __str__(self) -> str:
        return f"{self.stream_id}, by {self.reader}"
