"""The check that reads which processes are alive."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import Tags, run_checks
from django.db import connection
from django.utils import timezone

from streaming.checks import check_company
from streaming.generating.liveness import DEAD_AFTER_SECONDS
from streaming.models import ServerProcess

pytestmark = pytest.mark.django_db


def add_process(name: str, *, silent_seconds: float = 0) -> None:
    beat_at = timezone.now() - timedelta(seconds=silent_seconds)
    ServerProcess.objects.create(id=name, host="here", beat_at=beat_at)


def warned() -> list[str]:
    found = run_checks(tags=[Tags.database], databases=["default"])
    return [str(message) for message in found if message.id == "streaming.W005"]


def test_two_living_processes_without_redis_are_a_warning(settings: Any) -> None:
    settings.REDIS_URL = ""
    add_process("a")
    add_process("dead", silent_seconds=2 * DEAD_AFTER_SECONDS)
    assert warned() == []
    add_process("b")
    (words,) = warned()
    assert "2 processes" in words and "Set REDIS_URL" in words
    assert check_company(None, databases=None) == []  # a plain `check` reads no database
    settings.REDIS_URL = "redis://127.0.0.1:6379"
    assert warned() == []


def test_before_the_first_migration_nothing_is_said(settings: Any) -> None:
    settings.REDIS_URL = ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {ServerProcess._meta.db_table}")
    assert check_company(None, databases=["default"]) == []
