"""`.env.example` and `liveai/settings.py` agree."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.documents import SETTINGS_TEXT

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")

DEFAULT_DEPENDS_ON_THE_FOLDER = {"DATABASE_URL", "AI_SCRIPTS_DIR"}
"""Commented out in .env.example, because their defaults depend on the folder."""

DUMP = """
import json, liveai.settings as settings
print(json.dumps({k: repr(v) for k, v in vars(settings).items() if k.isupper()}))
"""


def _read_by_settings() -> set[str]:
    """Return the names of the environment variables that settings.py reads."""
    tree = ast.parse((ROOT / "liveai" / "settings.py").read_text(encoding="utf-8"))
    return {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }


def _shown_in_example() -> dict[str, str]:
    """Map each name to its line in the example, `NAME=value` or `#NAME=value`."""
    lines = [line for line in EXAMPLE.splitlines() if "=" in line and not line.startswith("# ")]
    return {line.lstrip("#").partition("=")[0]: line for line in lines}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with only the settings, without a .env or a database."""
    shutil.copytree(ROOT / "liveai", tmp_path / "liveai")
    return tmp_path


def _load(checkout: Path, **environment: str) -> dict[str, str]:
    """Load the settings there in an otherwise empty environment; return name → repr."""
    run = subprocess.run(
        [sys.executable, "-c", DUMP],
        cwd=checkout,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(run.stdout)


def test_the_example_names_exactly_what_the_settings_read():
    names = _read_by_settings()
    assert len(names) > 20
    assert set(_shown_in_example()) == names


def test_every_value_of_the_example_is_the_default(checkout: Path):
    without = _load(checkout)
    (checkout / ".env").write_text(EXAMPLE, encoding="utf-8")
    assert _load(checkout) == without


def test_only_what_depends_on_the_folder_is_shown_as_a_comment():
    commented = {name for name, line in _shown_in_example().items() if line.startswith("#")}
    assert commented == DEFAULT_DEPENDS_ON_THE_FOLDER


def test_every_value_of_the_example_has_words_above_it():
    lines = EXAMPLE.splitlines()
    for line in _shown_in_example().values():
        above = lines[lines.index(line) - 1]
        assert above.startswith("#"), f"{line} has no comment"


def test_the_documents_name_exactly_what_the_settings_read():
    cells = [line.split("|")[1] for line in SETTINGS_TEXT.splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`(\w+)`", "".join(cells))) == _read_by_settings()


def test_streaming_is_off_and_sse_is_chosen_by_default():
    lines = EXAMPLE.splitlines()
    assert "AI_STREAMING_ENABLED=false" in lines
    assert "STREAMING_BACKEND=sse" in lines


def test_the_environment_wins_over_dotenv(checkout: Path):
    (checkout / ".env").write_text("AI_RETRIES=5\nSTREAMING_BACKEND=websocket\n")
    settings = _load(checkout, AI_RETRIES="7")
    assert settings["AI_RETRIES"] == "7"
    assert settings["STREAMING_BACKEND"] == "'websocket'"


def test_a_checkout_keeps_the_secret_key_that_it_made(checkout: Path):
    first = _load(checkout)["SECRET_KEY"]
    assert len(first) > 50
    assert _load(checkout)["SECRET_KEY"] == first
    assert (checkout / "var" / "secret-key").stat().st_mode & 0o077 == 0


def test_the_built_pages_are_static_files_only_if_they_are_there(checkout: Path):
    assert _load(checkout)["STATICFILES_DIRS"] == "[]"
    dist = checkout / "frontend" / "dist"
    dist.mkdir(parents=True)
    assert _load(checkout)["STATICFILES_DIRS"] == f"[('ai', {dist!r})]"


def test_vites_own_server_is_let_in_only_where_a_setting_says_so(checkout: Path):
    assert "5173" not in _load(checkout)["CONTENT_SECURITY_POLICY"]
    settings = _load(checkout, FRONTEND_DEV_SERVER="true")
    assert "ws://localhost:5173" in settings["CONTENT_SECURITY_POLICY"]
    assert "'dev_mode': True" in settings["DJANGO_VITE"]


@pytest.mark.parametrize("secret", ["$ecret-of-24-characters-$", "$HOME", "#a$b", "a'b\"c"])
def test_a_secret_is_taken_as_it_stands(checkout: Path, secret: str):
    settings = _load(checkout, AI_API_KEY=secret, DJANGO_SECRET_KEY=secret)
    assert settings["AI_API_KEY"] == settings["SECRET_KEY"] == repr(secret)


def test_numbers_and_lists_are_read_whole(checkout: Path):
    settings = _load(
        checkout,
        STREAM_DEADLINE_SECONDS="1e3",
        DJANGO_ALLOWED_HOSTS="a.example, b.example",
        DJANGO_TRUSTED_PROXIES="",
    )
    assert settings["STREAM_DEADLINE_SECONDS"] == "1000.0"
    assert settings["ALLOWED_HOSTS"] == "['a.example', 'b.example']"
    assert settings["TRUSTED_PROXIES"] == "[]"


def test_dotenv_is_read_from_an_editor_of_windows(checkout: Path):
    (checkout / ".env").write_bytes(
        b"\xef\xbb\xbfAI_MODEL = openai:llama3.2   # mine\r\nAI_API_KEY='$1#2'\r\n"
    )
    settings = _load(checkout)
    assert settings["AI_MODEL"] == "'openai:llama3.2'"
    assert settings["AI_API_KEY"] == "'$1#2'"
