"""The image and `compose.yaml`: their scripts and commands, run without Docker."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from liveai.placeholders import is_placeholder, is_placeholder_of_url
from streaming.serving.worker_page import parse_address
from tests.support.deploy import DEPLOY, example_settings
from tests.support.faults.missing import skip_loudly
from tests.support.faults.nginx_server import NGINX, NO_NGINX, TYPES, replace_all
from tests.support.faults.redis_server import free_port
from tests.support.servers.harness import ROOT, clean_environment
from tests.support.servers.read_only import NO_NAMESPACES, can_be_read_only, read_only

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
PROCESSES = ("web-1", "web-2", "worker-1", "worker-2")
OURS = ("setup", *PROCESSES)
KEY = "gDfhOMx0-7mJ2wq_Rk3sVZ5uTn8yLbEoPaCxI1vN4tQeHdUj6KrYzWBfS9lGiXpA"
PASSWORD = "correct-horse-battery"


def _in_dockerfile(instruction: str) -> list[str]:
    """Return the words of the last `CMD [...]` or `HEALTHCHECK ... CMD [...]`."""
    pattern = rf"^{instruction} .*?(\[.*?\])$"
    flags = re.MULTILINE | (re.DOTALL if instruction == "HEALTHCHECK" else 0)
    words: list[str] = json.loads(re.findall(pattern, DOCKERFILE, flags)[-1])
    return words


# --- what the files say ---------------------------------------------------------------


def test_the_image_runs_scripts_of_the_project_and_copies_what_is_there() -> None:
    ran = re.findall(r"\b(deploy/[\w./]+)", DOCKERFILE)
    assert {"deploy/build/packages", "deploy/build/pages", "deploy/image/files"} <= set(ran)
    assert [path for path in ran if not (ROOT / path).exists()] == []
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    sent = [line[1:] for line in ignored if line.startswith("!")]
    assert ignored[1] == "*" and all((ROOT / path).exists() for path in sent)


def test_the_image_is_of_another_user_than_root_and_of_the_one_that_compose_names() -> None:
    (user,) = re.findall(r"^USER (\d+):\d+$", DOCKERFILE, re.MULTILINE)
    last = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
    assert f"USER {user}:" in last and int(user) > 999
    for name in OURS:
        (locks,) = [each for each in COMPOSE["services"][name]["tmpfs"] if "processes" in each]
        assert locks == f"/opt/liveai/var/processes:uid={user},gid={user},mode=0700"


def test_each_service_has_a_read_only_root_and_no_new_rights() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["read_only"] is True, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
    for name in OURS:
        assert COMPOSE["services"][name]["cap_drop"] == ["ALL"], name


def test_a_process_has_the_time_to_drain() -> None:
    default = re.search(r"^STREAM_DRAIN_SECONDS=(\d+)$", (ROOT / ".env.example").read_text(), re.M)
    assert default is not None
    for name in PROCESSES:
        grace = COMPOSE["services"][name]["stop_grace_period"]
        assert int(grace.removesuffix("s")) > int(default[1]) + 5


def test_two_workers_serve_what_their_own_health_checks_ask() -> None:
    worker = COMPOSE["services"]["worker-1"]
    assert COMPOSE["services"]["worker-2"] == worker
    host, port = parse_address(worker["command"][worker["command"].index("--metrics") + 1])
    *command, script, url = worker["healthcheck"]["test"]
    assert command == ["CMD", "python"] and (ROOT / script).exists()
    assert (host, url) == ("0.0.0.0", f"http://127.0.0.1:{port}/readyz")
    assert "ports" not in worker


def test_nginx_and_the_web_processes_know_each_other_by_their_addresses() -> None:
    services = COMPOSE["services"]
    (port,) = re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE)
    assert _in_dockerfile("CMD")[-1] == port
    for number in (1, 2):
        address = services[f"web-{number}"]["networks"]["inside"]["ipv4_address"]
        assert services["nginx"]["environment"][f"LIVEAI_WEB_{number}"] == f"{address}:{port}"
    proxy = services["nginx"]["networks"]["inside"]["ipv4_address"]
    assert services["web-1"]["environment"]["DJANGO_TRUSTED_PROXIES"] == proxy


def test_one_service_builds_the_image_and_the_others_run_it() -> None:
    services = COMPOSE["services"]
    assert [name for name, service in services.items() if "build" in service] == ["setup"]
    assert len({services[name]["image"] for name in OURS}) == 1


def test_a_container_can_be_stopped_at_once_and_its_log_is_bounded() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["logging"]["options"]["max-size"] == "20m", name
    assert all(COMPOSE["services"][name]["init"] is True for name in OURS)


def test_nginx_knows_visitors_by_their_addresses_and_has_connections_for_them() -> None:
    nginx = COMPOSE["services"]["nginx"]
    assert nginx["ports"] == ["0.0.0.0:80:80", "0.0.0.0:443:443"]  # Docker hides IPv6 addresses
    assert "./deploy/image/nginx.conf:/etc/nginx/nginx.conf:ro" in nginx["volumes"]
    main = (DEPLOY / "image" / "nginx.conf").read_text("utf-8")
    (connections,) = re.findall(r"worker_connections (\d+);", main)
    (files,) = re.findall(r"worker_rlimit_nofile (\d+);", main)
    assert int(files) == nginx["ulimits"]["nofile"] > 2 * int(connections) > 16_000


def test_the_database_is_asked_over_tcp_as_its_set_up_answers_at_the_socket() -> None:
    command = COMPOSE["services"]["postgres"]["healthcheck"]["test"]
    assert command[command.index("--host") + 1] == "127.0.0.1"


def test_no_container_is_given_the_fixed_address_of_another() -> None:
    (pool,) = COMPOSE["networks"]["inside"]["ipam"]["config"]
    subnet, given = ip_network(pool["subnet"]), ip_network(pool["ip_range"])
    fixed = [
        ip_address(service["networks"]["inside"]["ipv4_address"])
        for service in COMPOSE["services"].values()
        if isinstance(service["networks"], dict)
    ]
    assert len(set(fixed)) == len(fixed) == 3
    assert given.subnet_of(subnet)
    assert all(address in subnet and address not in given for address in fixed)


def test_the_processes_start_after_the_migrations_and_what_they_mount_is_there() -> None:
    for name in PROCESSES:
        waits = COMPOSE["services"][name]["depends_on"]
        assert waits["setup"]["condition"] == "service_completed_successfully"
    mounted = [
        volume.split(":")[0]
        for service in COMPOSE["services"].values()
        for volume in service.get("volumes", [])
        if volume.startswith("./")
    ]
    assert len(mounted) > 2 and all((ROOT / path).exists() for path in mounted)


def test_each_sample_of_a_secret_is_refused_as_it_stands() -> None:
    page = (ROOT / "docs" / "operate" / "containers.md").read_text("utf-8")
    samples = re.findall(r"^(\w*PASSWORD)=(.*)$", page, re.MULTILINE)
    assert {name for name, _ in samples} == {"POSTGRES_PASSWORD", "DJANGO_SUPERUSER_PASSWORD"}
    assert all(is_placeholder(value) for _, value in samples)
    database = COMPOSE["x-liveai"]["environment"]["DATABASE_URL"]
    filled_in = re.sub(
        r"\$\{POSTGRES_PASSWORD[^}]*\}", dict(samples)["POSTGRES_PASSWORD"], database
    )
    assert is_placeholder_of_url(filled_in)  # liveai/environment.py refuses it


def test_the_containers_nginx_sees_certbots_proof_where_its_file_looks_for_it() -> None:
    conf = (DEPLOY / "nginx" / "liveai.conf").read_text("utf-8")
    (folder,) = set(re.findall(r"acme-challenge/ \{ root (\S+); \}", conf))
    assert any(
        volume.endswith(f"}}:{folder}:ro") for volume in COMPOSE["services"]["nginx"]["volumes"]
    )


# --- nginx ------------------------------------------------------------------------------


def test_nginx_takes_the_file_that_its_container_writes(tmp_path: Path) -> None:
    if NGINX is None:
        skip_loudly(NO_NGINX)
    services = COMPOSE["services"]
    environment = {
        **services["nginx"]["environment"],
        "LIVEAI_HOST": "ai.liveai.test",
        "LIVEAI_PROXY": "",
        "LIVEAI_CONF": str(DEPLOY / "nginx" / "liveai.conf"),
        "LIVEAI_NGINX_CONF": str(tmp_path / "liveai.conf"),
        "PATH": os.environ["PATH"],
    }
    script = ["sh", DEPLOY / "image" / "nginx.sh"]
    wrong = {**environment, "LIVEAI_PROXY": "10.0.0.1; # |"}
    done = subprocess.run(script, env=wrong, capture_output=True, text=True)
    assert done.returncode == 1 and "LIVEAI_PROXY is not an IP address" in done.stderr
    subprocess.run(script, env=environment, check=True)
    written = (tmp_path / "liveai.conf").read_text("utf-8")
    for address in ("172.30.77.11:8000", "172.30.77.12:8000"):
        assert f"server {address} max_fails=1 fail_timeout=5s;" in written
        assert f"server {address} max_fails=0 backup;" in written
    assert "server_name ai.liveai.test;" in written and "example.org" not in written
    assert "listen 443 ssl http2;" in written and "127.0.0.1" not in written
    assert re.search("^set_real_ip_from", written, re.MULTILINE) is None

    folder = tmp_path / "certificate"
    folder.mkdir()
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=ai.liveai.test",
    ]
    made += ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    subprocess.run(made, check=True, capture_output=True)
    (tmp_path / "liveai.conf").write_text(written.replace("/etc/nginx/certificate", str(folder)))
    (tmp_path / "mime.types").write_text(TYPES)
    changes = {
        "user nginx;": "",  # of the image
        "/etc/nginx/mime.types": str(tmp_path / "mime.types"),
        "/etc/nginx/conf.d/*.conf": str(tmp_path / "liveai.conf"),
        "/run/nginx.pid": str(tmp_path / "pid"),
    }
    main = replace_all((DEPLOY / "image" / "nginx.conf").read_text("utf-8"), changes)
    (tmp_path / "nginx.conf").write_text(main)
    command = [NGINX, "-t", "-e", "stderr", "-c", str(tmp_path / "nginx.conf")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "test is successful" in done.stderr, done.stderr


# --- what the containers run --------------------------------------------------------------


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that becomes the image's `/opt/liveai`."""
    folder = tmp_path_factory.mktemp("image") / "opt" / "liveai"
    if not (ROOT / "frontend" / "dist" / "manifest.json").exists():
        skip_loudly("the pages are not built: scripts/test does it before the tests")
    done = subprocess.run([DEPLOY / "image" / "files", folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "data").mkdir()
    (tmp_path / "static").mkdir()
    return {
        **{name: value for name, value in clean_environment().items() if name != "PYTHONPATH"},
        **example_settings(),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "REDIS_URL": "",
        "DATABASE_URL": f"sqlite:///{tmp_path}/data/db.sqlite3",
        "LIVEAI_STATIC": str(tmp_path / "static"),
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
    }


@pytest.fixture
def wrapper(tmp_path: Path, image: Path) -> list[str]:
    """What makes the disk read-only, except for the places that compose.yaml mounts."""
    if not can_be_read_only(tmp_path / "probe"):
        skip_loudly(NO_NAMESPACES)
    return read_only(tmp_path / "data", tmp_path / "static", image / "var" / "processes")


def test_the_image_has_the_sources_the_pages_and_no_secret(image: Path) -> None:
    names = {path.name for path in image.iterdir()}
    assert {"manage.py", "liveai", "operating", "streaming", "blocks", "frontend", "var"} <= names
    assert not names & {".env", ".git", ".venv", "tests", "benchmarks"}
    assert (image / "frontend" / "dist" / "manifest.json").is_file()
    assert (image / "var" / "static" / "frontend" / "tokens.css").is_file()
    assert not (image / "frontend" / "node_modules").exists()
    assert {path.name for path in (image / "var").iterdir()} == {"processes", "static"}
    assert list((image / "liveai" / "__pycache__").glob("settings.*.pyc"))


def test_a_database_that_comes_late_is_waited_for_and_one_that_never_comes_is_named(
    image: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    late = tmp_path / "late"
    environment["DATABASE_URL"] = f"sqlite:///{late}/db.sqlite3"
    command = [sys.executable, "deploy/image/database.py"]
    never = subprocess.run(
        command,
        cwd=image,
        env={**environment, "LIVEAI_DATABASE_SECONDS": "0"},
        capture_output=True,
        text=True,
    )
    assert (never.returncode, never.stdout) == (1, "")
    assert never.stderr.startswith("The database does not answer: unable to open database file")
    with subprocess.Popen(
        command, cwd=image, env=environment, stdout=subprocess.PIPE, text=True
    ) as waiting:
        assert waiting.stdout is not None
        assert waiting.stdout.readline().startswith("Waiting for the database: unable to open")
        late.mkdir()
        assert waiting.wait(60) == 0
    assert (image / "deploy/image/setup").read_text().count("python deploy/image/database.py") == 1


@pytest.mark.timeout(300)  # four processes of the image, one after another
def test_set_up_twice_then_serve_healthily_and_stop_in_order(
    image: Path, environment: dict[str, str], wrapper: list[str], tmp_path: Path
) -> None:
    command = COMPOSE["services"]["setup"]["command"]
    for said in ("Made the administrator admin.", "There is an administrator"):
        done = subprocess.run(
            [*wrapper, *command], cwd=image, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert said in done.stdout and PASSWORD not in done.stdout + done.stderr
    assert (tmp_path / "static" / "ai").is_dir()
    assert (tmp_path / "static" / "admin" / "css" / "base.css").is_file()

    port = str(free_port())
    _, health = _in_dockerfile("HEALTHCHECK")
    check = [sys.executable, health, f"http://127.0.0.1:{port}/readyz"]
    early = subprocess.run(check, cwd=image, capture_output=True, text=True)
    assert early.returncode == 1 and "refused" in early.stderr
    process = subprocess.Popen(
        [*wrapper, *_in_dockerfile("CMD")[:-1], port],
        cwd=image,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith(f"Listening on http://0.0.0.0:{port}/"), line
        healthy = subprocess.run(check, cwd=image, capture_output=True, text=True)
        assert (healthy.returncode, healthy.stderr) == (0, "")
        assert list((image / "var" / "processes").iterdir())
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        _, errors = process.communicate()
    assert "liveai.W004" not in errors and "Traceback" not in errors


def test_an_unhealthy_process_is_named_with_its_cause(
    image: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    shutil.copy(image / "deploy" / "image" / "health.py", tmp_path)
    answering = tmp_path / "answering.py"
    answering.write_text(
        "from http.server import BaseHTTPRequestHandler, HTTPServer\n"
        "class Handler(BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(503)\n"
        "        self.end_headers()\n"
        "        self.wfile.write(b'no worker')\n"
        "server = HTTPServer(('127.0.0.1', 0), Handler)\n"
        "print(server.server_port, flush=True)\n"
        "server.handle_request()\n"
    )
    with subprocess.Popen(
        [sys.executable, answering], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{process.stdout.readline().strip()}/readyz"
        done = subprocess.run(
            [sys.executable, tmp_path / "health.py", url],
            capture_output=True,
            text=True,
            env={**os.environ, "http_proxy": "http://127.0.0.1:9"},
        )
    assert (done.returncode, done.stderr) == (1, "no worker\n")
