"""A provider with an OpenAI-compatible API in a separate process; prompts plan its answers.

`python -m tests.support.faults.upstream` prints its base URL. Each prompt contains its plan
(`plan.py`). If the last message is the assistant's, the answer continues it. `GET /stats` returns
the calls, and `POST /release?key=KEY` releases the held answers of a plan. It uses one callback for
each token and no task. So it carries hundreds of slow streams on a fraction of a core.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.faults.plan import Plan

_STATUSES = {"429": 429, "500": 500, "401": 401}


@dataclass
class KeyStats:
    """The calls of one key."""

    calls: int = 0
    open: int = 0
    finished: int = 0  # answers that reached their end, including a planned fault
    closed_early: int = 0  # by the caller
    continued_at: list[int] = field(default_factory=list)  # number of existing characters
    strangers: int = 0  # calls that continued a text that was never said


class Upstream:
    """The state that all connections share."""

    def __init__(self) -> None:
        self.stats: dict[str, KeyStats] = defaultdict(KeyStats)
        self.released: set[str] = set()
        self.holding: dict[str, set[Answer]] = defaultdict(set)

    def release(self, key: str) -> None:
        self.released.add(key)
        for answer in self.holding.pop(key, set()):
            answer.go_on()


class Line(asyncio.Protocol):
    """One connection, which carries one call."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._got = b""
        self._answer: Answer | None = None
        self._is_read = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, separator, body = self._got.partition(b"\r\n\r\n")
        if self._is_read or not separator:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
        if len(body) >= int(headers.get("content-length", 0)):
            self._is_read = True
            self._serve(first.split()[1], body)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None:
            self._answer.caller_left()

    def _serve(self, target: str, body: bytes) -> None:
        url = urlsplit(target)
        if url.path == "/stats":
            counted = {key: asdict(one) for key, one in self._upstream.stats.items()}
            return send_whole(self._transport, 200, counted)
        if url.path == "/release":
            self._upstream.release(parse_qs(url.query)["key"][0])
            return send_whole(self._transport, 200, {})
        try:
            request = json.loads(body)
            asked = [m["content"] for m in request["messages"] if m["role"] == "user"]
            plan = Plan.found_in(asked[-1])
        except (ValueError, LookupError) as error:
            return send_whole(self._transport, 400, _error(str(error)))
        last = request["messages"][-1]
        said = last["content"] if last["role"] == "assistant" else ""
        stats = self._upstream.stats[plan.key]
        stats.calls += 1
        if said:
            stats.continued_at.append(len(said))
        self._answer = Answer(self._upstream, self._transport, plan, stats, request)
        self._answer.begin(said)


class Answer:
    """One answer in progress, token by token."""

    def __init__(
        self,
        upstream: Upstream,
        transport: asyncio.Transport,
        plan: Plan,
        stats: KeyStats,
        request: dict[str, Any],
    ) -> None:
        self._upstream = upstream
        self._transport = transport
        self._plan = plan
        self._stats = stats
        self._has_usage = bool(request.get("stream_options", {}).get("include_usage"))
        is_faulty = plan.fault and (plan.times == 0 or stats.calls <= plan.times)
        self._fault = plan.fault if is_faulty else ""
        self._tokens: Iterator[str] = iter(())
        self._count = 0
        self._is_open = True
        self._timer: asyncio.TimerHandle | None = None
        stats.open += 1

    def begin(self, said: str) -> None:
        if (status := _STATUSES.get(self._fault)) is not None:
            after = self._plan.retry_after
            headers = (f"Retry-After: {after}",) if after else ()
            send_whole(self._transport, status, _error(f"planned: {status}"), *headers)
            return self._over()
        if self._fault == "silent":
            return
        try:
            # The first token consumes all of `said`, so it is generated here.
            tokens = self._plan.tokens_from(said)
            first = next(tokens, None)
        except ValueError as error:
            self._stats.strangers += 1
            send_whole(self._transport, 400, _error(str(error)))
            return self._over()
        self._tokens = tokens
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        self._write_frame({"role": "assistant", "content": ""})
        if self._fault == "empty" or first is None:
            return self._end()
        self._later(self._plan.wait_ms, first)

    def caller_left(self) -> None:
        if self._is_open:
            self._stats.closed_early += 1
            self._close()

    def go_on(self) -> None:
        if self._is_open:
            self._next()

    def _later(self, after_ms: float, token: str) -> None:
        if after_ms:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(after_ms / 1000, self._say, token)
        else:
            self._say(token)

    def _say(self, token: str) -> None:
        # "At once" uses a loop instead of recursion, and stops when the caller does not read.
        while True:
            if self._has_come_to_its_fault():
                return
            self._write_frame({"content": token})
            self._count += 1
            plan = self._plan
            if plan.hold and self._count == plan.after and plan.key not in self._upstream.released:
                self._upstream.holding[plan.key].add(self)
                return
            following = next(self._tokens, None)
            if following is None:
                return self._end()
            if plan.every_ms or not plan.size:
                # An endless answer yields to the loop between two tokens.
                return self._later(plan.every_ms or 1.0, following)
            token = following

    def _next(self) -> None:
        token = next(self._tokens, None)
        if token is None:
            self._end()
        else:
            self._say(token)

    def _has_come_to_its_fault(self) -> bool:
        if not self._fault or self._count < self._plan.after:
            return False
        if self._fault == "cut":
            self._transport.close()
        elif self._fault == "reset":
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        elif self._fault == "malformed":
            self._write(b'data: {"choices": [{"delta": {"content"\n\n')
            self._write_end()
        if self._fault != "stall":
            self._over()
        return True

    def _end(self) -> None:
        self._write_frame({}, finish=self._plan.finish)
        if self._has_usage:
            usage = {"prompt_tokens": 11, "completion_tokens": self._count}
            frame = {"choices": [], "usage": {**usage, "total_tokens": 11 + self._count}}
            self._write(b"data: " + json.dumps(frame).encode() + b"\n\n")
        self._write(b"data: [DONE]\n\n")
        self._write_end()
        self._over()

    def _write_frame(self, delta: dict[str, str], finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        frame = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [choice]}
        self._write(b"data: " + json.dumps(frame, ensure_ascii=False).encode() + b"\n\n")

    def _write(self, data: bytes) -> None:
        self._transport.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _write_end(self) -> None:
        self._transport.write(b"0\r\n\r\n")
        self._transport.close()

    def _over(self) -> None:
        self._stats.finished += 1
        self._close()

    def _close(self) -> None:
        self._is_open = False
        self._stats.open -= 1
        self._upstream.holding.get(self._plan.key, set()).discard(self)
        if self._timer is not None:
            self._timer.cancel()


def send_whole(transport: asyncio.Transport, status: int, value: Any, *headers: str) -> None:
    body = json.dumps(value).encode()
    lines = [f"HTTP/1.1 {status} X", "Content-Type: application/json", "Connection: close"]
    lines += [f"Content-Length: {len(body)}", *headers]
    transport.write("\r\n".join([*lines, "", ""]).encode() + body)
    transport.close()


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "planned", "param": None, "code": None}}


async def main(port: int) -> None:
    upstream = Upstream()
    server = await asyncio.get_running_loop().create_server(
        lambda: Line(upstream), "127.0.0.1", port, backlog=1024
    )
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    asyncio.run(main(parser.parse_args().port))
