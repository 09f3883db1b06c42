"""The local model's own process: llama.cpp behind an HTTP server on a private Unix socket.

`local_process.py` starts this program, which imports nothing of the project. Its first line of
standard input is JSON: `weights` (path), `alias`, `api_key`, `threads`, `slots`, `slot_tokens`
(context of each), `parent` (process id). It answers on standard output with one line of JSON:
`{"socket": path}` once it serves, or `{"failed": reason}`.

It never outlives its parent, however the parent ends, and removes its socket.
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
# Between two checks for a disconnected client. On a busy core with 65 tokens/s, a cancelled prompt
# is released after 0.1 to 0.7 s; with 64 it took up to 1.5 s.
BATCH_TOKENS = 32
PR_SET_PDEATHSIG = 1  # prctl(2)
MAX_SOCKET_DIR_CHARS = 80  # a Unix socket's path is limited to 104 to 108 bytes


def main() -> None:
    # The web server drains first and needs the model meanwhile, so this process ends only with it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    answer = os.fdopen(os.dup(1), "w")
    # llama.cpp writes to both; nobody reads them, and a full pipe would block it.
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
    import xllamacpp  # a 100 MB library: loaded only in this process

    params = xllamacpp.CommonParams()
    params.model.path = order["weights"]
    params.model_alias = {order["alias"]}
    params.hostnames = [socket_path]
    params.api_keys = [order["api_key"]]
    params.n_parallel = order["slots"]
    params.n_ctx = order["slots"] * order["slot_tokens"]
    # A small batch: the server notices a cancel, and other streams progress, during a long prompt.
    params.n_batch = params.n_ubatch = BATCH_TOKENS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = order["threads"]
    params.cache_ram_mib = 0  # the default keeps up to 8 GB of old prompts
    params.ui = False
    params.verbosity = -1
    return xllamacpp.Server(params)


def _die_with_parent(number: int) -> None:
    """Make the kernel end this process with its parent; 0 reverts that.

    Used only while loading: llama.cpp then holds the interpreter's lock, so that no thread of ours
    can check the parent. It must not stay set: the parent here is the *thread* that started this
    process, and that thread ends once it has our answer.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number))


def _end_with_parent(parent: int, socket_dir: str) -> None:
    """End the process when standard input closes, or when its parent has changed.

    Both are needed: a forked sibling may hold the pipe open, and polling the parent reacts later.
    """
    while os.getppid() == parent:
        if select.select([0], [], [], PARENT_POLL_SECONDS)[0] and not os.read(0, 4096):
            break
    _end(socket_dir)


def _end(socket_dir: str) -> None:
    shutil.rmtree(socket_dir, ignore_errors=True)
    os._exit(0)  # immediately: a regular exit waits for running answers


if __name__ == "__main__":
    main()
