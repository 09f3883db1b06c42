"""The steps of `docs/operate/`, typed in order on a machine that is a folder.

Writes to `/etc`, `/srv`, `/opt/liveai` and `/var/backups` go to folders of the test; git,
PostgreSQL and Redis are real.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.deploy import STOOD_IN, make_repository, on_machine
from tests.support.documents import DEPLOY, DOCS, blocks_of
from tests.support.faults.missing import skip_loudly
from tests.support.faults.postgres_server import PostgresServer
from tests.support.faults.redis_server import RedisServer
from tests.support.script_copy import put_program
from tests.support.servers.harness import ROOT, clean_environment
from tests.support.terminal import Terminal

NAME = "ask.liveai.test"
PASSWORD = "a-password-4711"

NOT_RUN = {
    "apt-get install -y --no-install-recommends \\\n"
    "  certbot curl git nginx-light postgresql redis-server python3-venv":
        "changes the machine, needs a network",
    "useradd --system --user-group --home-dir /opt/liveai --shell /usr/sbin/nologin liveai":
        "changes the machine",
    "certbot certonly --webroot -w /var/www/html -d YOUR-NAME --deploy-hook"
    " 'systemctl reload nginx'": "needs a name in the DNS",
    "systemctl restart redis-server": "no systemd here; test_deploy.py starts one with the file",
    "systemctl daemon-reload": "no systemd here; test_deploy.py has the units checked",
    "systemctl enable --now liveai.target liveai-web@8001 liveai-web@8002": "likewise",
    "systemctl enable --now liveai-worker@1 liveai-worker@2": "likewise",
    "systemctl enable --now liveai-back-up.timer": "likewise",
    "systemctl stop liveai.target": "no systemd here; nothing is running",
    "systemctl start liveai.target": "likewise",
    "nginx -t && systemctl reload nginx":
        "no systemd here; tests/faults/test_nginx_tls.py runs nginx with the file",
    "curl -N 'https://ai.example.org/api/stream/ai-block/ask-question"
    "?prompt=Why+is+the+sky+blue%3F'": "needs a name in the DNS; test_readme.py asks the same here",
    "curl -s http://127.0.0.1:8001/readyz":
        "systemd would have started it; tests/streaming/http/test_health.py asks the same",
    "curl -s -H \"Authorization: Bearer $token\" http://127.0.0.1:8001/metrics":
        "likewise; tests/servers/test_metrics.py asks the same",
    "deploy/rolling-restart web@8001 web@8002 worker@1 worker@2":
        "no systemd here; tests/guides/test_operate.py runs it with a stand-in",
    "systemctl restart liveai.target": "likewise",
}  # fmt: skip

APART = {
    "SQLite",
    "First, all processes accept the new key",
    "Then it signs",
    "After two weeks, the old key is forgotten",
    "A key that leaked",
}
"""Headings whose commands have a test of their own: below, or in tests/guides/test_operate.py."""

VERSIONS = {"3. The project": "v0.1.0", "Roll out a version": "v0.2.0"}
"""Heading → the version that its commands check out."""

ASKED = {
    "createuser": [("Enter password for new role: ", PASSWORD), ("Enter it again: ", PASSWORD)],
    "createsuperuser": [
        ("): ", "admin"),
        ("Email address: ", ""),
        ("Password: ", PASSWORD),
        ("Password (again): ", PASSWORD),
    ],
}
"""Word of a command → its prompt, and the input typed."""

KEY = "Zy7-a-key-of-this-test-alone-4mQx81_kPq2vTn0sWb-93hd-LmXc"
EDITOR = """#!/usr/bin/env bash
sed -i -E \\
    -e 's#^DATABASE_URL=.*#DATABASE_URL={database}#' \\
    -e 's#^REDIS_URL=.*#REDIS_URL={redis}#' \\
    -e 's#^DJANGO_SECRET_KEY=.*#DJANGO_SECRET_KEY={key}#' \\
    -e 's#(ai|api|mail)[.]example[.]org#{name}#' \\
    -e 's#CHANGE-ME|PASSWORD#{password}#; s#NAME#a-model#' "$1"
"""


def _commands() -> list[tuple[str, str]]:
    """Return each command of the page, with its heading."""
    containers = blocks_of(DOCS / "operate" / "containers.md")  # test_container_commands.py
    blocks = [each for each in DEPLOY if each.language == "sh" and each not in containers]
    return [(block.heading, command) for block in blocks for command in block.commands]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "repository")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder that replaces `/`, with the files of the packages."""
    for folder in (
        "etc/redis",
        "etc/systemd/system",
        "etc/nginx/conf.d",
        "etc/nginx/sites-enabled",
        "opt",
        "var/backups",
    ):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "etc/redis/redis.conf").touch()
    (tmp_path / "etc/nginx/sites-enabled/default").touch()
    return tmp_path


@pytest.fixture
def terminal(
    machine: Path,
    postgres: PostgresServer,
    redis_server: RedisServer,
) -> Iterator[Terminal]:
    for program in ("createuser", "createdb", "dropdb", "pg_dump", "pg_restore", "psql"):
        if shutil.which(program) is None:
            skip_loudly(f"no {program} on this machine. On Debian: apt install postgresql-client")
    database = f"postgres://liveai:{PASSWORD}@127.0.0.1:{postgres.port}/liveai"
    filled_in = EDITOR.format(
        database=database, redis=redis_server.url, password=PASSWORD, name=NAME, key=KEY
    )
    put_program(machine / "editor", filled_in)
    environment = {
        **clean_environment(),
        "HOME": str(machine),
        "EDITOR": str(machine / "editor"),
        "PGHOST": "127.0.0.1",
        "PGPORT": str(postgres.port),
        "PGUSER": "postgres",
        "PAGER": "",
    }
    with Terminal(machine, environment) as terminal:
        yield terminal


def _here(command: str, heading: str, machine: Path) -> str:
    filled_in = {
        "YOUR-NAME": NAME,
        "REPOSITORY": str(machine / "repository"),
        "VERSION": VERSIONS.get(heading, ""),
        "BACKUP": next((path.stem for path in _dumps(machine)), ""),
    }
    return on_machine(command, machine, filled_in)


def test_each_command_that_is_not_run_is_one_of_the_page() -> None:
    """The test below runs every new command, unless this list excludes it with a reason."""
    assert {*NOT_RUN, *STOOD_IN} <= {command for _, command in _commands()}
    assert APART | set(VERSIONS) <= {heading for heading, _ in _commands()}


@pytest.mark.timeout(300)
def test_the_steps_set_up_a_machine_roll_out_a_version_and_restore_a_backup(
    repository: Path, terminal: Terminal, machine: Path
) -> None:
    shown = {}
    for heading, command in _commands():
        if command in NOT_RUN or heading in APART:
            continue
        answers = next((asked for word, asked in ASKED.items() if word in command.split()), [])
        shown[command] = terminal.run(_here(command, heading, machine), answers)
        if command.endswith("/back-up /var/backups/liveai"):
            # What happens after the back-up must not survive.
            terminal.run("psql liveai -c \"UPDATE auth_user SET username = 'somebody-else'\"")

    assert len(_dumps(machine)) == 1
    # Repeated after a restore that failed, the steps overwrite nothing.
    assert len(list(machine.glob("var/backups/liveai/before-restore-*-??????.dump"))) == 1
    project, conf = machine / "opt/liveai", machine / "etc/nginx/conf.d/liveai.conf"
    assert (project / "only-in-the-second-version").is_file()
    assert _mode(project / "var") == 0o750
    assert _mode(machine / "etc/liveai/env") == 0o640
    assert os.path.samefile(project / ".env", machine / "etc/liveai/env")
    assert "include" in (machine / "etc/redis/redis.conf").read_text()
    assert (machine / "etc/systemd/system/liveai-web@.service").is_file()
    assert (machine / "srv/liveai/static/admin/css/base.css").is_file()
    assert f"server_name {NAME}" in conf.read_text() and "# TLS" not in conf.read_text()
    assert not (machine / "etc/nginx/sites-enabled/default").exists()
    assert _mode(machine / "var/backups/liveai") == 0o700
    checks = [words for command, words in shown.items() if "manage.py check" in command]
    assert checks and all("System check identified no issues" in words for words in checks)
    (unended,) = [words for command, words in shown.items() if "psql" in command]
    assert "(0 rows)" in unended
    admins = terminal.run("psql liveai -tc 'SELECT username FROM auth_user WHERE is_superuser'")
    assert admins.strip() == "admin"
    # A restored database belongs to the site's role, which migrates it next time.
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
    assert terminal.run(f'psql liveai -tc "{owners}"').strip() == "liveai"
    assert "No migrations to apply" in terminal.run(".venv/bin/python manage.py migrate")


def test_a_copy_of_a_sqlite_file_that_is_in_use_can_be_restored(
    template: Path, tmp_path: Path
) -> None:
    if shutil.which("sqlite3") is None:
        skip_loudly("no sqlite3 on this machine. On Debian: apt install sqlite3")
    path = tmp_path / "var" / "db.sqlite3"
    path.parent.mkdir()
    shutil.copy(template, path)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "manage.py").symlink_to(ROOT / "manage.py")
    environment = {
        **clean_environment(),
        "DATABASE_URL": f"sqlite:///{path}",
        "PYTHONPATH": str(ROOT),
    }
    commands = [command for heading, command in _commands() if heading == "SQLite"]
    back_up, restore = commands[:2], commands[2:]
    with (
        Terminal(tmp_path, environment) as terminal,
        closing(sqlite3.connect(path)) as site,
    ):
        site.execute("PRAGMA journal_mode=WAL")
        site.execute("UPDATE auth_user SET username = 'in-the-copy'")
        site.commit()
        (tmp_path / "backup.part").write_text("of one that was killed")
        for command in back_up:
            terminal.run(command)
        (copy,) = tmp_path.glob("backup-*.sqlite3")
        assert _mode(copy) == 0o600  # it contains prompts
        site.execute("UPDATE auth_user SET username = 'after-the-copy'")
        site.commit()
        shutil.copytree(path.parent, tmp_path / "as-if-killed")
    # A server that is killed leaves the file of its latest changes, which is not the copy's.
    shutil.copytree(tmp_path / "as-if-killed", path.parent, dirs_exist_ok=True)
    assert (tmp_path / "var" / "db.sqlite3-wal").stat().st_size > 0
    with Terminal(tmp_path, environment) as terminal:
        for command in restore:
            terminal.run(command.replace("BACKUP", copy.stem))
    with closing(sqlite3.connect(path)) as site:
        assert site.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert site.execute("SELECT username FROM auth_user").fetchall() == [("in-the-copy",)]


def _dumps(machine: Path) -> list[Path]:
    return list(machine.glob("var/backups/liveai/2*.dump"))


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
