"""Rows of streams, of cancels that came first, and of the processes that generate."""

from __future__ import annotations

from django.conf import settings
from django.db import models

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
        db_index=False,  # `stream_user_end` begins with it
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
    code = models.CharField(  # noqa: DJ001 (null: not ended, or by the previous version)
        max_length=30, null=True, blank=True, help_text="How it ended: a reason, an error, by whom."
    )
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
    carrier = models.JSONField(
        null=True,
        blank=True,
        editable=False,
        help_text="Ids of its request, for log lines and traces (streaming/generating/spans.py).",
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
            # Each index is a page that every start or end writes, so those of running streams and
            # those of ended ones have no entries of the others. The first one also covers the sums
            # over the running streams of all; those of anonymous visitors also read the owners.
            models.Index(
                fields=["process", "user", "reserved_tokens", "owner", "ended_at"],
                name="stream_running",
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
            models.Index(
                fields=["ended_at"],
                name="stream_end",
                condition=models.Q(ended_at__isnull=False),
            ),
            models.Index(
                fields=["code", "-created_at", "-id"],
                name="stream_by_code",
                condition=models.Q(code__isnull=False),
            ),
            # These two find what is old by plan (database/old_answers.py).
            models.Index(
                fields=["user", "ended_at"],
                name="stream_user_end",
                condition=models.Q(user__isnull=False),
            ),
            models.Index(
                fields=["ended_at"],
                name="stream_visitor_end",
                condition=models.Q(user__isnull=True, ended_at__isnull=False),
            ),
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
    viewers = models.PositiveIntegerField(
        default=0,
        db_default=0,  # for processes of the previous version during an update
        help_text="Viewers at its last heartbeat, over both transports.",
    )

    class Meta:
        verbose_name_plural = "server processes"

    def __str__(self) -> str:
        return f"{self.id} on {self.host}"
