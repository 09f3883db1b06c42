"""Runs an ASGI application on uvicorn with the same options as `manage.py serve`."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn


def serve(app: Any) -> None:
    """Serve on the port that is the program's first argument."""
    uvicorn.run(
        app,
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        # The same as streaming/serving/server.py; importing that would load Django.
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )
