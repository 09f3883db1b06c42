"""Checks of the places that the site writes to; tests/faults/test_read_only.py has real disks."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest

from liveai.writable import can_write, check_database_file, check_temporary_folder, check_var

SQLITE = "django.db.backends.sqlite3"


def _ids(found: Any) -> list[str | None]:
    messages = list(found)
    assert all(message.hint for message in messages)
    return [message.id for message in messages]


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("db.sqlite3", []),
        ("new.sqlite3", []),
        ("missing/db.sqlite3", ["liveai.E004"]),
        ("folder", ["liveai.E004"]),
        ("db.sqlite3/db.sqlite3", ["liveai.E004"]),
    ],
)
def test_a_database_file_needs_a_folder_that_can_be_written(
    settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, ids: list[str]
) -> None:
    (tmp_path / "db.sqlite3").touch()
    (tmp_path / "folder").mkdir()
    database = {"ENGINE": SQLITE, "NAME": str(tmp_path / name)}
    monkeypatch.setitem(settings.DATABASES, "default", database)
    assert _ids(check_database_file(None)) == ids


def test_the_files_of_a_link_are_beside_its_target(
    settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    link = tmp_path / "link.sqlite3"
    link.symlink_to(tmp_path / "missing" / "db.sqlite3")
    monkeypatch.setitem(settings.DATABASES, "default", {"ENGINE": SQLITE, "NAME": str(link)})
    assert _ids(check_database_file(None)) == ["liveai.E004"]


def test_another_database_needs_no_file(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    database = {"ENGINE": "django.db.backends.postgresql", "NAME": "no/such/folder"}
    monkeypatch.setitem(settings.DATABASES, "default", database)
    assert _ids(check_database_file(None)) == []


def test_var_may_be_made_later_but_not_below_a_file(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings.VAR_DIR = tmp_path / "var"
    assert _ids(check_var(None)) == []
    settings.VAR_DIR = tmp_path / "file" / "var"
    assert _ids(check_var(None)) == ["liveai.W004"]


@pytest.mark.parametrize(
    ("model", "ids"), [("local:smollm2-135m", ["liveai.W005"]), ("openai:small", [])]
)
def test_only_a_local_model_needs_a_temporary_folder(
    settings: Any, monkeypatch: pytest.MonkeyPatch, model: str, ids: list[str]
) -> None:
    def find() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    settings.AI_MODEL = model
    assert _ids(check_temporary_folder(None)) == []
    monkeypatch.setattr(tempfile, "gettempdir", find)
    assert _ids(check_temporary_folder(None)) == ids


def test_a_new_file_needs_a_folder_above_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert can_write(tmp_path / "file")
    assert can_write(tmp_path / "a" / "b" / "c")
    assert not can_write(tmp_path / "file" / "a")
