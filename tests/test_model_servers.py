"""Which models a model server lists, and which one is taken. No sockets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.model_servers import (
    MAX_MODELS,
    SERVERS,
    Answer,
    Found,
    for_chat,
    is_complete,
    named,
    read_models,
    why,
)

OLLAMA, LM_STUDIO, LLAMA_CPP, VLLM = SERVERS


def response(body: Any, *, status: str = "200 OK", head: str = "") -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{head}\r\n".encode() + data


def listing(*names: Any) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": name, "object": "model"} for name in names]}


def found(*names: str) -> list[Found]:
    return [Found(OLLAMA, name) for name in names]


def test_the_usual_ports() -> None:
    assert {server.name: server.port for server in SERVERS} == {
        "Ollama": 11434,
        "LM Studio": 1234,
        "llama.cpp": 8080,
        "vLLM": 8000,
    }
    assert OLLAMA.base_url == "http://127.0.0.1:11434/v1"
    assert Found(OLLAMA, "llama3.2:3b").setting == "openai:llama3.2:3b"


# --- reading ------------------------------------------------------------------------


def test_the_list_is_read_with_a_length_in_chunks_or_to_the_end() -> None:
    names = ["llama3.2:3b", "/models/qwen3-4b-q4.gguf", "Qwen/Qwen3-8B"]
    data = json.dumps(listing(*names)).encode()
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in (data[:9], data[9:])) + b"0\r\n\r\n"
    for raw in (
        response(data, head=f"Content-Length: {len(data)}\r\n"),
        response(chunked, head="Transfer-Encoding: chunked\r\n"),
        response(data),
    ):
        assert read_models(raw) == names


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\x16\x03\x01",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1",
        b"HTTP/1.1 200 OK\r\n",
        response(b"<html>Welcome to nginx!</html>"),
        response(listing("a"), status="401 Unauthorized"),
        response(listing("a"), status="302 Found", head="Location: http://example.org/\r\n"),
        response(listing("a"), status="404 Not Found"),
        response(listing("a"), head="Content-Length: 9999\r\n"),  # cut
        response(b"zz\r\n", head="Transfer-Encoding: chunked\r\n"),
        response([]),
        response({}),
        response(None),
        response({"data": None}),
        response({"data": "llama"}),
        response({"data": ["llama", 7, None, {}, {"id": None}, {"id": 7}, {"id": ["x"]}]}),
        response({"data": {"id": "llama"}}),
        response(b"[" * 100_000),
        response(b'{"data": [{"id": "\xff"}]}'),
    ],
    ids=lambda raw: raw[:40].decode(errors="replace"),
)
def test_anything_else_has_no_models(raw: bytes) -> None:
    assert read_models(raw) == []


@pytest.mark.parametrize(
    "name",
    ["", " llama", "a\nb", "\x1b[31mred", "a\u202eb", "x" * 201, "\ud800", "your-model"],
)
def test_a_name_that_a_terminal_or_a_setting_cannot_take_is_left_out(name: str) -> None:
    assert read_models(response(listing(name, "llama3.2"))) == ["llama3.2"]


def test_names_are_listed_once_and_not_without_end() -> None:
    assert read_models(response(listing("a", "b", "a"))) == ["a", "b"]
    names = read_models(response(listing(*map(str, range(10_000)))))
    assert "600" in names, "a proxy to a hosted API lists hundreds"
    assert len(names) == MAX_MODELS


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (None, ""),
        (response(listing("nomic-embed-text", "llama3.2")), ""),
        (b"", "gave no answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "gave no list of models"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "gave no list of models"),
        (response({"error": "no key"}, status="401 Unauthorized"), "wants a key"),
        (response(listing("a"), status="503 Loading"), "is not ready yet"),
        (response(b"<html>Welcome to nginx!</html>"), "gave no list of models"),
        (response({}, status="404 Not Found"), "gave no list of models"),
        (response(listing()), "has no models yet"),
        (response({"object": "list", "data": None}), "has no models yet"),  # Ollama's way
        (response(listing("nomic-embed-text")), "has no model that answers questions"),
    ],
)
def test_the_reason_why_a_server_has_no_model_is_named(raw: bytes | None, problem: str) -> None:
    words = Answer(LLAMA_CPP, raw).problem
    assert words.startswith(f"llama.cpp (port 8080) {problem}" if problem else "")
    assert bool(words) == bool(problem)


def test_an_answer_is_complete_by_its_length_or_its_form() -> None:
    data = json.dumps(listing("a")).encode()
    with_length = response(data, head=f"Content-Length: {len(data)}\r\n")
    assert is_complete(with_length) and not is_complete(with_length[:-1])
    assert is_complete(response(data)) and not is_complete(response(data[:-1]))
    assert is_complete(response({"data": None})), "an empty list, too"
    assert is_complete(response(b"no", status="401 No", head="Content-Length: 2\r\n"))
    assert not is_complete(response(b"<html>"))


@given(st.binary(max_size=300))
def test_no_bytes_break_it(data: bytes) -> None:
    assert read_models(data) == []
    assert isinstance(read_models(response(data)), list)
    assert isinstance(read_models(response(data, head="Transfer-Encoding: chunked\r\n")), list)


# --- choosing -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "nomic-embed-text:latest",
        "text-embedding-nomic-embed-text-v1.5",
        "mxbai-embed-large",
        "all-minilm:33m",
        "bge-m3",
        "intfloat/multilingual-e5-large-instruct",
        "granite-embedding:278m",
        "qwen3-reranker-0.6b",
        "whisper-large-v3",
        "llama-guard3:8b",
        "Systran/faster-whisper-small",
        "embeddinggemma:300m",
        "paraphrase-multilingual",
        "sentence-transformers/all-mpnet-base-v2",
        "nomic-ai/nomic-bert-2048",
        "granite3-guardian:8b",
        "kokoro-82m",
        "qwen-image",
    ],
)
def test_a_model_that_does_not_chat_is_never_chosen(name: str) -> None:
    assert for_chat(found(name)) == []


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["nomic-embed-text", "llama3.2:3b"], "llama3.2:3b"),
        (["llama3:text", "gemma3:4b"], "gemma3:4b"),
        (["qwen2.5-coder:7b", "mistral"], "mistral"),
        (["meta-llama/Llama-3.1-8B", "Qwen/Qwen2.5-7B-Instruct"], "Qwen/Qwen2.5-7B-Instruct"),
        (["google/gemma-3-1b-pt", "google/gemma-3-1b-it"], "google/gemma-3-1b-it"),
        (["deepseek-llm-7b-base", "codellama"], "codellama"),
        (["first", "second"], "first"),
        (["smollm2-base"], "smollm2-base"),
        (["/models/Phi-4-mini-instruct-Q4_K_M.gguf"], "/models/Phi-4-mini-instruct-Q4_K_M.gguf"),
        (["granite3.3", "fragile5", "note5x"], "granite3.3"),
    ],
)
def test_an_instruct_model_comes_before_others_and_the_first_of_equals(
    names: list[str], chosen: str
) -> None:
    ranked = for_chat(found(*names))
    assert ranked[0].model == chosen
    assert why(chosen)


def test_the_first_server_comes_first_among_equals() -> None:
    both = [Found(OLLAMA, "llama3.2"), Found(LM_STUDIO, "llama3.2")]
    assert for_chat(both)[0].server is OLLAMA
    both = [Found(OLLAMA, "llama3.2"), Found(VLLM, "qwen-instruct")]
    assert for_chat(both)[0].server is VLLM


def test_the_reasons_differ() -> None:
    names = ["a-instruct", "a", "a-coder", "a-base"]
    assert len({why(name) for name in names}) == 4


@pytest.mark.parametrize(
    ("wanted", "model"),
    [
        ("llama3.2:3b", "llama3.2:3b"),
        ("Mistral", "mistral:latest"),
        ("mistral:latest", "mistral:latest"),
        ("qwen3-8b", "Qwen/Qwen3-8B"),
        ("phi-4", "/models/phi-4.gguf"),
        ("phi-4.gguf", "/models/phi-4.gguf"),
        ("nomic-embed-text", "nomic-embed-text"),
        ("llama3.2", None),
        ("", None),
        ("8B", None),
    ],
)
def test_a_model_is_found_by_its_name(wanted: str, model: str | None) -> None:
    there = found(
        *("llama3.2:3b", "mistral:latest", "Qwen/Qwen3-8B", "/models/phi-4.gguf"),
        "nomic-embed-text",
    )
    match = named(there, wanted)
    assert (match.model if match else None) == model


def test_the_exact_name_comes_before_those_like_it() -> None:
    match = named([Found(OLLAMA, "Phi"), Found(LM_STUDIO, "phi")], "phi")
    assert match is not None and match.server is LM_STUDIO
