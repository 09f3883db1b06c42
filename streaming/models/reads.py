"""Rows of what staff have read.

They refer to nothing: they survive the deletion of the streams, their owner and the reader.
"""

from __future__ import annotations

from django.db import models

LIST, SEARCH = "list", "search"


class StaffRecord(models.Model):
    """When a member of the staff saw what was asked, and who that was."""

    at = models.DateTimeField("when", db_index=True)
    reader = models.CharField("read by", max_length=254, help_text="The name at that time.")
    reader_key = models.CharField(
        "reader’s key", max_length=80, help_text="The primary key of the reader’s account."
    )

    class Meta:
        abstract = True
        ordering = ["-at", "-id"]


class TranscriptRead(StaffRecord):
    """A member of the staff opened a stream in the admin panel."""

    stream_id = models.CharField("stream", max_length=22)
    owner = models.CharField("of", max_length=80, help_text="Who owned the stream at that time.")

    class Meta(StaffRecord.Meta):
        verbose_name = "transcript read"
        verbose_name_plural = "transcripts read"

    def __str__(self) -> str:
        return f"{self.stream_id}, by {self.reader}"


class ListRead(StaffRecord):
    """A member of the staff opened the list of streams, which shows how prompts begin, or searched
    it by words. The words are kept nowhere: they may be somebody's, and would outlive the prompt.
    """

    what = models.CharField(
        "what",
        max_length=10,
        choices=[(LIST, "opened the list"), (SEARCH, "searched by words")],
        help_text="The list is recorded once an hour, each search by itself.",
    )
    owner = models.CharField(
        "of", max_length=80, blank=True, help_text="Whose streams, if it was one owner’s list."
    )

    class Meta(StaffRecord.Meta):
        verbose_name = "list read or searched"
        verbose_name_plural = "lists read and searched"

    def __str__(self) -> str:
        return f"{self.get_what_display()}, {self.reader}"
