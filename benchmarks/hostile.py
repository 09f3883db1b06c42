"""Latency and failures of one visitor while another one attacks the service.

Each attack of `load/hostile.py` lasts ten seconds, and the one that joins them lasts a minute. It
runs from 127.0.0.2 in a separate process with a lower priority. Meanwhile a visitor at 127.0.0.1
makes a plain call every 0.2 s. Every 2.5 s the visitor requests an answer, alternating between SSE
and WebSocket (`load/honest.py`). The servers have their default limits. After an attack the
benchmark waits until the servers respond quickly again; failures in that time count for the attack.
The servers' memory is measured a minute after the last attack. Ended logs have expired by then
(`STREAM_LOG_SECONDS` is 20).

Plain calls are timed to their end, and starts to their first token. Both times include connecting.
`--processes 1` uses SQLite and memory, `2` uses PostgreSQL and Redis; both run by default.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .load.besieged import Service, besieged
from .load.honest import PATIENCE_SECONDS, PROMPT, Sample
from .load.hostile import ATTACKS
from .load.report import percentile
from .load.servers import ROOT

RESULTS = Path(__file__).parent / "results" / "hostile.json"

SECONDS = 10.0
LONGER_SECONDS = {"everything": 60.0}
QUIET_SECONDS = 8.0
LATER_SECONDS = 60.0
SETTLED_MS, SETTLED_ROUNDS = 250.0, 3
SETTLE_SECONDS = 120.0  # upper limit
END_SECONDS = 15.0  # grace period for a process to end after its work

MAX_PLAIN_MS = 500.0
MAX_START_MS = 300.0
MAX_GROWTH_MIB = 50.0

QUIET = "nobody"


@dataclass(frozen=True)
class Row:
    """The effect of one attack on the other visitor and on the servers."""

    calls: int
    plain_p99_ms: float
    plain_worst_ms: float
    starts: int
    start_worst_ms: float
    failures: dict[str, int]  # of the other visitor, by description
    peak_mib: float  # of the largest process
    settled_after_seconds: float
    met: dict[str, int]  # responses to the attacker


@dataclass(frozen=True)
class Found:
    """The results of one service."""

    rows: dict[str, Row]
    before_mib: list[float]  # of each process
    after_mib: list[float]
    log_bytes: int


class Memory:
    """The peak memory of a service's processes since `begin`, sampled twice a second."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._peak = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def begin(self) -> None:
        self._peak = max(self._service.resident_mib())

    @property
    def peak_mib(self) -> float:
        return self._peak

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            self._peak = max(self._peak, *self._service.resident_mib())

    def __enter__(self) -> Memory:
        self.begin()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


@contextmanager
def visiting(ports: Sequence[int]) -> Iterator[Callable[[], list[Sample]]]:
    """Run an honest visitor; the yielded function ends the visit and returns its samples."""
    command = [sys.executable, "-m", "benchmarks.load.honest", *map(str, ports)]
    with tempfile.TemporaryFile("w+") as notes:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=notes)

        def leave() -> list[Sample]:
            assert process.stdin is not None
            process.stdin.close()
            if process.wait(PATIENCE_SECONDS + END_SECONDS) != 0:
                raise RuntimeError("The honest visitor's process failed.")
            notes.seek(0)
            return [Sample(**json.loads(line)) for line in notes]

        try:
            while os.fstat(notes.fileno()).st_size == 0 and process.poll() is None:
                time.sleep(0.02)  # until it has connected
            yield leave
        finally:
            process.kill()
            process.wait()


def attack(name: str, service: Service) -> dict[str, int]:
    """Run an attack for its time and return the counts of its responses."""
    target = {
        "ports": service.ports,
        "file": service.file,
        "search_cookie": service.search_cookie,
    }
    seconds = LONGER_SECONDS.get(name, SECONDS)
    work = json.dumps({"name": name, "seconds": seconds, "target": target})
    command = [sys.executable, "-m", "benchmarks.load.attacker", work]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, timeout=seconds + END_SECONDS, check=True
    )
    met: dict[str, int] = json.loads(done.stdout)
    return met


def settle(ports: Sequence[int]) -> float:
    """Wait at most `SETTLE_SECONDS` until all ports answer plain calls and starts quickly again.

    Returns:
        The time that took, in seconds.
    """
    began = time.monotonic()
    quick = 0
    while quick < SETTLED_ROUNDS * len(ports) and time.monotonic() < began + SETTLE_SECONDS:
        quick = quick + 1 if _is_quick(ports[quick % len(ports)]) else 0
        time.sleep(0.1)
    return time.monotonic() - began


def _is_quick(port: int) -> bool:
    start = "/api/stream/ai-block/ask-question?wait=1"
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    asked = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        for method, path, body in (
            ("GET", "/api/blocks", None),
            ("POST", start, json.dumps({"prompt": PROMPT})),
        ):
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            response.read()
            if response.status != 200:
                return False
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return (time.monotonic() - asked) * 1000 < SETTLED_MS


def measure(service: Service, names: Sequence[str]) -> Found:
    times: dict[str, tuple[float, float, dict[str, int], float, float]] = {}
    with Memory(service) as memory, visiting(service.ports) as leave:
        for name in (QUIET, *names):
            memory.begin()
            began = time.monotonic()
            met: dict[str, int] = {}
            if name == QUIET:
                time.sleep(QUIET_SECONDS)
                before = service.resident_mib()
            else:
                met = attack(name, service)
            settled = settle(service.ports)
            times[name] = (began, time.monotonic(), met, settled, memory.peak_mib)
            print(f"    {name} is over", file=sys.stderr, flush=True)
        samples = leave()
    time.sleep(LATER_SECONDS)
    return Found(
        {
            name: row_of(
                [sample for sample in samples if began <= sample.began < ended],
                peak_mib=peak,
                settled_after_seconds=settled,
                met=met,
            )
            for name, (began, ended, met, settled, peak) in times.items()
        },
        before,
        service.resident_mib(),
        service.log.stat().st_size,
    )


def row_of(
    samples: Sequence[Sample],
    *,
    peak_mib: float,
    settled_after_seconds: float,
    met: Mapping[str, int],
) -> Row:
    """Summarize samples, including failed ones, because the visitor waited for these too."""
    plain = sorted(sample.ms for sample in samples if sample.kind == "plain")
    starts = sorted(sample.ms for sample in samples if sample.kind != "plain")
    failures = Counter(f"{s.kind}: {s.failure}" for s in samples if s.failure)
    return Row(
        calls=len(plain),
        plain_p99_ms=percentile(plain, 0.99),
        plain_worst_ms=percentile(plain, 1.0),
        starts=len(starts),
        start_worst_ms=percentile(starts, 1.0),
        failures=dict(failures),
        peak_mib=peak_mib,
        settled_after_seconds=settled_after_seconds,
        met=dict(met),
    )


def shortfalls(found: Found) -> list[str]:
    """Describe the figures that miss their goals."""
    short = []
    for name, row in found.rows.items():
        if not row.plain_worst_ms <= MAX_PLAIN_MS:
            short.append(
                f"{name}: a plain call took {row.plain_worst_ms:,.0f} ms;"
                f" the limit is {MAX_PLAIN_MS:,.0f}"
            )
        if not row.start_worst_ms <= MAX_START_MS:
            short.append(
                f"{name}: a first token took {row.start_worst_ms:,.0f} ms;"
                f" the limit is {MAX_START_MS:,.0f}"
            )
        for words, count in row.failures.items():
            short.append(f"{name}: {count} x {words}")
    for before, after in zip(found.before_mib, found.after_mib, strict=True):
        if after - before > MAX_GROWTH_MIB:
            short.append(
                f"a process grew from {before:.0f} to {after:.0f} MiB;"
                f" the limit is a growth of {MAX_GROWTH_MIB:.0f}"
            )
    return short


def print_table(title: str, found: Found) -> None:
    print(f"\n{title}: times in ms, memory in MiB")
    print(
        f"  {'attack':16} {'plain p99':>9} {'worst':>8} {'start worst':>11}"
        f" {'failed':>9} {'settled':>8} {'peak':>6}  met"
    )
    for name, row in found.rows.items():
        failed = f"{sum(row.failures.values())}/{row.calls + row.starts}"
        met = ", ".join(f"{count:,} x {what}" for what, count in sorted(row.met.items()))
        print(
            f"  {name:16} {row.plain_p99_ms:9,.0f} {row.plain_worst_ms:8,.0f}"
            f" {row.start_worst_ms:11,.0f} {failed:>9} {row.settled_after_seconds:6.1f} s"
            f" {row.peak_mib:6.0f}  {met}"
        )
    before, after = (
        "/".join(f"{mib:.0f}" for mib in m) for m in (found.before_mib, found.after_mib)
    )
    print(f"  memory {before} before, {after} a minute after; {found.log_bytes:,} bytes logged")


def rounded(found: Found) -> dict[str, Any]:
    """Convert to JSON values; figures without data become null."""

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: walk(member) for name, member in value.items()}
        if isinstance(value, list):
            return [walk(member) for member in value]
        if isinstance(value, float):
            return round(value, 1) if value != float("inf") else None
        return value

    walked: dict[str, Any] = walk(asdict(found))
    return walked


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench hostile", description=__doc__)
    parser.add_argument(
        "--processes", type=int, choices=(1, 2), help="only the service with this many"
    )
    parser.add_argument("--only", default="", help="only attacks whose name contains this")
    given = parser.parse_args(argv)
    if not sys.platform.startswith("linux"):
        print("Loopback addresses other than 127.0.0.1 need Linux.")
        return 2
    names = [name for name in ATTACKS if given.only in name]
    short, services = [], {}
    for processes in (given.processes,) if given.processes else (1, 2):
        title = "one process" if processes == 1 else f"{processes} processes, PostgreSQL, Redis"
        with besieged(processes) as service:
            found = measure(service, names)
        print_table(title, found)
        services[title] = rounded(found)
        short += [f"{title}: {words}" for words in shortfalls(found)]
    report = {
        "seconds_per_attack": SECONDS,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
        "goals": {
            "plain_worst_ms": MAX_PLAIN_MS,
            "start_worst_ms": MAX_START_MS,
            "failures": 0,
            "growth_mib": MAX_GROWTH_MIB,
        },
        **services,
    }
    if not argv:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(report, indent=1) + "\n")
    for words in short:
        print(f"  GOAL MISSED: {words}")
    return 1 if short else 0
