"""Our launcher with another ASGI application.

`python -m tests.support.servers.launch MODULE:NAME PORT`
"""

from __future__ import annotations

import os
import socket
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liveai.settings")


def main(app: str, port: int) -> None:
    django.setup()
    from streaming.serving.server import Server, server_config

    listener = socket.create_server(("127.0.0.1", port))

    def say() -> None:
        print(f"Listening on http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)

    Server(server_config(app), on_listening=say).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
