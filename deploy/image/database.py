"""Waits until the database answers, for LIVEAI_DATABASE_SECONDS (60) at most; else exits with 1."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from django.db import OperationalError, connection

from liveai.startup import end, load_settings


def main() -> None:
    load_settings()
    deadline = time.monotonic() + float(os.environ.get("LIVEAI_DATABASE_SECONDS", "60"))
    said = ""
    while True:
        try:
            connection.ensure_connection()
            return
        except OperationalError as error:
            cause = " ".join(str(error).split())
        if time.monotonic() >= deadline:
            end(f"The database does not answer: {cause} DATABASE_URL sets its address.")
        if cause != said:
            sys.stdout.write(f"Waiting for the database: {cause}\n")
            sys.stdout.flush()
            said = cause
        time.sleep(1)


if __name__ == "__main__":
    main()
