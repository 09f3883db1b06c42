"""Runs nginx with the deployed file from `deploy/`; only ports and paths differ.

with running_nginx(tmp_path, [server.port for server in servers]) as nginx:
    visitor = await Visitor.arrive(nginx.port)
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from tests.support.faults.redis_server import free_port
from tests.support.servers.harness import ROOT

CONF = ROOT / "deploy" / "nginx" / "liveai.conf"
START_SECONDS = 20.0

MAIN = """
daemon off;
{user}
worker_processes 2;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    include {types};
    default_type application/octet-stream;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/liveai.conf;
}}
"""
"""Includes the deployed file, as Debian's nginx.conf does."""

TYPES = "types { text/html html; text/css css; application/javascript js; image/svg+xml svg; }"


def _find_nginx() -> str | None:
    for program in (shutil.which("nginx"), "/usr/sbin/nginx"):  # Debian's path is not on every PATH
        if program and Path(program).exists():
            return program
    return None


NGINX = _find_nginx()
"""None: this machine has no nginx, see `scripts/_nginx`."""

NO_NGINX = (
    "no nginx on this machine, so the deployment was not tested. On Debian: apt install nginx-light"
)


def with_tls(conf: str, certificate: Path, key: Path) -> str:
    """Change the file for TLS as `docs/operate/install.md` says."""
    lines = [line.replace("# TLS: ", "") for line in conf.splitlines() if "# plain" not in line]
    folder = "/etc/letsencrypt/live/ai.example.org"
    return replace_all(
        "\n".join(lines) + "\n",
        {f"{folder}/fullchain.pem": str(certificate), f"{folder}/privkey.pem": str(key)},
    )


def replace_all(text: str, changes: Mapping[str, str]) -> str:
    """Replace every given text.

    Raises:
        AssertionError: a text to replace is missing.
    """
    for old, new in changes.items():
        assert old in text, f"no {old!r} in the configuration"
        text = text.replace(old, new)
    return text


class NginxServer:
    """One nginx on a loopback port of its own. The constructor does not start it.

    Args:
        folder: where it runs and logs; its `static` contains the static files.
        ports: of the processes behind it.
        changes: further texts of the file to replace, e.g. a time limit.
        tls: certificate and key; the port then speaks TLS.
        location: what the host serves, instead of the deployed file.
        conf: another form of the deployed file, which names the processes already.
    """

    def __init__(
        self,
        folder: Path,
        ports: Sequence[int],
        *,
        changes: Mapping[str, str] = {},
        tls: tuple[Path, Path] | None = None,
        location: str | None = None,
        conf: str | None = None,
    ) -> None:
        assert NGINX is not None, "no nginx at all"
        self.folder = folder
        self.port = free_port()
        self.plain_port = free_port() if tls else self.port  # redirects visitors to HTTPS
        self.static = folder / "static"
        self.static.mkdir(parents=True, exist_ok=True)
        self._stderr = folder / "stderr.log"
        self._popen: subprocess.Popen[bytes] | None = None
        if location is None:
            (self.folder / "liveai.conf").write_text(self._site(ports, changes, tls, conf), "utf-8")
        else:
            host = f"server {{ listen 127.0.0.1:{self.port};\n{location}}}\n"
            (self.folder / "liveai.conf").write_text(host, "utf-8")
        types = self.folder / "types.conf"
        types.write_text(TYPES)
        user = "user root root;" if os.geteuid() == 0 else ""  # pytest's folders are private
        main = MAIN.format(folder=self.folder, types=types, user=user)
        (self.folder / "nginx.conf").write_text(main)

    def _site(
        self,
        ports: Sequence[int],
        changes: Mapping[str, str],
        tls: tuple[Path, Path] | None,
        conf: str | None,
    ) -> str:
        changes = {"/srv/liveai/static/": f"{self.static}/", **changes}
        if conf is None:
            conf = CONF.read_text("utf-8")
            written = "".join(f"    server 127.0.0.1:{n} max_fails=0;\n" for n in (8001, 8002))
            servers = "".join(f"    server 127.0.0.1:{port} max_fails=0;\n" for port in ports)
            changes |= {written: servers, "/var/log/nginx/": f"{self.folder}/"}
        else:
            changes |= {"access_log /dev/stdout": f"access_log {self.folder}/liveai.log"}
            changes |= {"error_log /dev/stderr": f"error_log {self.folder}/liveai-error.log"}
        if tls is None:
            changes |= {"    listen 80;       # plain\n": f"    listen 127.0.0.1:{self.port};\n"}
            changes |= {"    listen [::]:80;  # plain\n": ""}
        else:
            conf = with_tls(conf, *tls)
            changes |= {"    listen 443 ssl": f"    listen 127.0.0.1:{self.port} ssl"}
            changes |= {"    listen [::]:443 ssl http2;\n": ""}
            changes |= {"    listen 80;\n": f"    listen 127.0.0.1:{self.plain_port};\n"}
            changes |= {"    listen [::]:80;\n": ""}
        return replace_all(conf, changes)

    @property
    def _command(self) -> list[str]:
        assert NGINX is not None
        return [NGINX, "-p", f"{self.folder}/", "-c", f"{self.folder}/nginx.conf", "-e", "stderr"]

    @property
    def access_log(self) -> str:
        """The access log. nginx writes a request's line when its response has ended."""
        path = self.folder / "liveai.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    @property
    def error_log(self) -> str:
        """All error messages, from every source."""
        paths = (self.folder / "liveai-error.log", self._stderr)
        return "".join(p.read_text("utf-8", "replace") for p in paths if p.exists())

    def check(self) -> str:
        """Return the output of `nginx -t` for the configuration.

        Raises:
            AssertionError: nginx refuses it.
        """
        done = subprocess.run([*self._command, "-t"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def start(self) -> None:
        """Start nginx and wait until it listens.

        Raises:
            AssertionError: it ended or took too long; the message contains its output.
        """
        with self._stderr.open("ab") as log:
            self._popen = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self._popen.poll() is None, f"nginx ended:\n{self.error_log}"
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            time.sleep(0.01)
        raise AssertionError(f"nginx does not listen:\n{self.error_log}")

    def kill(self) -> None:
        """Kill all its processes with SIGKILL, because workers outlive their master.

        `start` restarts it.
        """
        assert self._popen is not None
        workers = psutil.Process(self._popen.pid).children()
        self._popen.kill()
        self._popen.wait()
        self._popen = None
        for worker in workers:
            worker.kill()
        psutil.wait_procs(workers, timeout=10)

    def end(self) -> None:
        """End nginx. Idempotent."""
        if self._popen is not None:
            self._popen.terminate()  # fast shutdown: nginx cuts connections
            try:
                self._popen.wait(10)
            except subprocess.TimeoutExpired:
                self._popen.kill()
                self._popen.wait()
            self._popen = None


@contextlib.contextmanager
def running_nginx(
    folder: Path,
    ports: Sequence[int],
    *,
    changes: Mapping[str, str] = {},
    tls: tuple[Path, Path] | None = None,
    conf: str | None = None,
) -> Iterator[NginxServer]:
    """Run an nginx that accepts connections, and end it in any case; a failure prints its logs."""
    with _running(NginxServer(folder, ports, changes=changes, tls=tls, conf=conf)) as nginx:
        yield nginx


@contextlib.contextmanager
def running_nginx_with(location: str, folder: Path) -> Iterator[NginxServer]:
    """Run an nginx whose host serves one `location`."""
    with _running(NginxServer(folder, [], location=location)) as nginx:
        yield nginx


@contextlib.contextmanager
def _running(nginx: NginxServer) -> Iterator[NginxServer]:
    try:
        nginx.start()
        yield nginx
    except BaseException:
        print(f"--- what nginx said ---\n{nginx.error_log}\n{nginx.access_log}")
        raise
    finally:
        nginx.end()
