"""A server of the OpenAI chat-completions API with planned answers, faults included.

In a test: `async with Upstream() as upstream: upstream.plan(Behaviour(fault="cut"))`. As a separate
process: `python -m tests.support.blocks.upstream --port N`. The request's `model` then plans the
answer, e.g. `openai`, `ollama+cut`, `vllm+tokens=200+every_ms=20`, and `GET /stats` returns counts.

Faults: `cut` (the connection breaks after `after` tokens), `silent` (no answer at all), `stall`
(200, then silence after `after` tokens), `malformed`, `error` (an error inside the stream after
`after` tokens), `hold` (silence at the end), `empty`, `no_end` (ends without marking the end),
`html`, `whole` (not streamed), `drip` (comments for ever), `giant_line`.

With `continues` (`openai+continues=1`) the server continues a final assistant message, if its words
begin with it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tests.support.blocks.shapes import REFUSALS, SHAPES, whole

WORDS = ("The", " sky", " is", " blue", " – über", "all", " 😀", ".")


@dataclass(frozen=True)
class Refusal:
    """A request that a service refuses, and its answer."""

    when: Callable[[dict[str, Any]], bool]  # of the request's body
    body: Any  # JSON
    status: int = 400


@dataclass(frozen=True)
class Behaviour:
    """The plan of one call's answer."""

    shape: str = "openai"
    fault: str = ""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b"{}"  # for a status other than 200; `{key}` becomes the received key
    words: tuple[str, ...] = WORDS
    after: int = 3  # tokens before a fault
    every_ms: float = 0.0
    slice_bytes: int = 0  # upper limit for each HTTP chunk
    crlf: bool = False
    finish: str = "stop"
    refuses: frozenset[str] = frozenset()  # members of the request, see `shapes.REFUSALS`
    refusals: tuple[Refusal, ...] = ()
    has_usage: bool = True
    continues: bool = False
    frames: tuple[bytes, ...] = ()  # replace the frames of a shape
    content_type: str = "text/event-stream"  # empty: sends none


@dataclass
class Call:
    body: dict[str, Any]
    headers: dict[str, str]
    path: str = ""


@dataclass
class Upstream:
    """The server. `calls`, `open_calls` and `closed_early` record the calls."""

    port: int = 0
    calls: list[Call] = field(default_factory=list)
    open_calls: int = 0
    closed_early: int = 0
    by_model: bool = False
    _plan: list[Behaviour] = field(default_factory=lambda: [Behaviour()])
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _waiting: list[asyncio.Future[None]] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def plan(self, *behaviours: Behaviour) -> None:
        """Plan the answers of the next calls; the last one repeats."""
        self._plan = list(behaviours)

    async def until(self, condition: Callable[[Upstream], bool]) -> None:
        while not condition(self):
            changed = asyncio.get_running_loop().create_future()
            self._waiting.append(changed)
            await changed

    async def __aenter__(self) -> Upstream:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._answer_one(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client disconnected; counted where that was noticed
        except asyncio.CancelledError:
            pass  # the server is shutting down
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        if head[0].startswith("GET /stats"):
            counts = {
                "calls": len(self.calls),
                "open_calls": self.open_calls,
                "closed_early": self.closed_early,
            }
            _write_whole(writer, 200, "application/json", json.dumps(counts).encode())
            return await writer.drain()
        body = json.loads(await reader.readexactly(int(headers.get("content-length", 0))))
        self.calls.append(Call(body, headers, head[0].split(" ")[1]))
        self.open_calls += 1
        self._changed()
        behaviour = self._next_behaviour(body)
        answering = asyncio.ensure_future(_answer(writer, behaviour, body, headers))
        leaving = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait([answering, leaving], return_when=asyncio.FIRST_COMPLETED)
            # A write may notice that the client has left before the read does.
            has_left = not answering.done() or isinstance(answering.exception(), ConnectionError)
            self.closed_early += has_left
            if not has_left:
                answering.result()
        finally:
            answering.cancel()
            leaving.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)
            self.open_calls -= 1
            self._changed()

    def _next_behaviour(self, body: dict[str, Any]) -> Behaviour:
        if self.by_model:
            return behaviour_of(str(body.get("model", "openai")))
        return self._plan.pop(0) if len(self._plan) > 1 else self._plan[0]

    def _changed(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


def behaviour_of(model: str) -> Behaviour:
    """`SHAPE+FAULT+tokens=N+every_ms=N+after=N+status=N`, all but the shape optional."""
    shape, *rest = model.split("+")
    behaviour = Behaviour(shape=shape if shape in SHAPES else "openai")
    for word in rest:
        match word.split("="):
            case [fault]:
                behaviour = replace(behaviour, fault=fault)
            case ["tokens", number]:
                behaviour = replace(behaviour, words=tuple(f"w{i} " for i in range(int(number))))
            case ["every_ms", number]:
                behaviour = replace(behaviour, every_ms=int(number))
            case ["after", number]:
                behaviour = replace(behaviour, after=int(number))
            case ["status", number]:
                behaviour = replace(behaviour, status=int(number))
            case _:
                raise ValueError(f"{word} in the model {model}")
    return behaviour


def _write_whole(
    writer: asyncio.StreamWriter,
    status: int,
    content_type: str,
    body: bytes,
    headers: tuple[tuple[str, str], ...] = (),
) -> None:
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {content_type}", "Connection: close"]
    lines += [f"Content-Length: {len(body)}", *(f"{name}: {value}" for name, value in headers)]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)


async def _answer(
    writer: asyncio.StreamWriter, how: Behaviour, body: dict[str, Any], headers: dict[str, str]
) -> None:
    for member in sorted(how.refuses):
        if member in body:
            status, refusal = REFUSALS[member]
            _write_whole(writer, status, "application/json", json.dumps(refusal).encode())
            return await writer.drain()
    for refused in how.refusals:
        if refused.when(body):
            told = json.dumps(refused.body).encode()
            _write_whole(writer, refused.status, "application/json", told)
            return await writer.drain()
    if how.status != 200:
        key = headers.get("authorization", "")
        told = how.body.replace(b"{key}", key.encode())
        more = tuple((name, value.replace("{key}", key)) for name, value in how.headers)
        _write_whole(writer, how.status, "application/json", told, more)
        return await writer.drain()
    if how.fault == "silent":
        await asyncio.get_running_loop().create_future()
    if how.fault == "html":
        _write_whole(writer, 200, "text/html; charset=utf-8", b"<html>Welcome to nginx!</html>")
        return await writer.drain()
    if how.fault == "whole" or not body.get("stream", True):
        _write_whole(writer, 200, "application/json", whole(how.words))
        return await writer.drain()
    lines = ["HTTP/1.1 200 OK", "Connection: close"]
    lines += [f"Content-Type: {how.content_type}"] if how.content_type else []
    lines += ["Transfer-Encoding: chunked", *(f"{name}: {value}" for name, value in how.headers)]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    if how.continues:
        how = replace(how, words=_rest(how.words, body["messages"][-1]))
    for frame in _frames(how, body):
        if how.every_ms:
            await asyncio.sleep(how.every_ms / 1000)
        if how.crlf:
            frame = frame.replace(b"\n", b"\r\n")
        size = how.slice_bytes or len(frame)
        for start in range(0, len(frame), size):
            piece = frame[start : start + size]
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        await writer.drain()
    if how.fault == "cut":
        return  # closing without the last chunk breaks the connection
    if how.fault in ("stall", "hold"):
        await asyncio.get_running_loop().create_future()
    while how.fault == "drip":
        writer.write(b"3\r\n:\n\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)
    writer.write(b"0\r\n\r\n")
    await writer.drain()


def _rest(words: tuple[str, ...], last: dict[str, str]) -> tuple[str, ...]:
    """Return the words after the last message, if it is their beginning."""
    chars = len(last["content"]) if last["role"] == "assistant" else 0
    if not "".join(words).startswith(last["content"][:chars]):
        return words
    rest: list[str] = []
    for word in words:
        if chars < len(word):
            rest.append(word[chars:])
        chars = max(0, chars - len(word))
    return tuple(rest)


def _frames(how: Behaviour, body: dict[str, Any]) -> Iterator[bytes]:
    if how.frames:
        yield from how.frames
        return
    if how.fault in ("empty", "drip"):
        return
    usage = how.has_usage and bool(body.get("stream_options", {}).get("include_usage"))
    frames = SHAPES[how.shape](how.words, usage=usage, finish=how.finish)
    if not how.fault:
        yield from frames
        return
    # A fault comes after this many tokens, however many other chunks the shape begins with.
    seen = 0
    for frame in frames:
        seen += any(
            f'"content": {json.dumps(w, ensure_ascii=False)}'.encode() in frame for w in how.words
        )
        if seen > how.after or frame.startswith(b"data: [DONE]"):
            break
        if how.after or b'"reasoning' not in frame:
            yield frame
    if how.fault == "malformed":
        yield b'data: {"choices": [{"delta": {"content"\n\n'
    elif how.fault == "giant_line":
        yield b'data: {"choices": [{"delta": {"content": "' + b"x" * 1_200_000 + b'"}}]}\n\n'
    elif how.fault == "error":
        yield b'data: {"error": {"message": "Provider disconnected", "code": 502}}\n\n'


async def _main(port: int) -> None:
    async with Upstream(port=port, by_model=True) as upstream:
        print(upstream.base_url, flush=True)
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    asyncio.run(_main(parser.parse_args().port))
