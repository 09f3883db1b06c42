"""The search for model servers, on real sockets."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

import scripts.find_models
from scripts.find_models import LIMIT_SECONDS, find_models
from scripts.model_servers import Answer, ModelServer
from tests.support.script_copy import copy_project, run
from tests.support.servers.harness import BUSY_SECONDS
from tests.test_scripts_prepare import NAMES, RECORDER

SCRIPTS = Path(scripts.find_models.__file__).parent
PATIENT_SECONDS = 10.0

Talk = Callable[[socket.socket], None]
OpenServer = Callable[[Talk], int]


def listing(*names: str) -> bytes:
    return json.dumps({"data": [{"id": name} for name in names]}).encode()


def reply(body: bytes, *, status: str = "200 OK", keeps_open: bool = False) -> Talk:
    def talk(line: socket.socket) -> None:
        line.recv(65_536)
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n"
        line.sendall(head.encode() + body)
        if keeps_open:
            line.recv(1)  # until the client leaves

    return talk


def say_nothing(line: socket.socket) -> None:
    line.recv(65_536)
    line.recv(1)


def trickle(line: socket.socket) -> None:
    line.recv(65_536)
    while True:
        line.sendall(b"H")
        time.sleep(0.01)


def flood(line: socket.socket) -> None:
    line.recv(65_536)
    line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        line.sendall(b"[" * 65_536)


@contextmanager
def serving(talk: Talk) -> Iterator[int]:
    """Accept connections on a free port, each with its own conversation."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def converse(line: socket.socket) -> None:
            with line, suppress(OSError):  # the client leaves
                talk(line)

        def accept() -> None:
            while True:
                try:
                    line, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=converse, args=[line], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def open_server() -> Iterator[OpenServer]:
    with ExitStack() as stack:
        yield lambda talk: stack.enter_context(serving(talk))


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server on busy cores may answer late."""
    monkeypatch.setattr(scripts.find_models, "LIMIT_SECONDS", PATIENT_SECONDS)


def answers_of(*ports: int) -> list[Answer]:
    return find_models([ModelServer(str(p), p) for p in ports])


def names_of(*ports: int) -> list[str]:
    return [one.model for answer in answers_of(*ports) for one in answer.found]


def test_the_models_of_all_servers_are_found_in_their_order(
    open_server: OpenServer, closed_port: int, patient: None
) -> None:
    first = open_server(reply(listing("a", "b"), keeps_open=True))
    second = open_server(reply(listing("c")))
    began = time.monotonic()
    assert names_of(first, closed_port, second) == ["a", "b", "c"]
    assert time.monotonic() - began < PATIENT_SECONDS, "an open connection is not waited for"


@pytest.mark.parametrize("status", ["401 Unauthorized", "200 OK"])
def test_an_answer_without_models_is_not_waited_for_either(
    open_server: OpenServer, patient: None, status: str
) -> None:
    port = open_server(reply(b'{"data": null}', status=status, keeps_open=True))
    began = time.monotonic()
    (answer,) = answers_of(port)
    assert time.monotonic() - began < PATIENT_SECONDS
    assert answer.problem


def test_a_user_who_asks_for_a_model_waits_for_a_slow_server(open_server: OpenServer) -> None:
    def talk(line: socket.socket) -> None:
        line.recv(65_536)
        time.sleep(LIMIT_SECONDS)  # what is tested is time itself
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + listing("late"))

    servers = [ModelServer("slow", open_server(talk))]
    assert find_models(servers)[0].found == []
    assert [one.model for one in find_models(servers, is_asked_for=True)[0].found] == ["late"]


def test_the_request_is_one_that_servers_understand(open_server: OpenServer, patient: None) -> None:
    received: list[bytes] = []

    def talk(line: socket.socket) -> None:
        received.append(line.recv(65_536))

    port = open_server(talk)
    assert names_of(port) == []
    assert received == [
        f"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        "Accept: application/json\r\nConnection: close\r\n\r\n".encode()
    ]


@pytest.mark.parametrize("talk", [say_nothing, trickle, flood, lambda line: None])
def test_a_server_that_answers_oddly_delays_nothing_and_hides_no_other(
    open_server: OpenServer, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = [open_server(talk), open_server(reply(listing("good"))), open_server(talk)]
    began = time.monotonic()
    assert names_of(*ports) in (["good"], [])  # late on busy cores
    assert time.monotonic() - began < LIMIT_SECONDS + BUSY_SECONDS
    monkeypatch.setattr(scripts.find_models, "LIMIT_SECONDS", 2.0)
    assert names_of(*ports) == ["good"]


def test_nothing_that_listens_costs_no_time(closed_port: int) -> None:
    seconds = []
    for _ in range(5):
        began = time.monotonic()
        assert names_of(*[closed_port] * 4) == []
        seconds.append(time.monotonic() - began)
    assert min(seconds) < LIMIT_SECONDS / 2


def test_no_proxy_is_asked(
    open_server: OpenServer, monkeypatch: pytest.MonkeyPatch, closed_port: int, patient: None
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
    assert names_of(open_server(reply(listing("a")))) == ["a"]


# --- scripts/prepare.py ---------------------------------------------------------------

SETTINGS = '["AI_MODEL", "AI_BASE_URL", "AI_API_KEY"]'


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project whose server reports its model's settings."""
    project = copy_project(tmp_path_factory.mktemp("found"))
    recorder = RECORDER.replace(NAMES, SETTINGS)
    assert SETTINGS in recorder
    (project / "streaming" / "management" / "commands" / "serve.py").write_text(recorder)
    source = (SCRIPTS / "find_models.py").read_text()
    patient = source.replace("LIMIT_SECONDS = 0.25", f"LIMIT_SECONDS = {PATIENT_SECONDS}")
    assert patient != source
    (project / "scripts" / "find_models.py").write_text(patient)
    return project


class Prepared:
    """A run of `scripts/prepare.py` in a copy whose model servers listen at other ports."""

    def __init__(
        self,
        project: Path,
        ports: list[int],
        *words: str,
        own_port: int = 8123,
        **environment: str,
    ) -> None:
        source = (SCRIPTS / "model_servers.py").read_text()
        for usual, port in zip((11434, 1234, 8080, 8000), ports, strict=True):
            assert f", {usual})" in source
            source = source.replace(f", {usual})", f", {port})")
        (project / "scripts" / "model_servers.py").write_text(source)
        command = ["python", str(project / "scripts" / "prepare.py"), str(own_port), *words]
        # Python would take the compiled file of a source of the same second and length.
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        self.done = run(command, project, **environment)
        self.words = self.done.stdout + self.done.stderr
        assert "Traceback" not in self.words

    @property
    def settings(self) -> dict[str, str]:
        assert self.done.returncode == 0, self.words
        line = next(x for x in self.done.stdout.splitlines() if x.startswith("SERVER"))
        found = json.loads(line.removeprefix("SERVER"))
        return {name: found[name] for name in json.loads(SETTINGS)}


@pytest.fixture
def ports(open_server: OpenServer, closed_port: int) -> list[int]:
    """An Ollama with an embedding model and a chat model, and a vLLM with an instruct model."""
    ollama = open_server(reply(listing("nomic-embed-text", "llama3.2:3b"), keeps_open=True))
    return [ollama, closed_port, closed_port, open_server(reply(listing("Qwen3-8B-Instruct")))]


def test_a_start_names_what_it_found_and_how_to_use_it(project: Path, ports: list[int]) -> None:
    run = Prepared(project, ports)
    assert run.settings["AI_MODEL"] == "local:smollm2-135m"
    assert "Ollama      llama3.2:3b\n" in run.words
    assert "vLLM        Qwen3-8B-Instruct\n" in run.words
    assert "scripts/run --model Qwen3-8B-Instruct\n" in run.words
    assert "nomic" not in run.words


def test_auto_takes_an_instruct_model_and_says_why(project: Path, ports: list[int]) -> None:
    run = Prepared(project, ports, "auto", AI_API_KEY="sk-of-another-service")
    assert run.settings == {
        "AI_MODEL": "openai:Qwen3-8B-Instruct",
        "AI_BASE_URL": f"http://127.0.0.1:{ports[3]}/v1",
        "AI_API_KEY": "",
    }
    assert "Answers come from openai:Qwen3-8B-Instruct." in run.words
    assert f"It runs at port {ports[3]}, the usual one of vLLM." in run.words
    assert "--model auto took it: its name says that it is an instruct or chat model." in run.words


def test_a_name_takes_that_model(project: Path, ports: list[int]) -> None:
    run = Prepared(project, ports, "llama3.2:3B")
    assert run.settings["AI_MODEL"] == "openai:llama3.2:3b"
    assert run.settings["AI_BASE_URL"] == f"http://127.0.0.1:{ports[0]}/v1"


def test_a_name_that_is_nowhere_ends_the_start(project: Path, ports: list[int]) -> None:
    run = Prepared(project, ports, "gpt-4o")
    assert run.done.returncode == 1
    assert "No model server on this machine has the model 'gpt-4o'." in run.words
    assert "llama3.2:3b" in run.words


def test_auto_without_any_keeps_the_demo_model_and_says_so(project: Path, closed_port: int) -> None:
    run = Prepared(project, [closed_port] * 4, "auto")
    assert run.settings["AI_MODEL"] == "local:smollm2-135m"
    assert "--model auto found no other model" in run.words


def test_a_model_that_cannot_be_had_is_explained_server_by_server(
    project: Path, open_server: OpenServer, closed_port: int
) -> None:
    ollama = open_server(reply(listing("nomic-embed-text")))
    vllm = open_server(reply(b"{}", status="401 Unauthorized"))
    ports = [ollama, closed_port, closed_port, vllm]
    for wanted in ("auto", "llama3.2"):
        words = Prepared(project, ports, wanted).words
        assert f"Ollama (port {ollama}) has no model that answers questions." in words
        assert f"vLLM (port {vllm}) wants a key" in words
        assert "LM Studio (port" not in words, "nothing listens there"
    assert "(port" not in Prepared(project, ports).words, "nobody asked"


def test_the_command_to_use_one_names_the_port_if_it_is_another(
    project: Path, ports: list[int]
) -> None:
    command = "scripts/run --model Qwen3-8B-Instruct"
    assert f"To use one: PORT=8123 {command}\n" in Prepared(project, ports).words
    assert f"To use one: {command}\n" in Prepared(project, ports, own_port=8000).words


def test_a_model_that_is_set_is_left_alone_and_nothing_is_asked(
    project: Path, open_server: OpenServer
) -> None:
    asked: list[bytes] = []
    port = open_server(lambda line: asked.append(line.recv(65_536)))
    run = Prepared(project, [port] * 4, AI_MODEL="scripted:demo")
    assert run.settings["AI_MODEL"] == "scripted:demo"
    (project / ".env").write_text("AI_MODEL=scripted:demo\n")
    try:
        run = Prepared(project, [port] * 4)
        assert run.settings["AI_MODEL"] == "scripted:demo"
        run = Prepared(project, [port] * 4, "auto")
        assert run.done.returncode == 1
        assert "AI_MODEL is already set, to 'scripted:demo'" in run.words
    finally:
        (project / ".env").unlink()
    assert asked == []


def test_the_port_that_it_serves_on_itself_is_not_asked(
    project: Path, open_server: OpenServer, closed_port: int
) -> None:
    port = open_server(reply(listing("itself")))
    ports = [closed_port, closed_port, closed_port, port]
    assert Prepared(project, ports, "auto").settings["AI_MODEL"] == "openai:itself"
    run = Prepared(project, ports, "auto", own_port=port)
    assert run.settings["AI_MODEL"] == "local:smollm2-135m"
