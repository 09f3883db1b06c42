"""Runs one attack of `hostile.py` in a separate process, so that it does not slow other clients.

    python -m benchmarks.load.attacker WORK

WORK is JSON: `{"name": "slashes", "seconds": 10, "target": {"ports": [8000]}}`. The program prints
the responses to the attack as a JSON object of counts.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys

import uvloop

from .hostile import attack_for
from .siege import Target

NICE = 10
"""A lower priority, because here the attacker shares the machine with the server."""


def main(work: str) -> None:
    given = json.loads(work)
    os.nice(NICE)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        met = runner.run(attack_for(given["seconds"], given["name"], Target(**given["target"])))
    print(json.dumps(met))


if __name__ == "__main__":
    main(sys.argv[1])
