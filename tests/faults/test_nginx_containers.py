"""The file that `deploy/image/nginx.sh` writes for the containers, in a real nginx.

A stopped container does not refuse connections: its address is silent.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.deploy import DEPLOY
from tests.support.documents import DOCS
from tests.support.faults.nginx_server import CONF
from tests.support.faults.stand_ins import FULL, HELLO, behind_nginx
from tests.support.servers.visitor import START

FULL_BODY = b'{"code": "full"}'
PROXY = "127.0.0.1"


def conf_of(folder: Path, ports: list[int], *, proxy: str = PROXY) -> str:
    """Return what the script writes for two processes, without TLS."""
    target = folder / "written.conf"
    environment = {
        "LIVEAI_CONF": str(DEPLOY / "nginx" / "liveai.conf"),
        "LIVEAI_NGINX_CONF": str(target),
        "LIVEAI_HOST": "ai.liveai.test",
        "LIVEAI_PROXY": proxy,
        "LIVEAI_WEB_1": f"127.0.0.1:{ports[0]}",
        "LIVEAI_WEB_2": f"127.0.0.1:{ports[1]}",
        "PATH": os.environ["PATH"],
    }
    subprocess.run(["sh", DEPLOY / "image" / "nginx.sh"], env=environment, check=True)
    return target.read_text("utf-8")


@contextlib.contextmanager
def silent_port() -> Iterator[int]:
    """A port whose line of connections is full: the kernel drops further ones, as nobody would."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        probe = stack.enter_context(socket.socket())
        probe.settimeout(0.3)
        with pytest.raises(TimeoutError):
            probe.connect(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.mark.skipif(sys.platform != "linux", reason="another kernel refuses what it can't queue")
async def test_a_stopped_container_costs_one_request_a_wait_and_none_its_answer(
    tmp_path: Path,
) -> None:
    with silent_port() as silent:

        def conf(ports: list[int]) -> str:
            return conf_of(tmp_path, [silent, ports[1]])

        async with behind_nginx(tmp_path, HELLO, conf=conf) as site:
            for method in ("GET", "POST"):
                for path in (START, "/api/config", "/api/streams/x/events", "/ws/stream"):
                    answer = await site.ask(method, path, b"")
                    assert (answer.status, answer.body) == (200, b"hello"), (method, path)
            site.nginx.end()
            lines = site.nginx.access_log.splitlines()
    assert len(lines) == 8
    # nginx tries the silent address again after `fail_timeout`.
    waited = [line for line in lines if f"127.0.0.1:{silent}" in line]
    assert 1 <= len(waited) <= 2, lines


@pytest.mark.skipif(sys.platform != "linux", reason="another kernel refuses what it can't queue")
async def test_a_start_that_was_refused_and_then_met_a_silent_address_is_made(
    tmp_path: Path,
) -> None:
    with silent_port() as silent:

        def forgetting(ports: list[int]) -> str:
            """Make nginx try the silent address each time, and second."""
            conf = conf_of(tmp_path, [ports[1], silent])
            return conf.replace("max_fails=1 fail_timeout=5s", "max_fails=0")

        async with behind_nginx(tmp_path, FULL, HELLO, conf=forgetting) as site:
            answer = await site.ask("POST", START, b"{}")
            assert (answer.status, answer.body) == (200, b"hello")
            assert [one.body for one in site.seen] == [b"{}", b"{}"]
            site.nginx.end()
            assert " 503 : 504 : " in site.nginx.access_log


async def test_where_all_refuse_in_turn_their_own_words_arrive_every_time(tmp_path: Path) -> None:
    async with behind_nginx(tmp_path, FULL, conf=lambda ports: conf_of(tmp_path, ports)) as site:
        for _ in range(4):
            for method, path in (("GET", "/api/config"), ("GET", START), ("POST", START)):
                answer = await site.ask(method, path, b"")
                assert (answer.status, answer.body) == (503, FULL_BODY), (method, path)
        assert {one.process for one in site.seen} == {1, 2}


@pytest.mark.parametrize(
    ("proxy", "scheme", "heard"),
    [
        (PROXY, "https", ("192.0.2.7", "https")),
        ("127.0.0.0/8", "https", ("192.0.2.7", "https")),
        (PROXY, "http", ("192.0.2.7", "http")),
        (PROXY, "ftp", ("192.0.2.7", "http")),
        ("198.51.100.1", "https", ("127.0.0.1", "http")),  # who asks is not that proxy
    ],
)
async def test_only_the_proxy_that_ends_tls_is_believed(
    tmp_path: Path, proxy: str, scheme: str, heard: tuple[str, str]
) -> None:
    claims = {"X-Forwarded-For": "6.6.6.6, 192.0.2.7", "X-Forwarded-Proto": scheme}

    def conf(ports: list[int]) -> str:
        return conf_of(tmp_path, ports, proxy=proxy)

    async with behind_nginx(tmp_path, HELLO, conf=conf) as site:
        await site.ask("GET", "/api/config", **claims)
        headers = site.seen[0].headers
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"]) == heard


def test_the_steps_of_a_machine_turn_on_the_same_lines(tmp_path: Path) -> None:
    page = (DOCS / "operate" / "install.md").read_text("utf-8")
    words = re.findall(r"^-e '(.+)'$", page, re.MULTILINE)
    assert len(words) == 2
    command = ["sed", *(f"-e{word.replace('PROXY|', f'{PROXY}|')}" for word in words), str(CONF)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    on = set(done.stdout.splitlines()) - set(CONF.read_text("utf-8").splitlines())
    assert {line.strip() for line in on} == {
        f"set_real_ip_from {PROXY};",
        "real_ip_header X-Forwarded-For;",
        f"{PROXY} 1;",
    }
    assert on <= set(conf_of(tmp_path, [1, 2]).splitlines())
