"""`deploy/` and its pages: files exist, statements are true, and the commands work."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands

from streaming.models import Stream
from tests.support.deploy import DEPLOY, example_settings, unit_at
from tests.support.documents import DEPLOY_TEXT as PAGES
from tests.support.documents import DOCS
from tests.support.faults.nginx_server import with_tls
from tests.support.faults.redis_server import REDIS_BINARIES, connect, free_port, running_redis
from tests.support.script_copy import put_program
from tests.support.servers.harness import ROOT, Database
from tests.test_settings import _read_by_settings

DEFAULTS = (ROOT / ".env.example").read_text("utf-8")
CONF = (DEPLOY / "nginx" / "liveai.conf").read_text("utf-8")
UNITS = sorted((DEPLOY / "systemd").iterdir())
SERVICES = [path for path in UNITS if path.name.endswith("@.service")]
"""The processes of the site."""


def _example() -> dict[str, str]:
    """Return the settings of `deploy/env.example`, including those in comments."""
    lines = (DEPLOY / "env.example").read_text("utf-8").splitlines()
    shown = [re.match(r"#?([A-Z_]+)=(.*)$", line) for line in lines]
    return {match[1]: match[2] for match in shown if match}


# --- systemd --------------------------------------------------------------------------


def test_systemd_itself_takes_the_units(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd on this machine; the units are parsed by the tests below")
    for path in UNITS:
        text = path.read_text("utf-8")
        text = text.replace("/opt/liveai/.venv/bin/python", sys.executable)
        (tmp_path / path.name).write_text(text.replace("/opt/liveai", str(tmp_path)), "utf-8")
    put_program(tmp_path / "deploy" / "back-up", "#!/bin/sh\n")
    names = ["liveai-web@8001.service", "liveai-worker@1.service", "liveai.target"]
    names += ["liveai-back-up.service", "liveai-back-up.timer"]
    done = subprocess.run(
        [analyze, "verify", *(str(tmp_path / name) for name in names)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_a_unit_gives_its_process_the_time_to_drain(path: Path) -> None:
    service = unit_at(path)["Service"]
    default = re.search(r"^STREAM_DRAIN_SECONDS=(\d+)$", DEFAULTS, re.MULTILINE)
    assert default is not None
    assert int(service["TimeoutStopSec"]) > int(default[1]) + 5
    assert service["KillSignal"] == "SIGTERM"
    assert service["KillMode"] == "mixed"
    assert service["Restart"] == "always"
    assert unit_at(path)["Unit"]["StartLimitIntervalSec"] == "0"


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_a_unit_names_a_command_that_exists(path: Path) -> None:
    _, program, command, *_ = shlex.split(unit_at(path)["Service"]["ExecStart"])
    assert program == "manage.py"
    assert get_commands()[command] == "streaming"


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_what_a_unit_runs_starts_with_the_example_and_stops_in_order(
    path: Path, template: Path, tmp_path: Path
) -> None:
    """Run the exact command line with the example's settings, but a test's Redis and database."""
    port = free_port()
    line = unit_at(path)["Service"]["ExecStart"].replace("910%i", str(port))  # a worker's
    line = line.replace("%i", str(port))
    words = [sys.executable, *shlex.split(line)[1:]]
    with running_redis(tmp_path / "redis") as redis:
        environment = {
            **example_settings(),
            "DATABASE_URL": Database(template, tmp_path / "db").url,
            "REDIS_URL": redis.url,
            "AI_STREAMING_RUNNER": "worker",
            "PYTHONUNBUFFERED": "1",
        }
        process = subprocess.Popen(
            words,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert process.stdout is not None
            said = process.stdout.readline()  # empty: it ended
            ready = {"serve": f"Listening on http://127.0.0.1:{port}/", "work": "Working: "}
            if words[2] == "work":
                assert said == f"Metrics and probes on http://127.0.0.1:{port}\n"
                said = process.stdout.readline()
            assert said.startswith(ready[words[2]])
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_what_a_unit_runs_refuses_a_database_that_is_not_migrated(
    path: Path, tmp_path: Path
) -> None:
    line = unit_at(path)["Service"]["ExecStart"].replace("910%i", "0")
    _, *words = shlex.split(line.replace("%i", str(free_port())))
    with running_redis(tmp_path / "redis") as redis:
        url = f"sqlite:///{tmp_path}/db.sqlite3"
        environment = {**example_settings(), "REDIS_URL": redis.url, "DATABASE_URL": url}
        environment["AI_STREAMING_RUNNER"] = "worker"
        done = subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
    said = re.sub(r"^Metrics and probes on \S+\n", "", done.stdout)  # a worker's port
    assert (done.returncode, said) == (1, "")
    assert "Run this first: manage.py migrate" in done.stderr and "Traceback" not in done.stderr


# --- settings, Redis ---------------------------------------------------------------------


def test_the_example_names_settings_that_exist_and_differ_from_the_defaults() -> None:
    defaults = dict(
        line.split("=", 1) for line in DEFAULTS.splitlines() if re.match(r"[A-Z_]+=", line)
    )
    example = _example()
    assert len(example) > 8
    assert set(example) <= _read_by_settings()
    assert [name for name, value in example.items() if defaults.get(name) == value] == []


def _check(
    tmp_path: Path, *, fail_level: str = "WARNING", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Return the output of the documented check."""
    (line,) = {line for line in PAGES.splitlines() if "manage.py check" in line}
    _, _, command = line.partition("manage.py ")
    with running_redis(tmp_path / "redis") as redis:
        return subprocess.run(
            [sys.executable, "manage.py", *shlex.split(command.replace("WARNING", fail_level))],
            cwd=ROOT,
            env={**example_settings(), **environment, "REDIS_URL": redis.url},
            capture_output=True,
            text=True,
            timeout=60,
        )


def test_the_documented_check_is_clean_with_the_example_filled_in(tmp_path: Path) -> None:
    done = _check(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "no issues" in done.stdout


@pytest.mark.parametrize(
    "name",
    [
        *("AI_MODEL", "AI_BASE_URL", "AI_API_KEY", "DATABASE_URL"),
        *("DJANGO_SECRET_KEY", "DJANGO_ALLOWED_HOSTS"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "work"])
def test_each_placeholder_that_is_left_is_refused_at_start_by_name(command: str, name: str) -> None:
    environment = {**example_settings(), name: _example()[name]}
    done = subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert name in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("binary", REDIS_BINARIES)
def test_a_redis_takes_the_configuration_and_never_forgets(binary: str, tmp_path: Path) -> None:
    port = free_port()
    command = [REDIS_BINARIES[binary], str(DEPLOY / "redis.conf"), "--port", str(port)]
    command += ["--bind", "127.0.0.1", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "eady to accept connections" in line:
                break
        else:
            raise AssertionError("".join(said))
        with connect(port) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("appendonly") == {"appendonly": "yes"}
            assert int(client.config_get("maxmemory")["maxmemory"]) > 0
    finally:
        process.kill()
        process.communicate()


# --- the pages ----------------------------------------------------------------------------


def test_it_names_commands_files_units_and_requirements_that_exist() -> None:
    commands = re.findall(r"manage\.py (\w+)", PAGES)
    assert {"check", "migrate", "collectstatic", "createsuperuser", "setup_admin"} <= set(commands)
    assert set(commands) <= set(get_commands())
    paths = re.findall(r"\bdeploy/[\w./@-]*\w|\blocks/[\w.-]*|\btests/\w+", PAGES)
    assert len(paths) > 8
    for path in paths:
        assert (ROOT / path).exists(), path
    instances = set(re.findall(r"liveai-(web|worker)@", PAGES))
    assert instances == {"web", "worker"}
    assert {path.name for path in UNITS} == {
        "liveai-web@.service",
        "liveai-worker@.service",
        "liveai.target",
        "liveai-back-up.service",
        "liveai-back-up.timer",
    }


def test_it_names_settings_that_exist() -> None:
    names = set(re.findall(r"\b((?:AI|STREAM|DJANGO|REDIS|DATABASE)_[A-Z_]+)\b", PAGES))
    djangos_own = {f"DJANGO_SUPERUSER_{name}" for name in ("USERNAME", "EMAIL", "PASSWORD")}
    assert len(names) > 8 and djangos_own <= names
    assert names - djangos_own <= _read_by_settings()


def test_page_units_and_nginx_speak_of_the_same_ports_and_folders() -> None:
    behind = re.findall(r"^    server 127\.0\.0\.1:(\d+) ", CONF, re.MULTILINE)
    assert behind == ["8001", "8002"]
    for port in behind:
        assert f"liveai-web@{port}" in PAGES
    for folder in re.findall(r"alias (/srv/liveai/static/)", CONF):
        assert f"cp -r var/static/. {folder}" in PAGES
    for path in SERVICES:
        service = unit_at(path)["Service"]
        assert service["EnvironmentFile"] == "/etc/liveai/env" and "/etc/liveai/env" in PAGES
        assert service["WorkingDirectory"] == "/opt/liveai" and "cd /opt/liveai" in PAGES


def test_nginx_is_more_patient_than_the_longest_answer() -> None:
    deadline = re.search(r"^STREAM_DEADLINE_SECONDS=(\d+)$", DEFAULTS, re.MULTILINE)
    assert deadline is not None
    for name in ("~ ^/(api/stream|api/dialects|v1)/", "@elsewhere", "@not_sent"):
        body = CONF[CONF.index(f"location {name} {{") :]
        found = re.search(r"proxy_read_timeout (\d+)s;", body)
        assert found is not None and int(found[1]) > int(deadline[1])


def test_under_a_path_nginx_is_as_patient_and_logs_no_prompts() -> None:
    conf = (DEPLOY / "nginx" / "under-a-path.conf").read_text("utf-8")
    same = [
        *("proxy_read_timeout 660s;", "client_max_body_size 1m;", "client_body_buffer_size 1m;"),
        *("proxy_buffering off;", "gzip off;", "proxy_set_header Host $http_host;"),
        "proxy_set_header X-Request-ID $request_id;",
        "error_log /var/log/nginx/liveai-error.log crit;",
    ]
    assert [line for line in same if line not in conf or line not in CONF] == []
    assert "access_log off;" in conf
    page = (ROOT / "docs" / "operate" / "proxy.md").read_text("utf-8")
    limits = page[page.index("That file bounds only") :].split("\n\n")[0]
    for name in re.findall(r"`(\w+)`", limits):
        assert re.search(rf"^ +{name} ", CONF, re.MULTILINE) or name in ("http", "server"), name


def test_its_sed_turns_tls_on(tmp_path: Path) -> None:
    (command,) = re.findall(r"^sed (.+?) \\\n +deploy/nginx/liveai\.conf >", PAGES, re.MULTILINE)
    words = [word.replace("YOUR-NAME", "ai.example.org") for word in shlex.split(command)]
    done = subprocess.run(
        ["sed", *words, str(DEPLOY / "nginx" / "liveai.conf")], capture_output=True, text=True
    )
    # As run by tests/faults/test_nginx_tls.py.
    folder = Path("/etc/letsencrypt/live/ai.example.org")
    assert done.stdout == with_tls(CONF, folder / "fullchain.pem", folder / "privkey.pem")


def test_certbot_comes_before_the_settings_that_need_it_and_nginx_serves_its_renewals() -> None:
    words = "certbot certonly --webroot -w /var/www/html "
    assert PAGES.index(words) < PAGES.index("/etc/liveai/env")
    assert CONF.count("location /.well-known/acme-challenge/ { root /var/www/html; }") == 2


SIGN_IN = """
from django.test import Client
from django.conf import settings
settings.ALLOWED_HOSTS = ["testserver"]
answer = Client().get("/account/login/")
print(answer.status_code, bool(answer.cookies["csrftoken"]["secure"]) if answer.cookies else "")
"""


@pytest.mark.parametrize("has_tls", [True, False])
def test_the_page_can_be_used_over_plain_http_with_the_lines_for_it_and_only_then(
    has_tls: bool, template: Path, tmp_path: Path
) -> None:
    start = PAGES.index("DJANGO_SECURE_COOKIES=false")
    lines = dict(
        re.findall(r"^(\w+)=(.*)$", PAGES[start : PAGES.index("```", start)], re.MULTILINE)
    )
    assert set(lines) < set(example_settings())
    environment = {**example_settings(), **({} if has_tls else lines)}
    environment["DATABASE_URL"] = Database(template, tmp_path / "db").url
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", SIGN_IN],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == ("301 \n" if has_tls else "200 False\n"), done.stderr
    done = _check(tmp_path, **environment, fail_level="WARNING" if has_tls else "ERROR")
    assert done.returncode == 0
    assert ("security.W012" in done.stderr) is not has_tls


def test_its_query_asks_for_columns_that_exist() -> None:
    (query,) = re.findall(
        r'psql liveai -c "SELECT (.*?) FROM (\w+)\s+WHERE (.*?)"', PAGES, re.DOTALL
    )
    columns = {field.column for field in Stream._meta.concrete_fields}
    assert query[1] == Stream._meta.db_table
    assert set(query[0].split(", ")) <= columns
    assert {"ended_at", "created_at"} <= columns


def _warnings(path: Path) -> Iterator[str]:
    """Yield the lines that a module logs as warnings, with `…` for variable parts."""
    module = ast.parse(path.read_text("utf-8"))
    return _lines_of(module, "logger.warning", "self.rare_log.warn", "self._log.warn")


def _lines_of(module: ast.Module, *calls: str) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in calls:
            message = ast.literal_eval(node.args[0])
            yield re.sub(r"%[srd]", "…", message)


def test_it_explains_every_warning_of_the_streams_and_pages_and_none_that_does_not_exist() -> None:
    page = (DOCS / "operate" / "log-lines.md").read_text("utf-8")
    table = page[page.index("| line | meaning |") : page.index("## Lines of Django")]
    explained = set(re.findall(r"^\| `(.+?)` \|", table, re.MULTILINE))
    sources = [*(ROOT / "streaming").rglob("*.py"), ROOT / "frontend" / "views.py"]
    logged = {line for path in sources for line in _warnings(path)}
    assert len(logged) > 10
    # What nobody has caught is an error, and nobody's line: the page explains these two as well.
    uncaught = ast.parse((ROOT / "liveai" / "uncaught.py").read_text("utf-8"))
    logged |= set(_lines_of(uncaught, "logger.error"))
    assert explained == logged
