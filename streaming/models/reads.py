"""Rows of what staff have read."""

from __future__ import annotations

from django.db import models


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
