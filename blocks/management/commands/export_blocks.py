"""`manage.py export_blocks`: writes block types as JSON."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from blocks.models import BlockType
from blocks.transfer import export


class Command(BaseCommand):
    help = "Writes block types as JSON, which import_blocks and the admin read."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slugs", nargs="*", metavar="SLUG", help="default: all block types")
        parser.add_argument("--output", metavar="FILE", type=Path, help="default: standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        blocks = BlockType.objects.all()
        if slugs := options["slugs"]:
            blocks = blocks.filter(slug__in=slugs)
            if missing := sorted(set(slugs) - {block.slug for block in blocks}):
                raise CommandError(f"No such block type: {', '.join(missing)}")
        text = export(blocks)
        if options["output"] is None:
            self.stdout.write(text, ending="")
            return
        try:
            options["output"].write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"The file can't be written: {error}") from None
        self.stderr.write(f"Exported: {len(blocks)}.")
