"""The local model's own process: llama.cpp behind an HTTP server on a private Unix socket.

A program, started by `local_process.py`; it imports nothing of the project. Its first line of
standard input is JSON: `weights` (path), `alias`, `api_key`, `threads`, `slots`,
`slot_tokens` (context of each), `parent` (process id). It answers on standard output with one
line of JSON: `{"socket": path}` once it serves, or `{"failed": reason}`.

It lives no longer than its parent, however that ends, and takes its socket with it.
"""

import ctypes
import json
import os
import select
import shutil
import signal
import stat
import sys
import tempfile
import threading
from typing import Any

PARENT_POLL_SECONDS = 0.25
# Between two looks at whether the client is still there. On a busy core with 65 tokens/s a
# cancelled prompt is let go of after 0.1 to 0.7 s; with 64 it took up to 1.5 s.
BATCH_TOKENS = 32
PR_SET_PDEATHSIG = 1  # prctl(2)
MAX_SOCKET_DIR_CHARS = 80  # a Unix socket's path has 104 to 108 bytes


def main() -> None:
    # The server drains first, and needs the model until then; so only its end is ours.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    answer = os.fdopen(os.dup(1), "w")
    # llama.cpp writes to both; nobody reads, and a full pipe would stop it.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)

    order = json.loads(sys.stdin.buffer.readline())
    _die_with_parent(signal.SIGKILL)
    socket_dir = _private_dir()
    threading.Thread(target=_end_with_parent, args=(order["parent"], socket_dir)).start()
    try:
        server = _serve(order, os.path.join(socket_dir, "model.sock"))
        reply = {"socket": os.path.join(socket_dir, "model.sock")}
        _die_with_parent(0)
    except Exception as error:
        reply = {"failed": f"{type(error).__name__}: {error}"}
        server = None
    answer.write(json.dumps(reply) + "\n")
    answer.close()
    if server is None:
        _end(socket_dir)
    threading.Event().wait()  # the server's threads work; the other thread ends the process


def _private_dir() -> str:
    base = tempfile.gettempdir()
    made = tempfile.mkdtemp(
        prefix="liveai-", dir=base if len(base) <= MAX_SOCKET_DIR_CHARS else "/tmp"
    )
    os.chmod(made, stat.S_IRWXU)
    return made


def _serve(order: dict[str, Any], socket_path: str) -> object:
    import xllamacpp  # 100 MB of library: in this process alone

    params = xllamacpp.CommonParams()
    params.model.path = order["weights"]
    params.model_alias = {order["alias"]}
    params.hostnames = [socket_path]
    params.api_keys = [order["api_key"]]
    params.n_parallel = order["slots"]
    params.n_ctx = order["slots"] * order["slot_tokens"]
    # So small that a cancel is noticed, and other streams go on, while a long prompt is read.
    params.n_batch = params.n_ubatch = BATCH_TOKENS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = order["threads"]
    params.cache_ram_mib = 0  # its default keeps up to 8 GB of old prompts
    params.ui = False
    params.verbosity = -1
    return xllamacpp.Server(params)


def _die_with_parent(number: int) -> None:
    """Let the kernel end this process with its parent; 0: no longer.

    For the loading alone: llama.cpp then keeps the interpreter's lock, so that no thread of ours
    gets to look. For good it would be a trap, since the parent here is the *thread* that started
    this process: it waits for our answer, and ends.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number))


def _end_with_parent(parent: int, socket_dir: str) -> None:
    """End the process when standard input does, or when it has another parent.

    Both: a forked sibling may hold the pipe open, and a look at the parent alone is late.
    """
    while os.getppid() == parent:
        if select.select([0], [], [], PARENT_POLL_SECONDS)[0] and not os.read(0, 4096):
            break
    _end(socket_dir)


def _end(socket_dir: str) -> None:
    shutil.rmtree(socket_dir, ignore_errors=True)
    os._exit(0)  # at once: a regular exit waits for the answers that are under way


if __name__ == "__main__":
    main()
