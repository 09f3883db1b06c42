"""Sites have user models of their own: primary keys may be UUIDs or texts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.support.servers.harness import clean_environment


@pytest.mark.parametrize("model", ["UuidUser", "TextUser"])
def test_everything_of_a_user_works_with_another_key(model: str, tmp_path: Path) -> None:
    environment = {
        "DJANGO_SETTINGS_MODULE": "tests.support.other_users.settings",
        "OTHER_USER": model,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.other_users.journey"],
        cwd=settings.BASE_DIR,
        env={**clean_environment(), **environment},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stdout.strip().endswith("all well"), done.stdout + done.stderr
