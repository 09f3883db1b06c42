"""A stand-in for systemd on a machine that is a folder: real processes, from the real units.

`python systemctl.py MACHINE restart|stop|start|show|is-active ... UNIT`, as `systemctl` is called
by the documents. `liveai.target` is every unit that was ever started.
"""

from __future__ import annotations

import configparser
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

START_SECONDS = 60.0
STOP_SECONDS = 45.0  # TimeoutStopSec


class Units:
    """The units of a machine. Their processes outlive the program that starts them.

    Args:
        machine: the folder that replaces `/`.
    """

    def __init__(self, machine: Path) -> None:
        self.machine = machine
        self._run = machine / "run"
        self._run.mkdir(exist_ok=True)

    def exec_start(self, unit: str) -> str:
        """Return the command of a unit, with its instance name filled in."""
        command = self.property(unit, "ExecStart")
        command = command.replace(":910%i", ":0")  # other machines may run meanwhile
        return command.replace("%i", unit.rpartition("@")[2])

    def property(self, unit: str, name: str) -> str:
        template = unit.partition("@")[0]
        parser = configparser.ConfigParser(interpolation=None)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read(self.machine / "etc/systemd/system" / f"{template}@.service")
        return parser["Service"][name]

    def start(self, unit: str) -> bool:
        """Start it; of `Type=notify`, wait until it says that it is ready, and return whether."""
        program, *arguments = shlex.split(self.exec_start(unit))
        with (
            self.log(unit).open("ab") as log,
            tempfile.TemporaryDirectory() as folder,
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told,
        ):
            told.bind(f"{folder}/notify")
            is_notify = self.property(unit, "Type") == "notify"
            notify = {"NOTIFY_SOCKET": f"{folder}/notify"} if is_notify else {}
            started = subprocess.Popen(
                [f"{self.machine}{program}", *arguments],
                cwd=self.machine / "opt/liveai",
                env={**os.environ, **self._environment(), **notify},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            (self._run / unit).write_text(str(started.pid))
            return not is_notify or _is_ready(told, started)

    def stop(self, unit: str) -> None:
        """Stop it as systemd does: SIGTERM, and SIGKILL if it does not end in time. Idempotent."""
        process = self._process(unit)
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while self.is_active(unit):
            if time.monotonic() > deadline:
                process.kill()
                raise TimeoutError(f"{unit} had to be killed")
            time.sleep(0.05)

    def is_active(self, unit: str) -> bool:
        return self._process(unit) is not None

    def pid(self, unit: str) -> int:
        return int((self._run / unit).read_text())

    def all(self) -> list[str]:
        return sorted(path.name for path in self._run.iterdir())

    def log(self, unit: str) -> Path:
        return self.machine / "var" / f"{unit}.log"

    def _process(self, unit: str) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid(unit))
            return None if process.status() == psutil.STATUS_ZOMBIE else process
        except (FileNotFoundError, psutil.NoSuchProcess):
            return None

    def _environment(self) -> dict[str, str]:
        lines = (self.machine / "etc/liveai/env").read_text("utf-8").splitlines()
        pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
        return {name: value for name, _, value in pairs}


def main(machine: str, verb: str, *words: str) -> int:
    units = Units(Path(machine))
    named = [word for word in words if not word.startswith("-")]
    if named == ["liveai.target"]:
        named = units.all()
    if verb == "is-active":
        return 0 if all(units.is_active(unit) for unit in named) else 3
    if verb == "show" and "--property=Type" in words:
        print(*(units.property(unit, "Type") for unit in named))
        return 0
    if verb == "show":
        print(*(units.exec_start(unit) for unit in named))
        return 0
    if verb in ("stop", "restart"):
        for unit in named:
            units.stop(unit)
    if verb in ("start", "restart"):
        return 0 if all(list(map(units.start, named))) else 1
    return 0


def _is_ready(told: socket.socket, started: subprocess.Popen[bytes]) -> bool:
    told.settimeout(0.1)
    deadline = time.monotonic() + START_SECONDS
    while started.poll() is None and time.monotonic() < deadline:
        with suppress(TimeoutError):
            return told.recv(100) == b"READY=1"
    return False


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
