"""Our server beside raw ASGI, FastAPI, sse-starlette, Django and the AI SDK, under the same loads.

All servers share one core and a lightweight client has another. A server runs alone for its
latency. Every second round has the reverse order. At 200 streams, ours and raw ASGI also run at the
same time, so that their ratio does not depend on the machine's speed. Goals apply to medians over
the rounds. The first run installs the peers' packages into `var/peers`.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
from dataclasses import replace
from pathlib import Path

from .comparison import results, table
from .comparison.environments import node, peers_python
from .comparison.goals import judged, shortfall
from .comparison.growth import pictures
from .comparison.loads import LOADS
from .comparison.plan import Figures, Found, Plan
from .comparison.servers import KINDS, RAW, names_of

HERE = Path(__file__).parent

BUSY_CLIENT = 0.8
"""A client that uses more of its core than this measures itself."""


BUSY_MACHINE_MS = 20.0
"""Raw ASGI adds less on a machine that has nothing else to do."""


def _print(name: str, figures: Figures) -> None:
    words = "  ".join(f"{key} {value:,.4g}" for key, value in figures.items())
    print(f"  {name}: {words}", flush=True)
    for doubt in doubts(name, figures):
        print(f"    {doubt}", flush=True)


def doubts(name: str, figures: Figures) -> list[str]:
    """Say why figures may be those of the client or of the machine, not of the server.

    Args:
        name: the server and its transport.
    """
    found = []
    if (client := figures.get("client_cpu", 0.0)) > BUSY_CLIENT:
        found.append(f"The client used {client:.0%} of its core: latencies are its own.")
    added = figures.get("added_p99_ms", 0.0)
    if name.startswith(f"{RAW} ") and added > BUSY_MACHINE_MS:
        found.append(
            f"Raw ASGI added {added:.0f} ms: the machine is busy. Latencies are too high, and"
            " servers that are late use less CPU per token."
        )
    return found


def _plan(given: argparse.Namespace) -> Plan:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[0]})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # servers inherit it
    return Plan(
        servers=names_of(given.servers or KINDS),
        rounds=given.rounds,
        peer_rounds=given.rounds if given.peer_rounds is None else given.peer_rounds,
        core=cores[-1] if len(cores) > 1 else None,
        quick=given.quick,
        report=_print,
    )


def publish(root: Path = HERE.parent) -> None:
    """Draw the pictures and write the tables into the documents, from the stored results.

    Args:
        root: the project's folder.
    """
    here = root / "benchmarks"
    found = results.read(here / "results" / results.FILE.name)
    (here / "pictures").mkdir(exist_ok=True)
    links = []
    for name, title, drawn in pictures(found["loads"]):
        (here / "pictures" / f"{name}.svg").write_text(drawn)
        links.append(f"![{title}](pictures/{name}.svg)")
    overview = table.overview(found["loads"])
    _insert(root / "README.md", {"compare": overview})
    _insert(
        here / "README.md",
        {
            "compare": overview,
            "waits": table.waits(found["loads"]),
            "pictures": "\n\n".join(links),
            "goals": table.goals(found["goals"]),
        },
    )


def _insert(document: Path, contents: dict[str, str]) -> None:
    text = document.read_text(encoding="utf-8")
    for name, content in contents.items():
        text = table.inserted(text, name, content)
    document.write_text(text, encoding="utf-8")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench compare", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--peer-rounds", type=int, help="rounds of the peers that no goal refers to; default: all"
    )
    parser.add_argument("--only", nargs="+", choices=LOADS, default=list(LOADS), metavar="LOAD")
    parser.add_argument("--servers", nargs="+", choices=KINDS, metavar="SERVER")
    parser.add_argument("--quick", action="store_true", help="less time; the results are not kept")
    parser.add_argument("--install", action="store_true", help="only install the peers' packages")
    parser.add_argument("--publish", action="store_true", help="only write tables and pictures")
    given = parser.parse_args(argv)
    if given.publish:
        publish()
        return 0
    if given.install:
        peers_python()
        return 0 if node() else 1
    if not sys.platform.startswith("linux"):
        print("This benchmark reads another process's CPU clock and needs Linux.")
        return 2
    plan = _plan(given)
    found: dict[str, Found] = {}
    for name in given.only:
        print(f"{name}: {LOADS[name].title}", flush=True)
        found[name] = LOADS[name].run(replace(plan, load=name))
        if not given.quick and not given.servers:  # each load is kept when it is done
            results.write(results.merged(results.read(), results.summary({name: found[name]})))
    if not given.quick and not given.servers:
        publish()
    short = [shortfall(each) for each in judged(found) if not each["met"]]
    for words in short:
        print(f"  GOAL MISSED: {words}")
    return 1 if short else 0
