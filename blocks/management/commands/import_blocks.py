"""`manage.py import_blocks`: creates and changes block types from JSON, all of them or none."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from blocks.comparison import in_words
from blocks.transfer import Entry, ImportRefused, apply, plan

SHOWN_CHARACTERS = 60


class Command(BaseCommand):
    help = "Creates and changes block types from a file of export_blocks; deletes none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="- for standard input")
        parser.add_argument(
            "--dry-run", action="store_true", help="only show what would be changed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            planned = plan(_read(options["file"]), is_bounded=False)
            for entry in planned.entries:
                self._show(entry)
            if not options["dry_run"]:
                apply(planned)
        except ImportRefused as refused:
            raise CommandError("\n".join(["Nothing was imported.", *refused.problems])) from None
        counts = f"{planned.count('new')} new, {planned.count('changed')} changed"
        done = "Would import" if options["dry_run"] else "Imported"
        self.stdout.write(f"{done}: {counts}, {planned.count('same')} as before.")

    def _show(self, entry: Entry) -> None:
        self.stdout.write(f"{entry.block.slug}: {entry.kind}")
        if entry.kind == "changed":
            for change in entry.changes:
                old, new = _short(change.old), _short(change.new)
                self.stdout.write(f"  {change.field}: {old} → {new}")
        if entry.warning:
            self.stderr.write(f"  Warning: {entry.warning}")


def _read(name: str) -> bytes:
    try:
        if name == "-":
            return sys.stdin.buffer.read()
        with open(name, "rb") as file:
            return file.read()
    except OSError as error:
        raise CommandError(f"The file can't be read: {error}") from None


def _short(value: Any) -> str:
    text = " ".join(in_words(value).split())
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
