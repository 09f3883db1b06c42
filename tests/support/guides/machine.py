"""The machine of `docs/operate/`: a folder with the project, settings and running processes.

Its settings are those of `deploy/env.example`: a host name, HTTPS alone, and nobody without an
account. Two web processes, two workers, Redis, nginx with TLS and a model are real. systemd is
`systemctl.py`; git's, PyPI's and npm's servers are stood in for as in `tests/support/deploy.py`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.canaries import canaries_in
from tests.support.deploy import DEPLOY, SITE, example_settings, make_repository, on_machine
from tests.support.faults.certificate import make_certificate
from tests.support.faults.missing import skip_loudly
from tests.support.faults.nginx_server import NGINX, NO_NGINX, running_nginx
from tests.support.faults.redis_server import free_port, running_redis
from tests.support.faults.upstream_server import UpstreamServer, running_upstream
from tests.support.guides import systemctl
from tests.support.guides.steps import Command
from tests.support.script_copy import put_program
from tests.support.servers.harness import NO_LIMITS, ROOT, Database, clean_environment
from tests.support.terminal import Terminal

START_SECONDS = 60.0
OBEY_SECONDS = 10.0
COMMAND_SECONDS = 240.0  # a roll-out restarts four processes, one after the other
DRAIN_SECONDS = 1
FIRST_KEY = "canarysigning-of-a-machine-0f3b-which-is-long-enough-to-sign"


class Machine:
    """Types documented commands where they belong, and knows the processes.

    Args:
        folder: replaces `/`.
        upstream: the model.
        ports: of the web processes, for the documented 8001 and 8002.
    """

    url = ""
    """Where nginx serves the site, once it runs."""

    def __init__(
        self, folder: Path, database: Database, upstream: UpstreamServer, ports: list[int]
    ) -> None:
        self.folder = folder
        self.database = database
        self.upstream = upstream
        self.ports = ports
        self.units = systemctl.Units(folder)
        self._terminal: Terminal | None = None

    @property
    def settings(self) -> dict[str, str]:
        """What `/etc/liveai/env` says now."""
        text = (self.folder / "etc/liveai/env").read_text("utf-8")
        return dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))

    def type(self, command: Command) -> str:
        """Type a command of a page, and return what it printed.

        Repeats it until it prints what the page says.

        Raises:
            AssertionError: it failed, or did not print that within `OBEY_SECONDS`.
        """
        assert self._terminal is not None
        ports = dict(zip(("8001", "8002"), map(str, self.ports), strict=True))
        text = on_machine(command.text, self.folder, {**ports, "YOUR-NAME": SITE})
        deadline = time.monotonic() + OBEY_SECONDS
        shown = self._terminal.run(text)
        while missing := _missing(command.shows, shown):
            assert time.monotonic() < deadline, f"{text}\nprinted no {missing!r}:\n{shown}"
            time.sleep(0.1)  # processes obey within a second, and announce nothing
            shown = self._terminal.run(text)
        return shown

    def manage(self, *words: str) -> None:
        """Run `manage.py` with the settings of the machine."""
        command = [str(self.folder / "opt/liveai/.venv/bin/python"), "manage.py", *words]
        folder = self.folder / "opt/liveai"
        subprocess.run(command, cwd=folder, env=clean_environment(), check=True)

    def wait(self) -> None:
        """Wait until all web processes listen.

        Raises:
            AssertionError: one does not, within `START_SECONDS`.
        """
        for port in self.ports:
            self._wait_for(port)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start the processes, and open a terminal. At the end, none is left."""
        names: list[str] = [f"liveai-web@{port}" for port in self.ports]
        names += ["liveai-worker@1", "liveai-worker@2"]
        try:
            start = [f"{self.folder}/bin/systemctl", "start", *names]
            subprocess.run(start, check=True)
            self.wait()
            environment = {
                **clean_environment(),
                "HOME": str(self.folder),
                "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
                "PAGER": "",
            }
            project = self.folder / "opt/liveai"
            with Terminal(project, environment, limit_seconds=COMMAND_SECONDS) as self._terminal:
                yield
        finally:
            for name in self.units.all():
                self.units.stop(name)
        said = {name: self.units.log(name).read_text("utf-8", "replace") for name in names}
        for name, words in said.items():
            assert "Traceback" not in words, f"{name} said:\n{words}"
            assert not canaries_in(words, FIRST_KEY), f"{name} has printed a secret"

    def _wait_for(self, port: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            time.sleep(0.02)
        raise AssertionError(self.units.log(f"liveai-web@{port}").read_text("utf-8", "replace"))


def _missing(expected: str, shown: str) -> str:
    """Return the first expected line that was not printed after the ones before; or none."""
    rest = shown
    for line in expected.splitlines():
        pattern = ".*".join(re.escape(part) for part in line.split("…"))
        found = re.search(pattern, rest)
        if found is None:
            return line
        rest = rest[found.end() :]
    return ""


@contextmanager
def running_machine(template: Path, folder: Path) -> Iterator[Machine]:
    """Install the project on a new machine, as `docs/operate/install.md` does, and start it.

    Args:
        template: a migrated SQLite file, with the account `admin`.
    """
    if NGINX is None:
        skip_loudly(NO_NGINX)
    for name in ("etc/liveai", "etc/systemd", "opt", "var/backups", "srv/liveai/static", "bin"):
        (folder / name).mkdir(parents=True)
    make_repository(folder / "repository")
    project = folder / "opt/liveai"
    clone = ["git", "clone", "-q", "--branch", "v0.1.0", f"{folder}/repository", str(project)]
    subprocess.run(clone, check=True, capture_output=True)
    (project / "var").mkdir()
    (project / ".venv").symlink_to(sys.prefix)
    (project / ".env").symlink_to(folder / "etc/liveai/env")
    shutil.copytree(DEPLOY / "systemd", folder / "etc/systemd/system")
    dist = ROOT / "frontend" / "dist"
    if dist.is_dir():
        shutil.copytree(dist, project / "frontend" / "dist")
    script = [sys.executable, str(Path(systemctl.__file__)), str(folder)]
    put_program(folder / "bin" / "systemctl", f'#!/bin/sh\nexec {shlex.join(script)} "$@"\n')
    with running_redis(folder / "redis") as redis, running_upstream() as upstream:
        database = Database(template, folder / "database")
        settings = {
            **example_settings(),
            **NO_LIMITS,
            **upstream.environment,
            "AI_STREAMING_RUNNER": "worker",
            "AI_CAN_CONTINUE": "true",
            "AI_IDLE_SECONDS": "300",  # a model may be held while a page is followed
            "DATABASE_URL": database.url,
            "REDIS_URL": redis.url,
            "DJANGO_SECRET_KEY": FIRST_KEY,
            "STREAM_DRAIN_SECONDS": str(DRAIN_SECONDS),
        }
        written = "".join(f"{name}={value}\n" for name, value in settings.items())
        (folder / "etc/liveai/env").write_text(written)
        machine = Machine(folder, database, upstream, [free_port(), free_port()])
        machine.manage("collectstatic", "--noinput", "-v0")
        shutil.copytree(project / "var/static", folder / "srv/liveai/static", dirs_exist_ok=True)
        (folder / "nginx").mkdir()
        (folder / "nginx/static").symlink_to(folder / "srv/liveai/static")
        with (
            machine.running(),
            running_nginx(
                folder / "nginx",
                machine.ports,
                changes={"server_name ai.example.org;": f"server_name {SITE};"},
                tls=make_certificate(folder / "etc"),
            ) as nginx,
        ):
            machine.url = f"https://{SITE}:{nginx.port}"
            yield machine
