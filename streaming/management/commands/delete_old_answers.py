"""`manage.py delete_old_answers`: deletes the answers whose time is over, or counts them."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from streaming.database.batches import PAUSE_SECONDS
from streaming.database.old_answers import Expired, OldAnswers, find_expired


class Command(BaseCommand):
    help = (
        "Deletes the ended answers that are older than their plan allows (STREAM_RETENTION_DAYS, "
        "and the limits in the admin panel). The server does the same every minute."
    )
    requires_system_checks = "__all__"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Only say, for each plan, how many answers would go, and when they ended.",
        )

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        found = find_expired()
        for expired in found:
            self.stdout.write(_line(expired))
        if dry_run:
            total = sum(expired.count for expired in found)
            self.stdout.write(f"{_answers(total)} would be deleted. Nothing was.")
            return
        old = OldAnswers()
        while old.delete_some():
            time.sleep(PAUSE_SECONDS)  # so that the server can write, too
        self.stdout.write(f"{_answers(old.deleted)} deleted.")


def _line(expired: Expired) -> str:
    line = f"{expired.plan.name}, kept {expired.plan.in_words}: {_answers(expired.count)}"
    if expired.first is None or expired.last is None:
        return line
    return f"{line}, ended {expired.first:%Y-%m-%d} to {expired.last:%Y-%m-%d} (UTC)"


def _answers(count: int) -> str:
    return f"{count:,} answer{'' if count == 1 else 's'}"
