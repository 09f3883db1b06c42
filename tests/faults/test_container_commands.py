"""The commands of `docs/operate/containers.md`, typed in order. Docker and certbot have stand-ins.

PostgreSQL's programs are real: what is typed into its container runs here.
"""

from __future__ import annotations

import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.deploy import DEPLOY, SITE, on_machine
from tests.support.documents import DOCS, blocks_of
from tests.support.faults.missing import skip_loudly
from tests.support.faults.postgres_server import PostgresServer
from tests.support.script_copy import put_program
from tests.support.servers.harness import clean_environment
from tests.support.terminal import Terminal

DATABASE = "of_containers"

DOCKER = f"""#!/usr/bin/env bash
echo "$*" >>"$HOME/docker.log"
case "$*" in
"compose exec -T postgres "*)
    words=()
    for word in "${{@:5}}"; do words+=("${{word/#liveai/{DATABASE}}}"); done
    [ "${{words[1]}}" != --username ] || words[2]=postgres
    exec "${{words[@]/--dbname=liveai/--dbname={DATABASE}}}" ;;
"compose logs "*) echo "2026-11-30 16:44:13,120 WARNING streaming.consumers: A WebSocket" ;;
esac
"""
"""The container's database and its owner have other names here: other tests share the server."""

CERTBOT = """#!/usr/bin/env bash
while [ $# -gt 0 ]; do
    if [ "$1" = --deploy-hook ]; then
        echo renewed >"$RENEWED_LINEAGE/fullchain.pem"
        sh -c "$2"
    fi
    shift
done
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout, and a certificate of which certbot shows links."""
    live = tmp_path / "etc/letsencrypt/live" / SITE
    live.mkdir(parents=True)
    for name in ("fullchain.pem", "privkey.pem"):
        (tmp_path / name).write_text("first\n")
        (live / name).symlink_to(tmp_path / name)
    checkout = tmp_path / "checkout"
    (checkout / "deploy").mkdir(parents=True)
    shutil.copy(DEPLOY / "env.example", checkout / "deploy")
    return checkout


@pytest.fixture
def terminal(checkout: Path, postgres: PostgresServer) -> Iterator[Terminal]:
    for program in ("createdb", "dropdb", "pg_dump", "pg_restore", "psql"):
        if shutil.which(program) is None:
            skip_loudly(f"no {program} on this machine. On Debian: apt install postgresql-client")
    home = checkout.parent
    (home / "bin").mkdir()
    put_program(home / "bin/docker", DOCKER)
    put_program(home / "bin/certbot", CERTBOT)
    environment = clean_environment()
    environment |= {
        "HOME": str(home),
        "PATH": f"{home}/bin:{environment['PATH']}",
        "RENEWED_LINEAGE": str(home / "etc/letsencrypt/live" / SITE),
        "PGHOST": "127.0.0.1",
        "PGPORT": str(postgres.port),
        "PGUSER": "postgres",
        "PAGER": "",
    }
    with Terminal(checkout, environment) as terminal:
        terminal.run(f"createdb {DATABASE}")
        terminal.run(f"psql {DATABASE} -c \"SELECT 'as it was' AS word INTO words\"")
        yield terminal
        terminal.run(f"dropdb --force {DATABASE}")


def test_the_commands_set_up_renew_back_up_restore_and_change_the_key(
    terminal: Terminal, checkout: Path
) -> None:
    keys: list[tuple[str, str]] = []
    shown = {}
    for block in blocks_of(DOCS / "operate" / "containers.md"):
        for command in block.commands if block.language == "sh" else []:
            words = {"YOUR-NAME": SITE, "BACKUP": next((d.stem for d in _dumps(checkout)), "")}
            shown[command] = terminal.run(on_machine(command, checkout.parent, words))
            if "pg_dump" in command:  # what happens after the back-up must not survive
                terminal.run(f"psql {DATABASE} -c \"UPDATE words SET word = 'changed'\"")
            keys.append(_keys(checkout))

    assert stat.S_IMODE((checkout / ".env").stat().st_mode) == 0o600
    certificate = checkout / "certificate"
    assert not any(path.is_symlink() for path in certificate.iterdir())
    assert (certificate / "fullchain.pem").read_text() == "renewed\n"
    assert (certificate / "privkey.pem").read_text() == "first\n"
    assert len(_dumps(checkout)) == len(list(checkout.glob("before-restore-*.dump"))) == 1
    assert not list(checkout.glob("*.part"))
    assert "as it was" in terminal.run(f"psql {DATABASE} -tc 'SELECT word FROM words'")
    first, new = "CHANGE-ME", keys[-1][0]
    assert re.fullmatch(r"[0-9a-f]{64}", new)
    steps = [pair for n, pair in enumerate(keys) if n == 0 or pair != keys[n - 1]]
    assert steps == [(first, ""), (first, new), (new, first), (new, "")]
    (warnings,) = [words for command, words in shown.items() if "grep" in command]
    assert "WARNING streaming.consumers" in warnings
    calls = (checkout.parent / "docker.log").read_text("utf-8").splitlines()
    assert calls.index("compose stop") < _last(calls, "dropdb") < _last(calls, "run --rm setup")


def _dumps(checkout: Path) -> list[Path]:
    return list(checkout.glob("liveai-????-??-??-??????.dump"))


def _keys(checkout: Path) -> tuple[str, str]:
    """Return the key that signs, and the other one that is accepted, as `.env` says."""
    text = (checkout / ".env").read_text("utf-8")
    found = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
    return found["DJANGO_SECRET_KEY"], found.get("DJANGO_SECRET_KEY_FALLBACKS", "")


def _last(calls: list[str], words: str) -> int:
    return max(n for n, call in enumerate(calls) if words in call)
