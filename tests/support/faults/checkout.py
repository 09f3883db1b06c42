"""A site's own folder with the project, as `git checkout` leaves it; and the next version of it.

The next version has a migration of the allowed kind, and code that uses the new column. It replaces
the files while processes of the version before run from the same folder, as on a real machine.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.servers.harness import ENVIRONMENT, ROOT, clean_environment

PARTS = ("liveai", "operating", "frontend", "streaming", "blocks", "deploy")
_NOT = shutil.ignore_patterns("node_modules", "dist", "src", "browser", "tests")

COLUMN = "made_by"
NEXT = "next"
"""What the next version writes into the column; NULL: the version before made the row."""

_FIELD = f"    {COLUMN} = models.CharField(max_length=10, null=True, default={NEXT!r})\n"
_MIGRATION = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("streaming", "{newest}")]
    operations = [
        migrations.AddField("stream", "{column}", models.CharField(max_length=10, null=True)),
    ]
"""


class Checkout:
    """The folder. `wrapper` and `environment` make a `Server` run from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        shutil.copy(ROOT / "manage.py", folder)
        for part in PARTS:
            shutil.copytree(ROOT / part, folder / part, ignore=_NOT)

    @property
    def wrapper(self) -> list[str]:
        return ["bash", "-c", 'cd "$0" && exec "$@"', str(self.folder)]

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self.folder)}

    def check_out_next_version(self) -> None:
        """Replace the files. Running processes are told nothing."""
        migrations = self.folder / "streaming" / "migrations"
        newest = sorted(path.stem for path in migrations.glob("0*.py"))[-1]
        text = _MIGRATION.format(newest=newest, column=COLUMN)
        (migrations / f"{int(newest[:4]) + 1:04}_next_version.py").write_text(text)
        models = self.folder / "streaming" / "models" / "streams.py"
        written = models.read_text("utf-8")
        changed = re.sub(r"(?m)^    recoveries = ", f"{_FIELD}    recoveries = ", written, count=1)
        assert changed != written
        models.write_text(changed, "utf-8")

    def manage(self, *words: str, environment: Mapping[str, str]) -> None:
        """Run `manage.py` of the version that is checked out.

        Raises:
            AssertionError: it failed; the message is its output.
        """
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=self.folder,
            env={**clean_environment(), **ENVIRONMENT, **environment, **self.environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
