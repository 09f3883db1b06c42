"""Exits with 0 if the web process of this container can do its work, else with 1 and the cause."""

from __future__ import annotations

import sys
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

SECONDS = 3


def main(url: str = "http://127.0.0.1:8000/readyz") -> int:
    try:
        # Past the proxies of the environment, which are for the model's API.
        with build_opener(ProxyHandler({})).open(url, timeout=SECONDS):
            return 0
    except HTTPError as error:
        sys.stderr.write(error.read(1000).decode("utf-8", "replace") + "\n")
    except OSError as error:
        sys.stderr.write(f"{error}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
