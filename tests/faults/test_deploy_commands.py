"""The steps of deploy/README.md, typed in order on a machine that is a folder.

Writes to `/etc`, `/srv` and `/opt/liveai` go to folders of the test; PostgreSQL and Redis are real.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.documents import DEPLOY, Block
from tests.support.faults.missing import skip_loudly
from tests.support.faults.postgres_server import PostgresServer
from tests.support.faults.redis_server import RedisServer
from tests.support.script_copy import put_program
from tests.support.servers.harness import ROOT, clean_environment
from tests.support.terminal import Terminal

NAME = "ask.liveai.test"
PASSWORD = "a-password-4711"

NOT_RUN = {
    "apt-get install -y --no-install-recommends git nginx-light postgresql redis-server"
    " python3-venv": "changes the machine, needs a network",
    "useradd --system --user-group --home-dir /opt/liveai --shell /usr/sbin/nologin liveai":
        "changes the machine",
    "python3 -m venv .venv": "tests/test_scripts.py makes environments",
    ".venv/bin/python -m pip install -r requirements.txt -r requirements-node.txt":
        "needs a network; test_deploy.py knows that the files exist",
    "npm --prefix frontend ci": "needs a network",
    "npm --prefix frontend run build": "takes a minute; scripts/test does it before the tests",
    "systemctl restart redis-server": "no systemd here; test_deploy.py starts one with the file",
    "systemctl daemon-reload": "no systemd here; test_deploy.py has the units checked",
    "systemctl enable --now liveai.target liveai-web@8001 liveai-web@8002": "likewise",
    "systemctl enable --now liveai-worker@1": "likewise",
    "nginx -t && systemctl reload nginx":
        "no systemd here; tests/faults/test_nginx_tls.py runs nginx with the file",
    "apt-get install -y certbot": "changes the machine, needs a network",
    "certbot certonly --webroot -w /var/www/html -d YOUR-NAME --deploy-hook"
    " 'systemctl reload nginx'": "needs a name in the DNS",
    "curl -N 'https://ai.example.org/api/stream/ai-block/ask-question"
    "?prompt=Why+is+the+sky+blue%3F'": "needs a name in the DNS; test_readme.py asks the same here",
    "curl -s http://127.0.0.1:8001/readyz":
        "systemd would have started it; tests/streaming/http/test_health.py asks the same",
    "curl -s -H \"Authorization: Bearer $METRICS_TOKEN\" http://127.0.0.1:8001/metrics":
        "likewise; tests/servers/test_metrics.py asks the same",
    "git pull && .venv/bin/python -m pip install -r requirements.txt"
    " && npm --prefix frontend run build": "needs a network",
    "deploy/rolling-restart web@8001 web@8002 worker@1":
        "no systemd here; test_deploy_restart.py runs it with a stand-in",
}  # fmt: skip

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


def _commands() -> list[str]:
    blocks: list[Block] = [block for block in DEPLOY if block.language == "sh"]
    return [command for block in blocks for command in block.commands]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder that replaces `/`, with the files of the packages and the checkout."""
    for folder in (
        "etc/redis",
        "etc/systemd/system",
        "etc/nginx/conf.d",
        "etc/nginx/sites-enabled",
    ):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "etc/redis/redis.conf").touch()
    (tmp_path / "etc/nginx/sites-enabled/default").touch()
    project = tmp_path / "opt/liveai"
    skip = shutil.ignore_patterns("__pycache__", "node_modules")
    for name in ("liveai", "frontend", "streaming", "blocks", "specs", "deploy"):
        shutil.copytree(ROOT / name, project / name, ignore=skip)
    shutil.copy(ROOT / "manage.py", project)
    (project / ".venv").symlink_to(sys.prefix)
    return tmp_path


@pytest.fixture
def terminal(
    machine: Path,
    postgres: PostgresServer,
    redis_server: RedisServer,
) -> Iterator[Terminal]:
    for program in ("createuser", "createdb", "psql"):
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


def _here(command: str, machine: Path) -> str:
    """Adapt a command to the test's folders and user."""
    command = re.sub(r"\brunuser -u \w+ -- ", "", command)
    command = re.sub(r"(?<=^install )(-d )?-o \w+ -g \w+", lambda m: m[1] or "", command)
    command = re.sub(r"(?<![\w.])/(etc|srv|opt)(?=/)", rf"{machine}/\1", command)
    return command.replace("YOUR-NAME", NAME)


def test_each_command_that_is_not_run_is_one_of_the_page() -> None:
    """The test below runs every new command, unless this list excludes it with a reason."""
    assert set(NOT_RUN) <= set(_commands())


def test_the_steps_set_up_a_machine_and_roll_out_a_version(
    terminal: Terminal, machine: Path
) -> None:
    shown = {}
    for command in _commands():
        if command not in NOT_RUN:
            answers = next((asked for word, asked in ASKED.items() if word in command.split()), [])
            shown[command] = terminal.run(_here(command, machine), answers)

    project, conf = machine / "opt/liveai", machine / "etc/nginx/conf.d/liveai.conf"
    assert _mode(project / "var") == 0o750
    assert _mode(machine / "etc/liveai/env") == 0o640
    assert os.path.samefile(project / ".env", machine / "etc/liveai/env")
    assert "include" in (machine / "etc/redis/redis.conf").read_text()
    assert (machine / "etc/systemd/system/liveai-web@.service").is_file()
    assert (machine / "srv/liveai/static/admin/css/base.css").is_file()
    assert f"server_name {NAME}" in conf.read_text() and "# TLS" not in conf.read_text()
    assert not (machine / "etc/nginx/sites-enabled/default").exists()
    checks = [words for command, words in shown.items() if "manage.py check" in command]
    assert checks and all("System check identified no issues" in words for words in checks)
    (unended,) = [words for command, words in shown.items() if "psql" in command]
    assert "(0 rows)" in unended
    admins = terminal.run("psql liveai -tc 'SELECT username FROM auth_user WHERE is_superuser'")
    assert admins.strip() == "admin"


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
